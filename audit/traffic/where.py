"""Where mails and copies count: looked up once for all that are alike, and counted there. Pure."""

from collections.abc import Callable, Hashable
from typing import NamedTuple, TypeVar

from audit.traffic.seen import Seen, see
from audit.traffic.tally import Sent, Tally, Use, Way

_ROOM = 1 << 15  # what is remembered, if nothing else is said
WAYS = 1 << 16  # ways that copies go, of which there are more

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Known(dict[K, V]):
    """What is known of something, found out when it is asked for, as long as there is room."""

    def __init__(self, find: Callable[[K], V], room: int = _ROOM) -> None:
        """*find* finds it out."""
        super().__init__()
        self._find, self._room = find, room

    def __missing__(self, key: K) -> V:
        """Find it out."""
        if len(self) >= self._room:
            self.clear()
        found = self[key] = self._find(key)
        return found


class Came(NamedTuple):
    """A way by which mails come.

    Attributes:
        line: where lines count.
        mails: where mails count, if they are not from one's own hosts.
        hosts: where those from an address do; for one's own address, everything but the line.
    """

    line: Seen
    mails: Seen
    hosts: dict[bytes, Seen | tuple[Seen, ...]]


class Went(NamedTuple):
    """What copies go by.

    Attributes:
        line: where lines count.
        copies: where copies do, if they are not for one's own hosts.
        sent: what each is to its message, which says where it counts besides; None: it went to
            one's own host, and is none to count.
    """

    line: Seen
    copies: Seen
    sent: dict[bytes, Sent | None]


class Where:
    """Counters in a tally, or for it."""

    def __init__(self, tally: Tally) -> None:
        """For a tally."""
        self._tally = tally
        self._mails: dict[tuple[bytes, Use, bytes, bytes, bytes], Seen] = {}
        self._copies: dict[tuple[bytes, bytes, bytes], Seen] = {}

    def mails(self, day: bytes, use: Use, x: bytes, cv: bytes, dn: bytes) -> Seen:
        """Where mails count, from whomever."""
        return self._mails.setdefault((day, use, x, cv, dn), Seen())

    def copies(self, day: bytes, x: bytes, cv: bytes) -> Seen:
        """Where copies count, to whomever."""
        return self._copies.setdefault((day, x, cv), Seen())

    def client(self, day: bytes, use: Use, ip: bytes, login: bytes, x: bytes) -> Seen:
        """Where a host's mails count."""
        return see(self._tally.clients, (use, ip, login, x), day, 0)

    def sent(self, day: bytes, ip: bytes, way: Way) -> Sent:
        """What a copy is to its message; `Tally.ways` has its way from now on."""
        self._tally.gone(way, day)
        return day, ip, way

    def flush(self) -> None:
        """Put into the tally what is counted for it; what was given counts no more."""
        for mails, seen in self._mails.items():
            if seen.count:
                self._tally.mails(*mails, seen.count)
        for copies, seen in self._copies.items():
            if seen.count:
                self._tally.copies(*copies, seen.count)
        self._mails.clear()
        self._copies.clear()
