"""Counts of what logs say, that can be added to each other: of files, nodes and days. Pure.

Everything is a count or the latest of days, so the order in which parts are added does not matter.
What is not finished within a part, a message whose deliveries go on elsewhere, is carried along.
A log writes the lines of one message in their order; those of several may be mixed as they like.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, MutableMapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeVar

Use = Literal["mx", "submission", "access", "own"]
Outcome = Literal["good", "bad", "refused"]  # refused: because there was no TLS
Kind = Literal[
    "arrival",
    "delivery",
    "deferral",
    "failure",
    "reject",
    "login",
    "no-mail",
    "session",
    "tls-error",
    "completed",
    "other",
    "ambiguous",
]

UNNAMED = b"?"  # TLS, but the log does not say which

T = TypeVar("T", bound=Hashable)


@dataclass(slots=True)
class Seen:
    """How often, and on which day for the last time."""

    count: int = 0
    last: bytes = b""

    def add(self, count: int, last: bytes) -> None:
        """Some more of it."""
        self.count += count
        self.last = max(self.last, last)


class Sent(NamedTuple):
    """One delivery to another host: its address and name, the day, X= and CV=."""

    ip: bytes
    name: bytes
    day: bytes
    x: bytes
    cv: bytes


@dataclass(slots=True)
class Tally:
    """What was counted. Words are bytes as they stand in the log; `x` is empty without TLS.

    Attributes:
        lines: by kind, and whether they name a TLS session.
        named: lines that name a TLS session, counted apart from their meaning: what must come out
            of `lines` as well.
        strange: some of the ambiguous lines, to show.
        days: lines by day.
        incoming: mails by month, use, X= and CV=.
        certificates: mails by the client's DN and CV=.
        clients: by use, address, login and X=.
        logins: of POP3, IMAP and ManageSieve, by month, outcome and X=.
        refused: who sent a password without TLS and was refused, by address and user.
        deliveries: recipients of mails sent, by month and X=.
        outgoing: mails sent, by month, X= and CV=; one for each message and host.
        mixed: of these, those that a host got with and without TLS, by month.
        hosts: mails by the name of the host, X= and CV=.
        pairs: deliveries by X=, DN and CV= of the other side.
        errors: handshakes that failed, by use, address and reason.
        open: what was sent of messages that began in this part and are not completed.
        late: the same of messages that began before it, or that nobody saw begin.
    """

    lines: Counter[tuple[Kind, bool]] = field(default_factory=Counter)
    named: int = 0
    strange: list[bytes] = field(default_factory=list)
    days: Counter[bytes] = field(default_factory=Counter)
    incoming: Counter[tuple[bytes, Use, bytes, bytes]] = field(default_factory=Counter)
    certificates: Counter[tuple[bytes, bytes]] = field(default_factory=Counter)
    clients: dict[tuple[Use, bytes, bytes, bytes], Seen] = field(default_factory=dict)
    logins: Counter[tuple[bytes, Outcome, bytes]] = field(default_factory=Counter)
    refused: dict[tuple[bytes, bytes], Seen] = field(default_factory=dict)
    deliveries: Counter[tuple[bytes, bytes]] = field(default_factory=Counter)
    outgoing: Counter[tuple[bytes, bytes, bytes]] = field(default_factory=Counter)
    mixed: Counter[bytes] = field(default_factory=Counter)
    hosts: dict[tuple[bytes, bytes, bytes], Seen] = field(default_factory=dict)
    pairs: Counter[tuple[bytes, bytes, bytes]] = field(default_factory=Counter)
    errors: dict[tuple[Use, bytes, str], Seen] = field(default_factory=dict)
    open: dict[bytes, list[Sent]] = field(default_factory=dict)
    late: dict[bytes, list[Sent]] = field(default_factory=dict)

    def arrived(
        self, day: bytes, use: Use, ip: bytes, login: bytes, x: bytes, cv: bytes, dn: bytes
    ) -> None:
        """A mail came from another host."""
        self.incoming[day[:7], use, x, cv] += 1
        if dn:
            self.certificates[dn, cv] += 1
        see(self.clients, (use, ip, login, x), day)

    def logged_in(self, day: bytes, ip: bytes, user: bytes, x: bytes, outcome: Outcome) -> None:
        """Somebody tried to log in, to read mail."""
        self.logins[day[:7], outcome, x] += 1
        if outcome == "good":
            see(self.clients, ("access", ip, user, x), day)
        elif outcome == "refused":
            see(self.refused, (ip, user), day)

    def sent(
        self, day: bytes, message: bytes, ip: bytes, name: bytes, x: bytes, cv: bytes, dn: bytes
    ) -> None:
        """One recipient's copy of a message went to another host."""
        self.deliveries[day[:7], x] += 1
        if x:
            self.pairs[x, dn, cv] += 1
        known = self.open.get(message)
        if known is None:
            known = self.late.setdefault(message, [])
        known.append(Sent(ip, name, day, x, cv))

    def completed(self, message: bytes) -> None:
        """A message will be sent nowhere any more."""
        sent = self.open.get(message)
        if sent is not None and message not in self.late:
            del self.open[message]
            if sent:
                self._fold(sent)

    def failed(self, day: bytes, use: Use, ip: bytes, reason: str) -> None:
        """A handshake failed."""
        see(self.errors, (use, ip, reason), day)

    def _fold(self, sent: list[Sent]) -> None:
        """One message is done: what each host got of it is one mail, however many recipients."""
        if len(sent) > 1:
            sent = _distinct(sent)
        before = None
        for ip, name, day, x, cv in sent:
            month = day[:7]
            self.outgoing[month, x, cv] += 1
            see(self.hosts, (name, x, cv), day)
            if ip == before:
                self.mixed[month] += 1
            before = ip

    def merge(self, other: "Tally") -> None:
        """Add what another part counted."""
        self.named += other.named
        self.strange = sorted({*self.strange, *other.strange})[:STRANGE]
        for name in COUNTERS:
            getattr(self, name).update(getattr(other, name))
        for name in SEEN:
            _merge(getattr(self, name), getattr(other, name))
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


COUNTERS = (
    *("lines", "days", "incoming", "certificates", "logins", "deliveries", "outgoing", "mixed"),
    "pairs",
)
SEEN = ("clients", "refused", "hosts", "errors")
STRANGE = 20  # lines that are kept to show; the rest is counted


def see(where: MutableMapping[T, Seen], key: T, day: bytes) -> None:
    """Count something once more."""
    found = where.get(key)
    if found is None:
        where[key] = Seen(1, day)
    else:
        found.count += 1
        found.last = max(found.last, day)


def _merge(mine: MutableMapping[T, Seen], theirs: MutableMapping[T, Seen]) -> None:
    for key, seen in theirs.items():
        found = mine.get(key)
        if found is None:
            mine[key] = Seen(seen.count, seen.last)
        else:
            found.add(seen.count, seen.last)


def _distinct(sent: Iterable[Sent]) -> list[Sent]:
    """One for each host, and one more if it got some with TLS and some without; host by host."""
    found = {(one.ip, bool(one.x)): one for one in sorted(sent, reverse=True)}
    return sorted(found.values())
