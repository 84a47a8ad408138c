"""Everything that hellos tell about one endpoint, in as few of them as it takes. Pure."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from msgspec import Struct, field

from audit.facts import Behaviour, Observation, Preference
from audit.iana import GROUPS, VERSIONS, Suite, Version
from audit.probe import discover, exchange, features, old
from audit.probe.discover import Discovery, Script
from audit.probe.drive import Driver
from audit.probe.question import Known
from audit.wire.server_hello import Accepted

# Two at a time beside each other, as the two of the first stage are: see Guest.credible.
_OLD: tuple[tuple[Version, ...], ...] = (("SSLv2", "SSLv3"), ("TLSv1.0", "TLSv1.1"))
_NEW: tuple[Version, ...] = ("TLSv1.3", "TLSv1.2")


class Explored(Struct):
    """What the hellos told.

    Attributes:
        found: what each version accepts, oldest first.
        preference: whose order decides, by accepted version.
        groups: by accepted version where it can be told.
        named: the primes that a client gets that names groups of RFC 7919.
        untold: why those are not known.
        behaviours: what else hellos show.
    """

    found: dict[Version, Discovery] = field(default_factory=dict)
    preference: dict[Version, Preference] = field(default_factory=dict)
    groups: dict[Version, tuple[str, ...]] = field(default_factory=dict)
    named: tuple[int, ...] = ()
    untold: str = ""
    behaviours: dict[Behaviour, Observation] = field(default_factory=dict)

    def take_groups(self, version: Version, groups: tuple[str, ...] | None) -> None:
        """Keep them, if they could be told."""
        if groups is not None:
            self.groups[version] = groups

    def take_primes(self, version: Version, result: tuple[tuple[Accepted, ...], str]) -> None:
        """Keep what a client that names groups of RFC 7919 is answered, suites included."""
        answers, self.untold = result
        self.named = tuple(a.prime for a in answers if a.prime)
        found = self.found[version]
        found.picks += [a for a in answers if a.suite not in found.suites]

    @property
    def primes(self) -> tuple[int, ...]:
        """Every Diffie-Hellman prime, smallest first."""
        own = (p.prime for d in self.found.values() for p in d.picks if p.prime)
        return tuple(sorted({*own, *self.named}))

    @property
    def shown(self) -> dict[Version, Discovery]:
        """The versions whose suites are known, oldest first."""
        return {v: d for v, d in self.found.items() if d.suites}

    @property
    def known(self) -> Known:
        """What other questions build on."""
        picks = [p for d in self.shown.values() for p in d.picks if p.version != "TLSv1.3"]
        extensions: dict[Version, frozenset[int]] = {}
        for pick in picks:
            if pick.version:
                had = extensions.get(pick.version, frozenset())
                extensions[pick.version] = had | pick.extensions
        leaves = frozenset(hashlib.sha256(p.chain[0]).hexdigest() for p in picks if p.chain)
        return Known({v: d.suites for v, d in self.shown.items()}, extensions, leaves)


def explore(
    driver: Driver, expected: Mapping[Version, Sequence[Suite]], name: str, *, quick: bool = False
) -> Explored:
    """Ask in stages, each resting on the one before; *expected* orders what is offered.

    *quick*: versions, suites and their order only.
    """
    offered = {v: discover.offer_order(expected.get(v, ()), v) for v in VERSIONS}
    told = Explored()
    first: list[Script[Any]] = [discover.suites(v, offered[v], name) for v in _NEW]
    if not quick:  # its first hello is the same one
        first.append(exchange.groups("TLSv1.3", offered["TLSv1.3"], GROUPS, name))
    *new, groups = [*driver.follow(first), None][: len(_NEW) + 1]
    found = dict(zip(_NEW, new, strict=True))
    lanes = driver.follow(
        [_in_turn([old.old_suites(v, offered[v], name) for v in lane]) for lane in _OLD]
    )
    for lane, discoveries in zip(_OLD, lanes, strict=True):
        found |= dict(zip(lane, discoveries, strict=True))
    doubtful = [v for v in VERSIONS if found[v].doubtful]
    negotiates = any(found[v].picks for v in _NEW)
    found |= driver.follow([old.once_more(doubtful, offered, name, negotiates=negotiates)])[0]
    if not any(d.picks for d in found.values()):
        found |= _short(driver, found, name)
    told.found = {v: found[v] for v in VERSIONS}
    if "TLSv1.3" in told.shown:
        told.take_groups("TLSv1.3", groups)
    scripts = _details(told, offered, name) + ([] if quick else _more(told, offered, name))
    results = driver.follow([script for _, script in scripts])
    for (take, _), result in zip(scripts, results, strict=True):
        take(result)
    if not quick:
        told.behaviours |= features.echoed(told.found.values())
    return told


def _in_turn(scripts: Sequence[Script[Discovery]]) -> Script[list[Discovery]]:
    done: list[Discovery] = []
    for script in scripts:
        done += [(yield from script)]
    return done


def _short(
    driver: Driver, found: Mapping[Version, Discovery], name: str
) -> dict[Version, Discovery]:
    """Nothing was accepted: perhaps the hellos are too long for it."""
    able = [v for v in found if v not in ("SSLv2", "TLSv1.3") and found[v].rest.seen == "refused"]
    shorter = driver.follow([old.short_suites(v, name) for v in able])
    return {v: d for v, d in zip(able, shorter, strict=True) if d.picks}


Taken = tuple[Callable[[Any], None], Script[Any]]


def _details(told: Explored, offered: Mapping[Version, Sequence[Suite]], name: str) -> list[Taken]:
    """What quick looks ask too, and where each result belongs."""
    shown = told.shown
    scripts: list[Taken] = [
        (partial(told.preference.__setitem__, v), discover.preference(v, d, offered[v], name))
        for v, d in shown.items()
    ]
    return scripts


def _more(told: Explored, offered: Mapping[Version, Sequence[Suite]], name: str) -> list[Taken]:
    """What quick looks leave out."""
    scripts: list[Taken] = [
        (partial(told.behaviours.__setitem__, behaviour), script)
        for behaviour, script in features.scripts(told.known, name)
    ]
    if classic := told.known.classic:
        found = told.shown[classic]
        primes = exchange.named_primes(classic, found, offered[classic], name)
        scripts.append((partial(told.take_primes, classic), primes))
        take_groups = partial(told.take_groups, classic)
        scripts.append((take_groups, exchange.classic_groups(classic, found, name)))
        take_chacha = partial(told.behaviours.__setitem__, "chacha-first")
        scripts.append((take_chacha, discover.chacha_first(classic, found, name)))
    return scripts
