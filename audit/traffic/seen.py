"""Counters that a tally has many of, by what they count. Pure."""

from collections.abc import Hashable, MutableMapping
from typing import Annotated, Self, TypeVar

from msgspec import Meta, Struct

# A trillion at most in a file: as many of these as memory has can be added up.
Count = Annotated[int, Meta(ge=0, le=1 << 40)]

T = TypeVar("T", bound=Hashable)
S = TypeVar("S", bound="Seen")


class Seen(Struct, gc=False):
    """How often, and on which day for the last time."""

    count: Count = 0
    last: bytes = b""

    def add(self, other: Self) -> None:
        """Add what another part has of the same."""
        self.count += other.count
        self.last = max(self.last, other.last)


class Gone(Seen, gc=False):
    """Recipients whose copies went one way; *again* of them are no mails of their own.

    What a host gets of a message is one mail, however many recipients it is for.
    """

    again: Count = 0

    def add(self, other: Self) -> None:
        """Add what another part has of the same."""
        super().add(other)
        self.again += other.again

    @property
    def mails(self) -> int:
        """How many mails they are, as far as that is known yet."""
        return self.count - self.again


def see(where: MutableMapping[T, Seen], key: T, day: bytes, count: int = 1) -> Seen:
    """Count something once more, or more often; where it counts."""
    found = where.get(key)
    if found is None:
        found = where[key] = Seen(count, day)
    else:
        found.count += count
        found.last = max(found.last, day)
    return found


def put(where: MutableMapping[T, S], key: T, seen: S) -> None:
    """Count what was counted elsewhere; it is not to be used any more."""
    if (mine := where.setdefault(key, seen)) is not seen:
        mine.add(seen)
