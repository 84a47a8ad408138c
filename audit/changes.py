"""What differs between two runs, check by check."""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from audit.findings import COMPLIANT, FAILED, UNDETERMINED, Finding, Run

# In the order in which people want to read them.
Kind = Literal["new", "lost", "fixed", "waived", "changed", "added"]
# What makes one check of one run the same as one of another.
Key = tuple[str, str, int, str, str, str]

_BAD = {"fail", "inconclusive"}


class Change(Struct, frozen=True, kw_only=True):
    """One check that came out otherwise.

    Attributes:
        kind: new, a failure or doubt that was not there; lost, a check that is no longer made;
            fixed, one that is fine now; waived, a failure that is accepted now; changed, the same
            verdict on something else; added, a check that was not made before, and is fine.
        before, after: what the runs found; None where the check was not made.
    """

    kind: Kind
    before: Finding | None
    after: Finding | None

    @property
    def finding(self) -> Finding:
        """The later of the two that there is."""
        found = self.after or self.before
        assert found is not None  # noqa: S101 - compare() makes none without both
        return found


def key(finding: Finding) -> Key:
    """Return what names this check in every run."""
    f = finding
    return (f.host, f.address, f.port, f.service, f.check, f.policy)


def compare(before: Run, after: Run) -> tuple[Change, ...]:
    """Return what differs between two runs, in the order of the later one and then the earlier."""
    old = {key(f): f for f in before.findings}
    new = {key(f): f for f in after.findings}
    kinds = {k: kind(old.get(k), new.get(k)) for k in new | old}
    return tuple(
        Change(kind=what, before=old.get(k), after=new.get(k)) for k, what in kinds.items() if what
    )


def kind(before: Finding | None, after: Finding | None) -> Kind | None:
    """Return how a check came out otherwise; None if it did not."""
    if after is None:
        return "lost" if before else None
    if before and before.verdict == after.verdict:
        return "changed" if before.observed != after.observed else None
    if after.verdict in _BAD:
        return "new"
    if after.verdict == "waived":
        return "waived"
    if before is None:
        return "added"
    fine = before.verdict not in _BAD | {"waived"}
    return "changed" if fine else "fixed"


def exit_code(changes: Iterable[Change]) -> int:
    """0 nothing became worse, 1 a new failure or a lost check, 3 new doubts and nothing worse."""
    worse = {c.after.verdict if c.after else "lost" for c in changes if c.kind in ("new", "lost")}
    if worse & {"fail", "lost"}:
        return FAILED
    return UNDETERMINED if worse else COMPLIANT
