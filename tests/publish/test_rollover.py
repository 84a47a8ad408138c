"""The roll-over in simulated time: whatever a sender has cached, what is served matches it."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from audit.publish.model import Change, Place, Records, Served
from audit.publish.rollover import Journal, Step, Stopped, View, decide

OWNER = "_25._tcp.mx.example.org"
PLACE = Place(OWNER, "TLSA")
PRIMARY = "primary"
MARGIN = 10.0


class Crash(Exception):
    """kill -9."""


@dataclass
class World:
    """A primary, name servers that follow it late, hosts, and senders with caches.

    Attributes:
        now: seconds.
        zone: what the primary has.
        history: every state of it, by the moment it came.
        lags: by name server how many seconds it is behind.
        keys: by host the key that is served.
        down: hosts that serve nothing, because a switch of theirs was killed.
    """

    ttl: int
    negative: int
    lags: dict[str, float]
    keys: dict[str, str]
    now: float = 1_000_000.0
    down: set[str] = field(default_factory=set)
    history: list[tuple[float, Records | None]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    caches: list[tuple[float, Records | None]] = field(default_factory=list)

    def zone(self, lag: float, at: float) -> Records | None:
        """What a server that is so late has at a moment."""
        found = None
        for since, records in self.history:
            if since + lag <= at:
                found = records
        return found

    def view(self) -> View:
        """What the roll-over sees."""
        lags = {PRIMARY: 0.0, **self.lags}
        states = {name: self.zone(lag, self.now) for name, lag in lags.items()}
        zones = {name: {PLACE: one} for name, one in states.items()}
        served = tuple(
            Served(h, h, unseen="refused") if h in self.down else Served(h, h, (frozenset({k}),))
            for h, k in self.keys.items()
        )
        return View(PRIMARY, zones, {OWNER: self.negative}, {OWNER: served})

    def pass_by(self, seconds: float) -> None:
        """Time goes on; senders ask, keep what they are told, and connect to every host."""
        end = self.now + seconds
        while self.now < end:
            self.now = min(self.now + 1.0, end)
            self._send()

    def _send(self) -> None:
        for lag in (0.0, *self.lags.values()):
            records = self.zone(lag, self.now)
            self.caches.append((self.now + (records.ttl if records else self.negative), records))
        self.caches = [one for one in dict.fromkeys(self.caches) if one[0] > self.now]
        for records in {one[1] for one in self.caches}:
            for host, key in self.keys.items():
                if host not in self.down and records and key not in records.data:
                    self.refused.append(f"{self.now:.0f}: {host} serves {key}: {records}")


def roll(world: World, crashes: random.Random, chance: float, margin: float = MARGIN) -> Journal:
    """Run the roll-over to its end, however often it is killed."""
    kept = [Journal(world.now)]  # what is on the disk
    for _ in range(300):
        try:
            while True:
                if one(world, kept, crashes, chance, margin):
                    return kept[0]
        except Crash:
            world.pass_by(crashes.choice([0, 1, 7, 40]))
    raise AssertionError("it does not come to its end")


def one(
    world: World, kept: list[Journal], crashes: random.Random, chance: float, margin: float
) -> bool:
    """One step; whether it was the last."""

    def maybe() -> None:
        world.pass_by(crashes.choice([0, 0, 1, 3]))
        if crashes.random() < chance:
            raise Crash

    step = decide(kept[0], world.view(), world.now, 30, margin)
    maybe()
    kept[0] = step.journal
    maybe()
    act(step, world, kept, crashes, maybe)
    maybe()
    return step.name == "done"


def act(
    step: Step,
    world: World,
    kept: list[Journal],
    crashes: random.Random,
    maybe: Callable[[], None],
) -> None:
    """Do what a step says."""
    match step.name:
        case "prepare":
            keys = {host: frozenset({f"next-{host}"}) for host in world.keys}
            maybe()
            kept[0] = replace(
                step.journal,
                next={OWNER: frozenset[str]().union(*keys.values())},
                present={OWNER: frozenset(world.keys.values())},
                keys=keys,
            )
        case "publish" | "retire":
            for change in step.changes:
                assert change.before == world.zone(0, world.now)
                world.history.append((world.now, change.after))
        case "await":
            world.pass_by(1)
        case "wait":
            world.pass_by(max(1.0, min(step.until - world.now, crashes.uniform(1, 500))))
        case "switch":
            for host in step.hosts:
                world.down.add(host)
                maybe()
                world.keys[host] = f"next-{host}"
                maybe()
                world.down.discard(host)
                maybe()


def world_of(ttl: int, negative: int, lags: list[float], published: bool) -> World:
    """Two hosts that share a name."""
    world = World(
        ttl,
        negative,
        {f"ns{n}": lag for n, lag in enumerate(lags)},
        {"mx1": "old-mx1", "mx2": "old-mx2"},
    )
    start = Records(ttl, frozenset(world.keys.values())) if published else None
    world.history.append((0.0, start))
    return world


@settings(deadline=None, max_examples=60)
@given(
    ttl=st.integers(1, 120),
    negative=st.integers(1, 120),
    lags=st.lists(st.floats(0, 60), max_size=2),
    published=st.booleans(),
    seed=st.integers(0, 1 << 30),
    chance=st.sampled_from([0.0, 0.05, 0.3]),
)
def test_no_sender_ever_refuses(
    ttl: int, negative: int, lags: list[float], published: bool, seed: int, chance: float
) -> None:
    """Whatever it has cached, whenever it was asked for, however often the roll-over is killed."""
    world = world_of(ttl, negative, lags, published)
    world.pass_by(5)
    roll(world, random.Random(seed), chance)  # noqa: S311 - no secret
    world.pass_by(2 * ttl + 60)
    assert world.refused == []
    assert world.zone(0, world.now) == Records(30, frozenset({"next-mx1", "next-mx2"}))
    assert set(world.keys.values()) == {"next-mx1", "next-mx2"}
    assert not world.down


def test_one_that_switches_too_early_is_noticed() -> None:
    """The test can fail: half the time to live is too short."""
    world = world_of(100, 60, [], published=True)
    world.pass_by(5)
    roll(world, random.Random(1), 0.0, margin=-50.0)  # noqa: S311 - no secret
    assert world.refused != []


def test_it_waits_no_longer_than_it_has_to() -> None:
    """The time to live of before and the margin; a run that is resumed waits the rest."""
    world = world_of(100, 60, [], published=True)
    kept = [Journal(world.now)]
    quiet = random.Random(1)  # noqa: S311 - no secret
    quiet.choice = lambda options: options[0]  # type: ignore[method-assign,assignment]
    while decide(kept[0], world.view(), world.now, 30, MARGIN).name != "wait":
        one(world, kept, quiet, 0.0, MARGIN)
    since = kept[0].seen
    assert since is not None
    world.pass_by(50)  # nobody is at work
    step = decide(kept[0], world.view(), world.now, 30, MARGIN)
    assert (step.name, step.until) == ("wait", since + 100 + MARGIN)
    world.pass_by(60)
    assert decide(kept[0], world.view(), world.now, 30, MARGIN).name == "switch"


def test_a_clock_that_was_put_back_waits_anew() -> None:
    """What was noted in the future says nothing."""
    world = world_of(100, 60, [], published=True)
    ready = Journal(world.now, {OWNER: frozenset({"a"})}, keys={}, ttl=100, seen=world.now + 9_999)
    world.history.append((world.now, Records(30, frozenset({"old-mx1", "old-mx2", "a"}))))
    step = decide(ready, world.view(), world.now, 30, MARGIN)
    assert (step.name, step.journal.seen) == ("note", world.now)


def test_records_that_somebody_published_before_wait_their_time_to_live() -> None:
    """Since when they are there is not known."""
    world = world_of(70, 60, [], published=True)
    world.history.append((world.now, Records(70, frozenset({"old-mx1", "old-mx2", "n"}))))
    step = decide(Journal(world.now, {OWNER: frozenset({"n"})}), world.view(), world.now, 30, 0)
    assert (step.name, step.journal.ttl, step.journal.seen) == ("note", 70, world.now)


def test_a_key_without_a_record_stops_it() -> None:
    """Mail is being deferred: that is mended first."""
    world = world_of(70, 60, [], published=True)
    world.keys["mx2"] = "somebody's"
    with pytest.raises(Stopped, match="by primary mx2 serves a key that no record") as stopped:
        decide(Journal(0, {OWNER: frozenset({"n"})}), world.view(), world.now, 30, 0)
    assert stopped.value.broken


def ready(world: World) -> Journal:
    """One that has waited."""
    world.history.append((world.now, Records(30, frozenset({"old-mx1", "old-mx2", "n"}))))
    keys = {"mx1": frozenset({"n"}), "mx2": frozenset({"n"})}
    old = {OWNER: frozenset({"old-mx1", "old-mx2"})}
    return Journal(0, {OWNER: frozenset({"n"})}, keys=keys, old=old, ttl=70, seen=0)


def test_a_host_that_is_down_is_switched_again() -> None:
    """The switch may have been killed in the middle of it: only a rollout brings it back."""
    world = world_of(70, 60, [], published=True)
    world.keys, world.down = {"mx1": "n", "mx2": "n"}, {"mx2"}
    step = decide(ready(world), world.view(), world.now, 30, 0)
    assert (step.name, step.hosts) == ("switch", ("mx2",))


def test_an_address_that_cannot_be_seen_stops_it() -> None:
    """It may serve the old key for ever; nothing is said to be broken."""
    world = world_of(70, 60, [], published=True)
    world.keys = {"mx1": "n", "mx2": "n"}
    journal, view = ready(world), world.view()
    hidden = Served("mx3", "mx3 [192.0.2.3]:25", unseen="no answer")
    view = replace(world.view(), served={OWNER: (*view.served[OWNER], hidden)})
    with pytest.raises(Stopped, match="could be seen: mx3") as stopped:
        decide(journal, view, world.now, 30, 0)
    assert not stopped.value.broken


def test_a_host_of_the_same_name_that_is_not_changed_keeps_its_record() -> None:
    """Only what vouches for nothing any more goes."""
    world = world_of(70, 60, [], published=True)
    world.keys = {"mx1": "next-mx1", "mx2": "old-mx2"}
    both = Records(30, frozenset({"old-mx1", "old-mx2", "next-mx1"}))
    world.history.append((world.now, both))
    journal = Journal(
        0,
        {OWNER: frozenset({"next-mx1"})},
        keys={"mx1": frozenset({"next-mx1"})},
        old={OWNER: frozenset({"old-mx1", "old-mx2"})},
        ttl=70,
        seen=0,
    )
    step = decide(journal, world.view(), world.now, 30, 0)
    assert step.changes == (Change(PLACE, both, Records(30, frozenset({"old-mx2", "next-mx1"}))),)


def test_one_that_asks_the_primary_alone_is_noticed() -> None:
    """The test can fail: a name server that follows late is part of the world."""
    world = world_of(20, 20, [60.0], published=True)
    world.pass_by(5)
    blind, seeing = random.Random(2), world.view  # noqa: S311 - no secret
    world.view = lambda: replace(seeing(), servers={PRIMARY: seeing().servers[PRIMARY]})  # type: ignore[method-assign]
    roll(world, blind, 0.0)
    assert world.refused != []
