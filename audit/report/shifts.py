"""Changes as a person reads them: the same change in several places told once."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import get_args

from audit.changes import Change, Kind
from audit.findings import Finding
from audit.report.summary import place

KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Shift:
    """One change, and everywhere that it happened.

    Attributes:
        change: the first of those that are alike.
        places: where, as people write it.
        hosts: on which hosts.
    """

    change: Change
    places: list[str] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)


def shifts(changes: Iterable[Change]) -> dict[Kind, list[Shift]]:
    """Changes by kind, in the order in which people want to read them."""
    alike: dict[tuple[object, ...], Shift] = {}
    for change in changes:
        f = change.finding
        name = (change.kind, f.check, f.policy, _seen(change.before), _seen(change.after))
        shift = alike.setdefault(name, Shift(change))
        shift.places.append(place(f))
        if f.host not in shift.hosts:
            shift.hosts.append(f.host)
    sorted_ = {kind: [s for s in alike.values() if s.change.kind == kind] for kind in KINDS}
    return {kind: found for kind, found in sorted_.items() if found}


def _seen(finding: Finding | None) -> tuple[str, str] | None:
    return (finding.verdict, finding.observed) if finding else None
