"""What becomes of a client under another policy, by what is known of it: a proof, or unknown."""

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from audit.iana import GROUPS, VERSIONS, Suite, Version
from audit.whatif.known import Known
from audit.whatif.needs import Need, needs
from audit.whatif.side import Side

Verdict = Literal["keep", "break", "unknown"]
_NAMES = {one.code: one.name for one in GROUPS}
_SHOWN = 3  # names in a sentence

# What clients of today do beyond what is certain of each: they name P-256 if they name groups, sign
# with SHA-256, and offer in TLS 1.3 what RFC 8446, section 9.1, says everybody must implement.
USUAL = (
    Need("group", frozenset((0x0017,))),
    *(Need("signature", frozenset((code,))) for code in (0x0401, 0x0403, 0x0804)),
    Need("suite", frozenset((0x1301,))),
    Need("shares"),
)


class Judged(Struct, frozen=True):
    """A verdict, and the reasoning as a sentence."""

    verdict: Verdict
    why: str


def judge(known: Known, new: Side) -> Judged:
    """What becomes of a client at a server of the new policy.

    The server takes the newest version in common. Each that this may be is looked at; only where
    all of them end alike is the end certain.
    """
    found = dict(_versions(known, new))
    if not found:
        return Judged("break", _too_old(known, new))
    ends = {version: _within(known, new, version) for version in found}
    sure = any(found.values())
    verdicts = {end.verdict for end in ends.values()} | (set() if sure else {"break"})
    if len(verdicts) == 1:
        return next(iter(ends.values()))
    unclear = next((end for end in ends.values() if end.verdict == "unknown"), None)
    if unclear:
        return unclear
    maybe = ", ".join(v for v, certain in found.items() if not certain)
    return Judged("unknown", f"whether it offers {maybe}, and so what it comes to, was never seen")


def usual(known: Known, new: Side) -> Judged:
    """The same, if the client also does what clients usually do; never a proof."""
    more = replace(known, met=(*known.met, *USUAL))
    return (
        Judged("unknown", "it does not do what is usual")
        if more.contradictory
        else judge(more, new)
    )


def _versions(known: Known, new: Side) -> Iterator[tuple[Version, bool]]:
    """The versions that may be chosen, newest first, and whether each is offered for certain."""
    for version in sorted(new.server.versions, key=VERSIONS.index, reverse=True):
        if version in known.excluded:
            continue
        certain = version in known.versions
        yield version, certain
        if certain:
            return


def _too_old(known: Known, new: Side) -> str:
    newest = max(known.versions, key=VERSIONS.index, default=None)
    begins = min(new.server.versions, key=VERSIONS.index, default="no version at all")
    if newest is None:
        return f"it offers no version of the policy, which begins with {begins}"
    return f"{newest} is the newest that it offers, and the policy begins with {begins}"


def _within(known: Known, new: Side, version: Version) -> Judged:
    """What becomes of it if this version is chosen."""
    doubts: list[tuple[Suite, list[Need]]] = []
    order = new.server.suites[version]
    sure: Suite | None = None
    for one in order:
        wanted = needs(new.server, version, one)
        if wanted is None or known.impossible(wanted):
            continue
        open_ = [need for need in wanted if known.truth(need) is None]
        risky = one.key_exchange == "DHE" and new.prime_of(version) not in known.primes
        if not open_ and not risky and sure is None:
            sure = one
            if version in new.order:
                break
        elif open_ or risky:
            doubts.append((one, [] if risky else open_))
    risks = [one for one, open_ in doubts if not open_]
    if sure is not None and not risks:
        return Judged("keep", f"it has {sure.name} in {version}, which the policy has too")
    if sure is not None or risks:
        return Judged(
            "unknown", f"whether it takes the server's prime for {risks[0].name} was never seen"
        )
    if not doubts:
        return Judged("break", _none(known, new, version))
    return Judged("unknown", _doubt(doubts, version))


def _none(known: Known, new: Side, version: Version) -> str:
    suites = [s.name for s in new.server.suites[version]]
    if not suites:
        return f"the policy has no suite for {version}, which would be chosen"
    if known.exact:
        why = "as its hello shows"
    else:
        why = "for the server preferred them and it took another"
    return f"it can do none of the suites that the policy has for {version}, {why}: {_some(suites)}"


def _doubt(doubts: list[tuple[Suite, list[Need]]], version: Version) -> str:
    """What would have to be known: of a suite that it has if there is one, or else which it has."""
    had = [(one, left) for one, left in doubts if all(need.kind != "suite" for need in left)]
    if not had:
        return f"whether it offers {_some([s.name for s, _ in doubts])} was never seen"
    one, left = min(had, key=lambda doubt: len(doubt[1]))
    return "; ".join(dict.fromkeys(_lacking(need, one, version) for need in left))


def _lacking(need: Need, one: Suite, version: Version) -> str:
    if need.kind in ("group", "field"):
        names = [_NAMES.get(code, hex(code)) for code in sorted(need.codes)]
        return f"for {one.name} it must name one of the groups {_some(names)}, which was never seen"
    return (
        f"whether it accepts a signature of the server for {one.name} in {version} was never seen"
    )


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
