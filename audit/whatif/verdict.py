"""What becomes of a client under another policy, by what is known of it: a proof, or unknown."""

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from audit.forecast.server import Server
from audit.iana import GROUPS, VERSIONS, Suite, Version
from audit.whatif.known import Known
from audit.whatif.needs import Need, curve, looked_at, needs
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


class _May(Struct, frozen=True):
    """A suite that may be chosen.

    Attributes:
        suite: which.
        open: what is not known to be met, of what it takes to be chosen.
        end: what it comes to if it is.
        why: of an end that is no keep, the reason.
        then: what is not known to be met of what is looked at afterwards.
    """

    suite: Suite
    open: tuple[Need, ...]
    end: Verdict
    why: str = ""
    then: tuple[Need, ...] = ()


def _within(known: Known, new: Side, version: Version) -> Judged:
    """What becomes of it if this version is chosen."""
    found: list[_May] = []
    suites, ordered = _order(known, new, version)
    for one in suites:
        may = _may(known, new, version, one)
        if may is not None:
            found.append(may)
            if not may.open and ordered:
                break
    if not found:
        return Judged("break", _none(known, new, version))
    sure = next((may for may in found if not may.open), None)
    ends = {may.end for may in found} | (set() if sure else {"break"})
    if sure is not None and ends == {"keep"}:
        return Judged("keep", f"it has {sure.suite.name} in {version}, which the policy has too")
    if ends == {"break"}:
        return Judged("break", found[0].why)
    if sure is None:
        return Judged("unknown", _doubt(found, version))
    return Judged("unknown", sure.why or next(may.why for may in found if may.why))


def _order(known: Known, new: Side, version: Version) -> tuple[tuple[Suite, ...], bool]:
    """The suites that may be chosen, and whether the first that can be is."""
    suites = new.server.suites[version]
    if version in new.server.client_order and known.offer and "suite" in known.exact:
        return tuple(one for one in known.offer.suites if one in suites), True
    return suites, version in new.order


def _may(known: Known, new: Side, version: Version, one: Suite) -> _May | None:
    """What may come of a suite; None if it cannot be chosen."""
    wanted = needs(new.server, version, one)
    choice = looked_at(new.server, version, one)
    if wanted is None or choice is None or known.impossible(choice):
        return None
    open_ = tuple(need for need in choice if known.truth(need) is None)
    later = (need for need in wanted if need not in choice)
    then = tuple(need for need in later if known.truth(need) is not True)
    if any(known.truth(need) is False for need in then):
        why = f"the server chooses {one.name} in {version}, and it accepts no signature for that"
        return _May(one, open_, "break", why)
    if then:
        return _May(one, open_, "unknown", _lacking(then[0], one, version), then)
    if one.key_exchange == "DHE" and new.prime_of(version) not in known.primes:
        why = f"whether it takes the server's prime for {one.name} was never seen"
        return _May(one, open_, "unknown", why)
    own = curve(new.server, version, one)
    if own is not None and known.truth(own) is not True and not _takes(known, new.server):
        why = f"whether it minds the curve of the certificate for {one.name} was never seen"
        return _May(one, open_, "unknown", why)
    return _May(one, open_, "keep")


def _takes(known: Known, server: Server) -> bool:
    """Whether it was seen to take an ECDSA certificate on each of the server's curves."""
    return {key.curve for key in server.keys if key.kind == "ecdsa"} <= known.curves


def _none(known: Known, new: Side, version: Version) -> str:
    suites = [s.name for s in new.server.suites[version]]
    if not suites:
        return f"the policy has no suite for {version}, which would be chosen"
    if known.exact:
        why = "as its hello shows"
    else:
        why = "for the server preferred them and it took another"
    return f"it can do none of the suites that the policy has for {version}, {why}: {_some(suites)}"


def _doubt(found: list[_May], version: Version) -> str:
    """What would have to be known: of a suite that it has if there is one, or else which it has."""
    had = [may for may in found if all(need.kind != "suite" for need in may.open)]
    if not had:
        return f"whether it offers {_some([may.suite.name for may in found])} was never seen"
    best = min(had, key=lambda may: len((*may.open, *may.then)))
    lacks = (_lacking(need, best.suite, version) for need in (*best.open, *best.then))
    return "; ".join(dict.fromkeys(lacks))


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
