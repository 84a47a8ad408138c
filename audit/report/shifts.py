"""Changes as a person reads them: the same change in several places told once."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar, get_args

from audit.changes import Change, Kind
from audit.drift import Drift
from audit.findings import Finding
from audit.report.summary import place

KINDS: tuple[Kind, ...] = get_args(Kind)
C = TypeVar("C", Change, Drift)


@dataclass(frozen=True, slots=True)
class Shift(Generic[C]):
    """One change, and everywhere that it happened.

    Attributes:
        change: the first of those that are alike.
        places: where, as people write it.
        hosts: on which hosts.
    """

    change: C
    places: list[str] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)


def shifts(changes: Iterable[Change]) -> dict[Kind, list[Shift[Change]]]:
    """Changes by kind, in the order in which people want to read them."""
    alike = _alike((_name(change), change, change.finding) for change in changes)
    sorted_ = {kind: [s for s in alike if s.change.kind == kind] for kind in KINDS}
    return {kind: found for kind, found in sorted_.items() if found}


def drifts(found: Iterable[Drift]) -> list[Shift[Drift]]:
    """Facts that are others now."""
    return _alike(((d.what, d.name, d.before, d.after), d, d) for d in found)


def _alike(named: Iterable[tuple[Hashable, C, Finding | Drift]]) -> list[Shift[C]]:
    """Those of one name together."""
    alike: dict[Hashable, Shift[C]] = {}
    for name, change, at in named:
        shift = alike.setdefault(name, Shift(change))
        shift.places.append(place(at))
        if at.host not in shift.hosts:
            shift.hosts.append(at.host)
    return list(alike.values())


def _name(change: Change) -> Hashable:
    f = change.finding
    return change.kind, f.check, f.policy, _seen(change.before), _seen(change.after)


def _seen(finding: Finding | None) -> tuple[str, str] | None:
    return (finding.verdict, finding.observed) if finding else None
