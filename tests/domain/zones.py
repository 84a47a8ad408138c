"""A small internet of signed zones: a root, `test.` below it, and what is delegated from there."""

from collections.abc import Iterable

from lab import zones
from lab.zones import Zone

NAMESERVER = "127.0.0.53"  # in the cell only, beside the resolver
_NOBODY = "127.0.0.54"
_NS = "ns.test."
_LAME = "nobody.test."


def served(wanted: Iterable[Zone]) -> tuple[dict[str, str], str]:
    """Master files by zone name, those of the root and of `test.` with them; and the root's key."""
    children = [zones.make(zone, _NS) for zone in wanted]
    below = [child for child in children if child.zone.name.endswith(".test.")]
    names = f"ns 60 A {NAMESERVER}\nnobody 60 A {_NOBODY}\n"
    test = zones.make(Zone("test.", names + zones.delegations(below, _NS, _LAME)), _NS)
    others = [test, *(child for child in children if child not in below)]
    glue = f"{_NS} 60 A {NAMESERVER}\n"
    root = zones.make(Zone(".", glue + zones.delegations(others, _NS, _LAME)), _NS)
    made = [*children, test, root]
    return {one.zone.name: one.text for one in made if not one.zone.lame}, root.anchor
