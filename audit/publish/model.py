"""Record sets, what is served, and the difference between two states of a zone. Pure."""

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct


class Place(Struct, frozen=True, order=True):
    """Where a record set is.

    Attributes:
        owner: its name in lower case, without the last dot.
        kind: its type.
    """

    owner: str
    kind: Literal["TLSA", "TXT"]

    def __str__(self) -> str:
        """As people name it."""
        return f"{self.kind} of {self.owner}"


class Records(Struct, frozen=True):
    """One record set.

    Attributes:
        ttl: seconds.
        data: each record: "3 1 1 4b8e…" in lower case, or the text of a TXT record without quotes.
    """

    ttl: int
    data: frozenset[str]


# What a server has, or is to have; None where there is nothing. Other places are not its own.
Zone = Mapping[Place, Records | None]


class Change(Struct, frozen=True):
    """What becomes of one record set.

    Attributes:
        place: where.
        before: what is there, and has to be there still when it is changed; None for nothing.
        after: what is to be there; None for nothing.
    """

    place: Place
    before: Records | None
    after: Records | None

    @property
    def added(self) -> frozenset[str]:
        """The records that come."""
        return _data(self.after) - _data(self.before)

    @property
    def removed(self) -> frozenset[str]:
        """The records that go."""
        return _data(self.before) - _data(self.after)

    def __str__(self) -> str:
        """One line for each record: + what comes, - what goes, ~ another time to live."""
        owner, kind = self.place.owner, self.place.kind
        lines = [f"- {owner} {kind} {one}" for one in sorted(self.removed)]
        lines += [f"+ {owner} {kind} {one}" for one in sorted(self.added)]
        if self.before and self.after and self.before.ttl != self.after.ttl:
            lines.append(f"~ {owner} {kind} TTL {self.before.ttl} -> {self.after.ttl}")
        return "\n".join(lines)


def changes(there: Zone, wanted: Mapping[Place, Records], *, prune: bool = False) -> list[Change]:
    """What has to be done, by place; with *prune* other TLSA records at these places go.

    A text has one right value, so another of the same kind (v=...) is replaced in any case:
    RFC 8461, section 3.1, and RFC 8460, section 3, let two of them count as none.
    """
    found = []
    for place, records in sorted(wanted.items()):
        before = there.get(place)
        left = _kept(place, before, records, prune=prune) if before else frozenset()
        after = Records(records.ttl, records.data | left)
        if after != before:
            found.append(Change(place, before, after))
    return found


def _kept(place: Place, before: Records, wanted: Records, *, prune: bool) -> frozenset[str]:
    if place.kind == "TLSA":
        return frozenset() if prune else before.data
    ours = {one.partition(";")[0].strip() for one in wanted.data}
    return frozenset(one for one in before.data if one.partition(";")[0].strip() not in ours)


def _data(records: Records | None) -> frozenset[str]:
    return records.data if records else frozenset()


class Served(Struct, frozen=True):
    """The certificate chains that one address serves at one port.

    Attributes:
        host: by its name in the inventory.
        where: for people: mx1 [192.0.2.1]:25.
        chains: of each chain every TLSA record that would vouch for it.
        unseen: why it could not be seen; empty if it was.
    """

    host: str
    where: str
    chains: tuple[frozenset[str], ...] = ()
    unseen: str = ""


At = Mapping[str, tuple[Served, ...]]  # by the owner of the TLSA records


def gaps(published: Zone, served: At) -> list[str]:
    """A sentence for each chain that senders who enforce DANE would refuse.

    Without any TLSA record nobody enforces anything (RFC 7672, section 2.2).
    """
    return [
        f"{one.where} serves a key that no record of {owner} vouches for"
        for owner, places in served.items()
        if (records := published.get(Place(owner, "TLSA"))) and records.data
        for one in places
        for chain in one.chains
        if not chain & records.data
    ]


def unseen(served: At) -> list[str]:
    """A sentence for each address that could not be seen."""
    found = {one.where: one.unseen for places in served.values() for one in places if one.unseen}
    return [f"{where}: {why}" for where, why in found.items()]


def needed(records: Iterable[str], places: Iterable[Served]) -> frozenset[str]:
    """Those records that vouch for something that is served."""
    vouching = frozenset[str]().union(*(chain for one in places for chain in one.chains))
    return frozenset(records) & vouching
