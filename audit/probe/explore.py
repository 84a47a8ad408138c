"""Everything that hellos tell about one endpoint, in as few of them as it takes. Pure."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from msgspec import Struct, field

from audit.facts import Behaviour, Observation, Preference
from audit.iana import GROUPS, VERSIONS, Suite, Version
from audit.probe import discover, features
from audit.probe.discover import Discovery, Script
from audit.probe.drive import Driver
from audit.probe.question import Known

# Two at a time beside each other, as the two of the first stage are: see Guest.credible.
_OLD: tuple[tuple[Version, ...], ...] = (("SSLv2", "SSLv3"), ("TLSv1.0", "TLSv1.1"))
_NEW: tuple[Version, ...] = ("TLSv1.3", "TLSv1.2")


class Explored(Struct):
    """What the hellos told.

    Attributes:
        found: what each version accepts, oldest first.
        preference: whose order decides, by accepted version.
        groups: by accepted version where it can be told.
        primes: of Diffie-Hellman, smallest first.
        untold: why the primes are not known.
        behaviours: what else hellos show.
    """

    found: dict[Version, Discovery] = field(default_factory=dict)
    preference: dict[Version, Preference] = field(default_factory=dict)
    groups: dict[Version, tuple[str, ...]] = field(default_factory=dict)
    primes: tuple[int, ...] = ()
    untold: str = ""
    behaviours: dict[Behaviour, Observation] = field(default_factory=dict)

    def take_groups(self, version: Version, groups: tuple[str, ...] | None) -> None:
        """Keep them, if they could be told."""
        if groups is not None:
            self.groups[version] = groups

    def take_primes(self, result: tuple[tuple[int, ...], str]) -> None:
        """Keep the primes, or why there are none."""
        self.primes, self.untold = result

    @property
    def shown(self) -> dict[Version, Discovery]:
        """The versions whose suites are known, oldest first."""
        return {v: d for v, d in self.found.items() if d.suites}

    @property
    def known(self) -> Known:
        """What other questions build on."""
        picks = [p for d in self.shown.values() for p in d.picks if p.version != "TLSv1.3"]
        extensions = frozenset(kind for pick in picks for kind in pick.extensions)
        return Known({v: d.suites for v, d in self.shown.items()}, extensions)


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
        first.append(discover.groups("TLSv1.3", offered["TLSv1.3"], GROUPS, name))
    *new, groups = [*driver.follow(first), None][: len(_NEW) + 1]
    lanes = driver.follow(
        [_in_turn([discover.suites(v, offered[v], name) for v in lane]) for lane in _OLD]
    )
    found = dict(zip(_NEW, new, strict=True))
    for lane, discoveries in zip(_OLD, lanes, strict=True):
        found |= dict(zip(lane, discoveries, strict=True))
    if not any(d.picks for d in found.values()):
        found |= _short(driver, found, name)
    told.found = {v: found[v] for v in VERSIONS}
    if "TLSv1.3" in told.shown:
        told.take_groups("TLSv1.3", groups)
    scripts = _details(told, offered, name) + ([] if quick else _more(told, name))
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
    shorter = driver.follow([discover.short_suites(v, name) for v in able])
    return {v: d for v, d in zip(able, shorter, strict=True) if d.picks}


Taken = tuple[Callable[[Any], None], Script[Any]]


def _details(told: Explored, offered: Mapping[Version, Sequence[Suite]], name: str) -> list[Taken]:
    """What quick looks ask too, and where each result belongs."""
    shown = told.shown
    scripts: list[Taken] = [
        (partial(told.preference.__setitem__, v), discover.preference(v, d, offered[v], name))
        for v, d in shown.items()
    ]
    with_dhe = [v for v, d in shown.items() if any(s.key_exchange == "DHE" for s in d.suites)]
    if with_dhe:  # a server has one prime of its own, whatever the version
        newest = with_dhe[-1]
        scripts.append((told.take_primes, discover.own_primes(newest, shown[newest], name)))
    return scripts


def _more(told: Explored, name: str) -> list[Taken]:
    """What quick looks leave out."""
    scripts: list[Taken] = [
        (partial(told.behaviours.__setitem__, behaviour), script)
        for behaviour, script in features.scripts(told.known, name)
    ]
    if classic := told.known.classic:
        found = told.shown[classic]
        take_groups = partial(told.take_groups, classic)
        scripts.append((take_groups, discover.classic_groups(classic, found, name)))
        take_chacha = partial(told.behaviours.__setitem__, "chacha-first")
        scripts.append((take_chacha, discover.chacha_first(classic, found, name)))
    return scripts
