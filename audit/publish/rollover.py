"""What a roll-over does next, from what is published, what is served and what was noted. Pure.

RFC 7671, section 8.1 and RFC 7672: whoever has cached any state of the records within its time to
live must find a match in whatever is served. So the next key's records stand beside the present
ones on every name server for as long as a state without them can be cached; only then is the
certificate switched, everywhere; and only when nothing serves the old key its records go.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct, field
from msgspec.structs import replace

from audit.publish.model import Change, Place, Records, Served, Zone, gaps, needed, unseen

# What somebody may have changed in the file is refused there, and not when it is published.
Data = Annotated[str, Meta(pattern=r"^[23] [01] [012] [0-9a-f]+$")]
Seconds = Annotated[int, Meta(ge=0, le=2**32 - 1)]
Moment = Annotated[float, Meta(ge=0, le=2**33)]  # seconds since 1970

Owners = Mapping[str, frozenset[Data]]  # records by owner


class Journal(Struct, frozen=True):
    """What the world does not tell.

    Attributes:
        began: when, in seconds since 1970.
        next: the records of what is to be served, by owner; empty until the keys are there.
        present: likewise of what was served when they were made.
        keys: by host, "3 1 1 ..." of every key that it is to serve.
        old: the records that stood there for the keys of before, by owner.
        ttl: seconds that a state without the next keys can be cached for; None before it is known.
        seen: when every name server had them; None as long as one has not.
    """

    began: Moment
    next: Owners = field(default_factory=dict)
    present: Owners = field(default_factory=dict)
    keys: Owners = field(default_factory=dict)
    old: Owners = field(default_factory=dict)
    ttl: Seconds | None = None
    seen: Moment | None = None


class View(Struct, frozen=True):
    """The world at one moment.

    Attributes:
        servers: by name server what it has; the primary, which takes changes, is `primary`.
        negative: by owner the seconds that its absence is cached for (RFC 2308, section 5).
        served: what is served, by owner.
    """

    primary: str
    servers: Mapping[str, Zone]
    negative: Mapping[str, int]
    served: Mapping[str, tuple[Served, ...]]


Name = Literal["prepare", "note", "publish", "await", "wait", "switch", "retire", "done"]


class Step(Struct, frozen=True):
    """What to do next.

    Attributes:
        name: which kind.
        words: for people.
        journal: to be kept before anything is done.
        changes: of the zone.
        until: when to look again, in seconds since 1970.
        hosts: whose certificates are switched.
    """

    name: Name
    words: str
    journal: Journal
    changes: tuple[Change, ...] = ()
    until: float = 0.0
    hosts: tuple[str, ...] = ()


class Stopped(Exception):
    """Going on would not be safe; the message says why.

    Attributes:
        broken: senders that enforce DANE are refusing us now; otherwise it is only not known.
    """

    def __init__(self, words: str, *, broken: bool = False) -> None:
        """Take the sentence."""
        super().__init__(words)
        self.broken = broken


def decide(journal: Journal, view: View, now: float, ttl: int, margin: float) -> Step:
    """The next step.

    Args:
        journal: what was noted so far.
        view: the world.
        now: seconds since 1970.
        ttl: what records get, in seconds.
        margin: seconds to wait beyond the time to live: who has just asked may still connect.

    Raises:
        Stopped: it is not safe to go on.
    """
    if not journal.next:
        return Step("prepare", "make the next keys and certificates", journal)
    _check(view)
    return (
        _spread(journal, view, ttl)
        or _waited(journal, view, now, margin)
        or _turned(journal, view)
        or Step("done", "only the next keys are served, and their records published", journal)
    )


def _check(view: View) -> None:
    """See that no sender is refusing us, by what any name server has."""
    for server, zone in view.servers.items():
        if found := gaps(zone, view.served):
            raise Stopped(f"by {server} {'; '.join(found)}", broken=True)


def _spread(journal: Journal, view: View, ttl: int) -> Step | None:
    """Have the next keys' records on every name server; None where they are."""
    lacking = [name for name, zone in view.servers.items() if not _has(zone, journal.next)]
    if not lacking:
        return None
    if view.primary in lacking:
        return _publish(journal, view, lacking, ttl)
    noted = _noted(journal, view, lacking)
    return Step("await", f"until {', '.join(lacking)} follow the primary", noted)


def _noted(journal: Journal, view: View, lacking: Iterable[str]) -> Journal:
    """How long what servers without the next keys say can be cached for."""
    cached = [
        _cached(view.servers[name], view, owner)
        for name in lacking
        for owner in journal.next
        if Place(owner, "TLSA") in view.servers[name]
    ]
    return replace(journal, ttl=max(journal.ttl or 0, *cached), seen=None)


def _waited(journal: Journal, view: View, now: float, margin: float) -> Step | None:
    """Wait until no state without the next keys is cached; None where it was."""
    if journal.seen is None or journal.seen > now:  # a clock that was put back
        # Somebody may have published them before us: how long others can be cached is not known.
        primary = view.servers[view.primary]
        known = max(_cached(primary, view, owner) for owner in journal.next)
        noted = replace(journal, seen=now, ttl=known if journal.ttl is None else journal.ttl)
        return Step("note", "every name server has the records of both keys", noted)
    if now < (until := journal.seen + (journal.ttl or 0) + margin):
        words = "until nobody can have cached a state without the next keys"
        return Step("wait", words, journal, until=until)
    return None


def _turned(journal: Journal, view: View) -> Step | None:
    """Serve the next keys only, then publish them only; None where it is so."""
    if late := _late(journal, view):
        return Step("switch", f"switch the certificates of {', '.join(late)}", journal, hosts=late)
    if found := unseen(view.served):
        raise Stopped(f"not everything that is served could be seen: {'; '.join(found)}")
    if retired := _retired(journal, view, view.servers[view.primary]):
        return Step("retire", "remove the records of the old keys", journal, changes=retired)
    if slow := [n for n, zone in view.servers.items() if _retired(journal, view, zone)]:
        return Step("await", f"until {', '.join(slow)} follow the primary", journal)
    return None


def _publish(journal: Journal, view: View, lacking: Iterable[str], ttl: int) -> Step:
    """The records of the next keys beside the present ones; how long it takes is noted before."""
    primary, noted = view.servers[view.primary], _noted(journal, view, lacking)
    found, old = [], dict(journal.old)
    for owner, records in journal.next.items():
        place = Place(owner, "TLSA")
        before = primary.get(place)
        there = before.data if before else frozenset()
        present = journal.present.get(owner, frozenset())
        used = needed(there, view.served.get(owner, ()))
        old[owner] = (old.get(owner, frozenset()) | used | present) - records
        found.append(Change(place, before, Records(ttl, there | present | records)))
    return Step(
        "publish",
        "publish the records of the next keys beside the present ones",
        replace(noted, old=old),
        changes=tuple(one for one in found if one.after != one.before),
    )


def _cached(zone: Zone, view: View, owner: str) -> int:
    """The seconds that what a server says of an owner can be cached for."""
    there = zone.get(Place(owner, "TLSA"))
    return there.ttl if there else view.negative.get(owner, 0)


def _has(zone: Zone, wanted: Owners) -> bool:
    """Whether a server has all that is in its zones."""
    for owner, records in wanted.items():
        place = Place(owner, "TLSA")
        there = zone.get(place)
        if place in zone and not (there and records <= there.data):
            return False
    return True


def _late(journal: Journal, view: View) -> tuple[str, ...]:
    """The hosts that are not seen to serve the next keys alone.

    Of one that is down a switch may have been killed in the middle: only a rollout brings it back.
    """
    every = {one for places in view.served.values() for one in places if one.host in journal.keys}
    late = {one.host for one in every if one.unseen}
    late |= {o.host for o in every for chain in o.chains if not chain & journal.keys[o.host]}
    return tuple(sorted(late))


def _retired(journal: Journal, view: View, zone: Zone) -> tuple[Change, ...]:
    """What goes: the records of before that vouch for nothing that is served any more."""
    found = []
    for owner, old in journal.old.items():
        place = Place(owner, "TLSA")
        before = zone.get(place)
        gone = (old & before.data) - needed(old, view.served.get(owner, ())) if before else None
        if before and gone:
            found.append(Change(place, before, Records(before.ttl, before.data - gone)))
    return tuple(found)
