"""What a process was about when a part of a log began or ended, so that parts can be joined. Pure.

Postfix, Cyrus, and Exim in syslog say of a session in one line and of what was done in it in
others; the number of the process ties them. Logs are cut where it suits whoever rotates them. So
what a part met before it knew how things stood is kept, and how they stood in the end; when all
parts are there, they are put in their order and what was kept is counted.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Container
from dataclasses import dataclass, field

from audit.traffic.stretch import Stretch
from audit.traffic.tally import Sent, Tally, Use

Arrival = tuple[bytes, Use, bytes, bytes, bytes, bytes]  # day, use, address, login, X= and CV=
Event = tuple[bytes, ...]  # its name, and what the daemon says of it


@dataclass(frozen=True, slots=True)
class Sink:
    """Where to count.

    Attributes:
        tally: the counts.
        exim: takes whole lines of Exim's, with their ends, as its own log files have them; and the
            host that wrote them.
        own: addresses whose mail is counted apart.
        arrivals, copies: mails that came, and copies that were sent, which `flush` will count.
    """

    tally: Tally
    exim: Callable[[bytes, bytes], None]
    own: Container[bytes] = ()
    arrivals: list[Arrival] = field(default_factory=list)
    copies: list[Sent] = field(default_factory=list)

    def flush(self) -> None:
        """Count what is waiting: many are the same, and counting them at once is less work."""
        for arrival, count in Counter(self.arrivals).items():
            self.tally.arrived(*arrival, b"", count)
        for sent, count in Counter(self.copies).items():
            self.tally.copies(sent, count)
        self.arrivals.clear()
        self.copies.clear()


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
    """One process within one part."""

    talk: Talk
    first: bytes
    head: list[Event] = field(default_factory=list)
    known: bool = False

    def take(self, event: Event, sink: Sink) -> None:
        """One event more."""
        if self.known:
            self.talk.take(event, sink)
        elif self.talk.begins(self.head[-1] if self.head else None, event):
            self.known = True
            self.talk.take(event, sink)
        else:
            self.head.append(event)
            self.talk.put_off(event, sink)
            self.known = self.talk.ends(event)

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
