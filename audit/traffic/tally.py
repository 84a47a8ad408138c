"""Counts of what logs say, that can be added to each other: of files, nodes and days. Pure.

Everything is a count or the latest of days, so the order in which parts are added does not matter.
What is not finished within a part, a message whose deliveries go on elsewhere, is carried along.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from audit.traffic.errors import reason
from audit.traffic.exim import Event

Use = Literal["mx", "submission", "own"]

T = TypeVar("T")

UNNAMED = b"?"  # TLS, but the log does not say which


@dataclass
class Seen:
    """How often, and when for the last time."""

    count: int = 0
    last: bytes = b""

    def add(self, count: int, last: bytes) -> None:
        """Some more of it."""
        self.count += count
        self.last = max(self.last, last)


@dataclass(frozen=True, slots=True)
class Sent:
    """One delivery to another host."""

    ip: bytes
    name: bytes
    month: bytes
    x: bytes
    cv: bytes


@dataclass
class Tally:
    """What was counted.

    Attributes:
        lines: by kind, and whether " X=" stands in the line.
        plain: lines in which " X=" stands, counted apart: what must come out of `lines` as well.
        incoming: mails by month, use, X= and CV=.
        certificates: mails by the client's DN and CV=.
        clients: how often and when last, by use, address, login and X=.
        deliveries: recipients of mails sent, by month and X=.
        outgoing: mails sent, by month, X= and CV=; one for each message and host.
        mixed: of these, those that a host got with and without TLS.
        hosts: mails by the name of the host, and whether they went by TLS.
        pairs: deliveries by X=, DN and CV= of the other side.
        errors: handshakes that failed, by address and reason.
        open: what was sent of messages that began in this part and are not completed.
        late: the same of messages that began before it, or that nobody saw begin.
    """

    lines: Counter[tuple[str, bool]] = field(default_factory=Counter)
    plain: int = 0
    incoming: Counter[tuple[bytes, Use, bytes, bytes]] = field(default_factory=Counter)
    certificates: Counter[tuple[bytes, bytes]] = field(default_factory=Counter)
    clients: dict[tuple[Use, bytes, bytes, bytes], Seen] = field(default_factory=dict)
    deliveries: Counter[tuple[bytes, bytes]] = field(default_factory=Counter)
    outgoing: Counter[tuple[bytes, bytes, bytes]] = field(default_factory=Counter)
    mixed: int = 0
    hosts: Counter[tuple[bytes, bool]] = field(default_factory=Counter)
    pairs: Counter[tuple[bytes, bytes, bytes]] = field(default_factory=Counter)
    errors: dict[tuple[bytes, str], Seen] = field(default_factory=dict)
    open: dict[bytes, list[Sent]] = field(default_factory=dict)
    late: dict[bytes, list[Sent]] = field(default_factory=dict)

    def add(self, event: Event, *, has_x: bool, own: frozenset[bytes]) -> None:
        """One line more; *own* are addresses whose mail is counted apart."""
        self.lines[event.kind, has_x] += 1
        self.plain += has_x
        if event.kind == "arrival":
            self.open.setdefault(event.id, [])
            if event.ip:
                self._arrived(event, own)
        elif event.kind == "delivery":
            if event.ip:
                self._sent(event)
        elif event.kind == "completed":
            if event.id in self.open and event.id not in self.late:
                self._fold(self.open.pop(event.id))
        elif event.kind == "tls-error" and event.ip:
            self._seen(self.errors, (event.ip, reason(event.text)), event.day)

    def _arrived(self, event: Event, own: frozenset[bytes]) -> None:
        x = event.x or (UNNAMED if event.protocol.rstrip(b"a").endswith(b"s") else b"")
        use: Use = "submission" if event.protocol.endswith(b"a") or event.login else "mx"
        if event.ip in own:
            use = "own"
        self.incoming[event.day[:7], use, x, event.cv] += 1
        if event.dn:
            self.certificates[event.dn, event.cv] += 1
        login = event.login.partition(b":")[2]
        self._seen(self.clients, (use, event.ip, login, x), event.day)

    def _sent(self, event: Event) -> None:
        month = event.day[:7]
        self.deliveries[month, event.x] += 1
        if event.x:
            self.pairs[event.x, event.dn, event.cv] += 1
        sent = Sent(event.ip, event.name, month, event.x, event.cv)
        known = self.open.get(event.id)
        if known is None:
            known = self.late.setdefault(event.id, [])
        known.append(sent)

    def _fold(self, sent: Iterable[Sent]) -> None:
        """One message is done: what each host got of it is one mail, however many recipients."""
        by_host: dict[bytes, set[Sent]] = {}
        for one in sent:
            by_host.setdefault(one.ip, set()).add(one)
        for mails in by_host.values():
            ways = {bool(one.x): one for one in sorted(mails, key=_order)}
            self.mixed += len(ways) == 2  # noqa: PLR2004 - with and without
            for tls, one in ways.items():
                self.outgoing[one.month, one.x, one.cv] += 1
                self.hosts[one.name, tls] += 1

    @staticmethod
    def _seen(where: dict[T, Seen], key: T, day: bytes) -> None:
        found = where.get(key)
        if found is None:
            found = where[key] = Seen()
        found.add(1, day)

    def merge(self, other: "Tally") -> None:
        """Add what another part counted."""
        self.plain += other.plain
        self.mixed += other.mixed
        for name in _COUNTERS:
            getattr(self, name).update(getattr(other, name))
        for mine, theirs in ((self.clients, other.clients), (self.errors, other.errors)):
            _merge(mine, theirs)
        for unfinished in (other.open, other.late):
            for message, sent in unfinished.items():
                if sent:
                    self.late.setdefault(message, []).extend(sent)

    def finish(self) -> None:
        """Count what is not finished: nothing more is to come."""
        for message, sent in self.open.items():
            self._fold(sent + self.late.pop(message, []))
        for sent in self.late.values():
            self._fold(sent)
        self.open, self.late = {}, {}


_COUNTERS = ("lines", "incoming", "certificates", "deliveries", "outgoing", "hosts", "pairs")


def _merge(mine: dict[T, Seen], theirs: dict[T, Seen]) -> None:
    for key, seen in theirs.items():
        mine.setdefault(key, Seen()).add(seen.count, seen.last)


def _order(sent: Sent) -> tuple[bytes, ...]:
    return sent.month, sent.x, sent.cv, sent.name
