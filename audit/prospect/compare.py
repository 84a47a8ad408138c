"""Two audits beside each other, and the word on the change between them. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

from msgspec import Struct
from msgspec.structs import replace

from audit.changes import Change, compare, key
from audit.findings import Finding, Run, Verdict
from audit.prospect.deployment import Trouble
from audit.prospect.fates import Turn
from audit.prospect.places import Served
from audit.prospect.result import Outcome, Production

# The worst of several hosts counts.
_WORST: tuple[Verdict, ...] = ("fail", "inconclusive", "waived", "pass", "not-applicable")


class Allowed(Struct, frozen=True):
    """What may break without anybody being told.

    Attributes:
        names: shell patterns of clients whose loss is announced.
        number: how many others may be lost.
    """

    names: tuple[str, ...] = ()
    number: int = 0

    def marked(self, turns: Iterable[Turn]) -> tuple[Turn, ...]:
        """Each loss that is announced, marked as such."""
        return tuple(
            replace(t, announced=t.kind in ("lost", "clear") and self._names(t.client))
            for t in turns
        )

    def _names(self, client: str) -> bool:
        return any(fnmatchcase(client, pattern) for pattern in self.names)


def changes(before: Run, after: Run) -> tuple[Change, ...]:
    """What differs; of clusters with other hosts, port by port instead of host by host.

    Args:
        before: judged by the candidate's measure, as *after* is.
        after: what came of the candidate.
    """
    if {f.host for f in before.findings} != {f.host for f in after.findings}:
        before, after = _by_port(before), _by_port(after)
    return compare(before, after)


def _by_port(run: Run) -> Run:
    """The worst finding of all hosts for each check and port."""
    worst: dict[object, Finding] = {}
    for found in run.findings:
        one = replace(found, host="any host", address="")
        if key(one) not in worst or _rank(one) < _rank(worst[key(one)]):
            worst[key(one)] = one
    return replace(run, findings=tuple(worst.values()))


def _rank(finding: Finding) -> int:
    return _WORST.index(finding.verdict)


def verdict(
    after: Run,
    places: Sequence[Served],
    turns: Sequence[Turn],
    allowed: Allowed,
    production: Production | None = None,
) -> tuple[Outcome, tuple[str, ...]]:
    """The word on the candidate, and why; the worst first."""
    found = [
        *(("fails", why) for why in _failures(after, production)),
        *(("breaks", why) for why in _broken(turns, allowed)),
        *(("undetermined", why) for why in _doubts(after, places, turns, production)),
    ]
    outcome: Outcome = "holds"
    for one in ("undetermined", "breaks", "fails"):
        outcome = one if any(what == one for what, _ in found) else outcome
    return outcome, tuple(why for _, why in found)


def undeployed(troubles: Sequence[Trouble], *, candidate: bool) -> tuple[Outcome, tuple[str, ...]]:
    """The word where a deployment failed: of what is there now it says nothing of the candidate."""
    fails = candidate and any(t.reached for t in troubles)
    what = "the candidate" if candidate else "what production has now"
    reasons = tuple(
        f"{what} could not be deployed{f' on {t.host}' if t.host else ''}: {t.reason}"
        for t in troubles
    )
    return ("fails" if fails else "undetermined"), reasons


def _failures(after: Run, production: Production | None) -> Iterator[str]:
    if failed := [f for f in after.findings if f.verdict == "fail"]:
        checks = ", ".join(dict.fromkeys(f.check for f in failed))
        yield f"the candidate fails {_many(len(failed), 'check')} of its own policy: {checks}"
    for trouble in production.refused if production else ():
        where = f" on {trouble.host}" if trouble.host else ""
        yield f"the candidate cannot be deployed in production{where}: {trouble.reason}"


def _broken(turns: Iterable[Turn], allowed: Allowed) -> Iterator[str]:
    lost = dict.fromkeys(t.client for t in turns if t.kind in ("lost", "clear") and not t.announced)
    if len(lost) > allowed.number:
        more = f", {allowed.number} may" if allowed.number else ""
        yield f"{_many(len(lost), 'client')} that were not announced lose TLS{more}: {_list(lost)}"


def _doubts(
    after: Run, places: Iterable[Served], turns: Iterable[Turn], production: Production | None
) -> Iterator[str]:
    unclear = [f for f in after.findings if f.verdict == "inconclusive"]
    if unclear or not after.findings:
        yield f"{_many(len(unclear), 'check')} of the candidate could not be determined"
    if after.executed != after.planned:
        yield f"of {after.planned} planned checks {after.executed} were made"
    for place in places:
        yield from (f"{place.service} {place.port}: {why}" for why in place.untold)
    if unknown := dict.fromkeys(t.client for t in turns if t.kind == "unknown"):
        yield f"what becomes of {_many(len(unknown), 'client')} could not be told: {_list(unknown)}"
    if not turns:
        yield "no place was served before at which a client could be lost"
    for trouble in production.missing if production else ():
        yield f"{trouble.host} in production was not reached: {trouble.reason}"


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)
