"""What came to a place and what went, as far as that could be told. Pure."""

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from audit.facts import EndpointFacts
from audit.iana import VERSIONS, Version

Ends = Sequence[EndpointFacts]


class Shift(Struct, frozen=True, omit_defaults=True):
    """What a place has no longer, and what it has now; empty where nothing changed.

    Attributes:
        gone: offered before by one endpoint at least, and refused by all now.
        come: the other way round.
    """

    gone: tuple[str, ...] = ()
    come: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self.gone or self.come)


def versions(old: Ends, new: Ends) -> Shift:
    """Of the versions; each was tried on its own."""
    return _shift(old, new, _versions, lambda facts, name: name not in untold(facts))


def suites(old: Ends, new: Ends) -> Shift:
    """Of the suites."""
    return _shift(old, new, _suites, lambda facts, _: _has_no_more_suites(facts))


def groups(old: Ends, new: Ends) -> Shift:
    """Of the groups."""
    return _shift(old, new, _groups, lambda facts, _: _has_no_more_groups(facts))


def untold(facts: EndpointFacts) -> tuple[Version, ...]:
    """The versions of which it could not be told whether an endpoint has them."""
    if facts.reach != "open":
        return VERSIONS
    told = {v for v, tried in facts.protocols.items() if tried.seen != "inconclusive"}
    return tuple(v for v in VERSIONS if v not in told)


def _shift(
    old: Ends,
    new: Ends,
    shown: Callable[[Ends], Iterable[str]],
    lacks: Callable[[EndpointFacts, str], bool],
) -> Shift:
    """What could not be told has neither come nor gone.

    Args:
        old: the endpoints of a place, before.
        new: those after.
        shown: what some were seen with.
        lacks: whether one is known not to have what it was not seen with.
    """
    before, after = dict.fromkeys(shown(old)), dict.fromkeys(shown(new))
    return Shift(
        gone=tuple(n for n in before if n not in after and all(lacks(f, n) for f in new)),
        come=tuple(n for n in after if n not in before and all(lacks(f, n) for f in old)),
    )


def _accepted(facts: EndpointFacts) -> list[Version]:
    tried = facts.protocols
    return [v for v in VERSIONS if v in tried and tried[v].seen == "accepted"]


def _versions(found: Ends) -> list[Version]:
    return [v for v in VERSIONS if any(v in _accepted(facts) for facts in found)]


def _suites(found: Ends) -> list[str]:
    return [name for facts in found for v in reversed(VERSIONS) for name in facts.suites.get(v, ())]


def _groups(found: Ends) -> list[str]:
    return [name for facts in found for v in reversed(VERSIONS) for name in facts.groups.get(v, ())]


def _has_no_more_suites(facts: EndpointFacts) -> bool:
    """A version that may be on may have any; SSLv2 has none that is listed."""
    rests = [facts.rest.get(v) for v in _accepted(facts) if v != "SSLv2"]
    return not untold(facts) and all(rest and rest.seen == "refused" for rest in rests)


def _has_no_more_groups(facts: EndpointFacts) -> bool:
    """TLS 1.3 tells them, and the newest version before it beside an RSA certificate."""
    on = _accepted(facts)
    older = [v for v in on if v != "TLSv1.3"][-1:]
    telling = [v for v in older if any(map(_tells_groups, facts.suites.get(v, ())))]
    asked = [*telling, *(v for v in on if v == "TLSv1.3")]
    return _has_no_more_suites(facts) and all(facts.groups.get(v) for v in asked)


def _tells_groups(suite: str) -> bool:
    return suite.startswith("TLS_ECDHE_RSA_")
