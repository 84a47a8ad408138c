"""What a process was about when a part of a log began or ended, so that parts can be joined. Pure.

Postfix, Cyrus, and Exim in syslog say of a session in one line and of what was done in it in
others; the number of the process ties them. Logs are cut where it suits whoever rotates them. So
what a part met before it knew how things stood is kept, and how they stood in the end; when all
parts are there, they are put in their order and what was kept is counted.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Container
from dataclasses import dataclass, field

from audit.traffic import silence
from audit.traffic.seen import Seen
from audit.traffic.stretch import Stretch
from audit.traffic.tally import Sent, Tally, Use
from audit.traffic.ways import way
from audit.traffic.where import WAYS, Known, Where

Arrival = tuple[bytes, Use, bytes, bytes, bytes, bytes]  # day, use, address, login, X= and CV=
# Node, process, day, the other host's name and address, X= and CV=, and the domain.
Departure = tuple[bytes, bytes, bytes, bytes, bytes, bytes, bytes, bytes]
Event = tuple[bytes, ...]  # its name, and what the daemon says of it


class Sink:
    """Where to count."""

    def __init__(
        self, tally: Tally, exim: Callable[[bytes, bytes], None], own: Container[bytes] = ()
    ) -> None:
        """Into a tally.

        Args:
            tally: the counts.
            exim: takes whole lines of Exim's, with their ends, as its own log files have them; and
                the host that wrote them.
            own: addresses whose mail is counted apart.
        """
        self.tally, self.exim, self.own = tally, exim, own
        self._where = Where(tally)
        self._came, self._went = Known(self._sender), Known(self._way, WAYS)

    def arrived(self, arrival: Arrival) -> None:
        """A mail came from another host."""
        for seen in self._came[arrival]:
            seen.count += 1

    def sent(self, message: bytes, went: Departure) -> None:
        """One recipient's copy of a message went to another host."""
        copies, gone, sent = self._went[went]
        if sent is None:
            return
        copies.count += 1
        gone.count += 1
        node = went[0]
        begun = self.tally.begun(node)
        if begun.get(message) == ():  # mostly it is the first
            begun[message] = (sent,)
        else:
            self.tally.copy(node, message, sent)

    def flush(self) -> None:
        """Count what is waiting; to be done at the end."""
        self._where.flush()
        self._came.clear()
        self._went.clear()

    def _sender(self, arrival: Arrival) -> tuple[Seen, ...]:
        day, use, ip, login, x, cv = arrival
        return self._where.mails(day, use, x, cv, b""), self._where.client(day, use, ip, login, x)

    def _way(self, went: Departure) -> tuple[Seen, Seen, Sent | None]:
        node, tag, day, name, ip, x, cv, domain = went
        copies = self._where.copies(day, x, cv)
        if ip in self.own:
            return copies, copies, None
        how = way(silence.node(node, tag), domain, name, b"", x, cv, b"")
        return copies, self.tally.gone(how, day), (day, ip, how)


@dataclass(slots=True)
class Talk(ABC):
    """How things stand with one process; a new one knows of nothing that is open.

    Attributes:
        host, tag: where the process is and what syslog calls it.
    """

    host: bytes
    tag: bytes

    @staticmethod
    @abstractmethod
    def begins(before: Event | None, event: Event, /) -> bool:
        """Whether nothing earlier than this event matters; *before* is the one before it."""

    @staticmethod
    @abstractmethod
    def ends(event: Event, /) -> bool:
        """Whether nothing up to this event matters later."""

    @staticmethod
    @abstractmethod
    def sound(event: Event, /) -> bool:
        """Whether this is an event: it comes out of a file, which may say anything."""

    @abstractmethod
    def take(self, event: Event, sink: Sink) -> None:
        """One event more; what is certain now is counted."""

    @abstractmethod
    def end(self, sink: Sink) -> None:
        """Nothing belongs to this any more: count what is open."""

    @abstractmethod
    def open(self) -> list[Event]:
        """What a new one has to take, to be as this one; nothing is counted by that."""

    def put_off(self, event: Event, sink: Sink) -> None:  # noqa: B027
        """This event will be taken when all parts are there."""


@dataclass(slots=True)
class Process:
    """One process within one part.

    Attributes:
        talk: how things stand with it.
        first: when its first line was written.
        head: what came before that was known.
        known: whether it is.
        take: takes one event more.
    """

    talk: Talk
    first: bytes
    head: list[Event] = field(default_factory=list)
    known: bool = False
    take: Callable[[Event, Sink], None] = field(init=False)

    def __post_init__(self) -> None:
        """Begin without knowing."""
        self.take = self._unsure

    def _unsure(self, event: Event, sink: Sink) -> None:
        if self.talk.begins(self.head[-1] if self.head else None, event):
            self.known = True
            self.talk.take(event, sink)
        else:
            self.head.append(event)
            self.talk.put_off(event, sink)
            self.known = self.talk.ends(event)
        if self.known:
            self.take = self.talk.take

    def stretch(self, part: int) -> Stretch:
        """What is left when a part is over."""
        return Stretch(self.first, part, self.head, self.known, self.talk.open())


def join(stretches: list[Stretch], new: Callable[[], Talk], sink: Sink) -> None:
    """Count what all parts left of one process; to be done before `Tally.finish`."""
    talk = new()
    for one in sorted(stretches, key=lambda one: (one.first, one.part)):
        for event in one.head:
            talk.take(event, sink)
        if one.known:
            talk.end(sink)
            talk = new()
            for event in one.open:
                talk.take(event, sink)
    talk.end(sink)
