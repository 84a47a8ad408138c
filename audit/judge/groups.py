"""Which endpoints belong together. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from audit.facts import Endpoint
from audit.judge.case import PlannedEndpoint, PlannedGroup
from audit.judge.catalogue.check import Grouping


def groups(planned: Iterable[PlannedEndpoint]) -> Iterator[PlannedGroup]:
    """Every group with at least two endpoints, of all four kinds."""
    serving = [p for p in planned if p.traffic is not None]
    gathered: dict[tuple[Grouping, str, int, str], dict[Endpoint, None]] = {}
    for one in serving:
        for key in _keys(one):
            gathered.setdefault(key, {}).setdefault(one.endpoint)
    told: set[tuple[Grouping, tuple[Endpoint, ...]]] = set()
    for (kind, label, port, service), members in gathered.items():
        endpoints = tuple(members)
        # The same nodes behind two names are compared once.
        if _worth(kind, endpoints) and (kind, endpoints) not in told:
            told.add((kind, endpoints))
            yield PlannedGroup(kind, label, port, service, endpoints)


def _keys(one: PlannedEndpoint) -> Iterator[tuple[Grouping, str, int, str]]:
    at = one.endpoint
    yield "family", at.host, at.port, at.service
    for name in dict.fromkeys((at.name, *one.names)):
        if name:
            yield "nodes", name, at.port, at.service
    if at.name:
        yield "name", at.name, 0, ""
    yield "all", "cluster", 0, ""


def _worth(kind: Grouping, endpoints: Sequence[Endpoint]) -> bool:
    """Whether there is anything to compare."""
    if kind == "family":
        return len({e.family for e in endpoints}) > 1
    if kind == "nodes":
        return len({e.host for e in endpoints}) > 1
    return len(endpoints) > 1
