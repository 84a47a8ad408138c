"""What servers offer at each kind of place, before a change and after it."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from audit.facts import Endpoint, EndpointFacts, Mode, Service
from audit.findings import Run
from audit.policy.model import Profile, Traffic
from audit.prospect import shift
from audit.prospect.shift import Shift


class Place(Struct, frozen=True, order=True):
    """A port with what is spoken there; that of every host is one place.

    Production and staging are compared by places: their hosts need not have the same names.
    """

    port: int
    service: Service
    mode: Mode

    def __str__(self) -> str:
        """As people write it: imap 993."""
        return f"{self.service} {self.port}"


class Rule(Struct, frozen=True):
    """What a policy says of an endpoint.

    Attributes:
        traffic: the kind.
        profile: of the policy; None where it is not known any more, as of an old run.
    """

    traffic: Traffic
    profile: Profile | None = None


class Scene(Struct, frozen=True, kw_only=True):
    """A cluster as it was seen at one time.

    Attributes:
        run: what was seen.
        rules: what is meant to be at each endpoint, by host and place.
    """

    run: Run
    rules: Mapping[tuple[str, Place], Rule]

    def at(self) -> dict[Place, list[EndpointFacts]]:
        """The endpoints that are meant to serve, by place."""
        found: dict[Place, list[EndpointFacts]] = {}
        for facts in self.run.endpoints:
            place = place_of(facts.endpoint)
            if (facts.endpoint.host, place) in self.rules:
                found.setdefault(place, []).append(facts)
        return dict(sorted(found.items()))

    def by_traffic(self) -> dict[tuple[Place, Traffic], list[EndpointFacts]]:
        """The same, apart by what they are for: one host's port 25 may be for users only."""
        found: dict[tuple[Place, Traffic], list[EndpointFacts]] = {}
        for place, ends in self.at().items():
            for facts in ends:
                found.setdefault((place, self.rule(facts).traffic), []).append(facts)
        return found

    def rule(self, facts: EndpointFacts) -> Rule:
        """What is meant to be there."""
        return self.rules[facts.endpoint.host, place_of(facts.endpoint)]


class Served(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One place, before and after.

    Attributes:
        port, service, mode: the place.
        hosts: where it was looked at, before and after.
        closed: it is served no longer.
        opened: it was not served before.
        versions, suites, groups: what came and went.
        untold: why something could not be told, a sentence each.
    """

    port: int
    service: Service
    mode: Mode
    hosts: tuple[str, ...]
    closed: bool = False
    opened: bool = False
    versions: Shift = Shift()
    suites: Shift = Shift()
    groups: Shift = Shift()
    untold: tuple[str, ...] = ()


def place_of(endpoint: Endpoint) -> Place:
    """The place that an endpoint is at."""
    return Place(endpoint.port, endpoint.service, endpoint.mode)


def served(before: Scene, after: Scene) -> tuple[Served, ...]:
    """Every place that either has."""
    old, new = before.at(), after.at()
    return tuple(_served(p, old.get(p, []), new.get(p, [])) for p in sorted(old | new))


def _served(place: Place, old: list[EndpointFacts], new: list[EndpointFacts]) -> Served:
    doubts = [*(f"before: {d}" for d in _doubts(old)), *(f"after: {d}" for d in _doubts(new))]
    return Served(
        port=place.port,
        service=place.service,
        mode=place.mode,
        hosts=tuple(dict.fromkeys(f.endpoint.host for f in (*old, *new))),
        closed=not new,
        opened=not old,
        versions=shift.versions(old, new),
        suites=shift.suites(old, new),
        groups=shift.groups(old, new),
        untold=tuple(dict.fromkeys(doubts)),
    )


def _doubts(found: Iterable[EndpointFacts]) -> Iterable[str]:
    for facts in found:
        if facts.reach != "open":
            yield f"{facts.endpoint} was not open ({facts.reach})"
        elif unclear := shift.untold(facts):
            yield f"{facts.endpoint}: {', '.join(unclear)} could not be told"
