"""Counts of what logs say, that can be added to each other: of files, nodes and days. Pure.

Everything is a count or the latest of days, so the order in which parts are added does not matter.
What is not finished within a part, a message whose deliveries go on elsewhere, is carried along.
A log writes the lines of one message in their order; those of several may be mixed as they like.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from audit.traffic.errors import Reason
from audit.traffic.refusal import Refusal
from audit.traffic.seen import Count, Gone, Seen, put, see
from audit.traffic.stretch import Seams

Use = Literal["mx", "submission", "access", "own"]
Outcome = Literal["good", "bad", "refused"]  # refused: because there was no TLS
_OfMail = Literal["arrival", "delivery", "deferral", "failure", "reject", "no-mail", "completed"]
Kind = Literal[_OfMail, "login", "session", "tls-error", "other", "ambiguous"]

UNNAMED = b"?"  # TLS, but the log does not say which
UNLOGGED = b"!"  # whether it was TLS is not logged; until that is certain, with the node behind it


def text(words: bytes) -> str:
    """Words of a log as text, whatever bytes they are."""
    return words.decode("utf-8", "backslashreplace")


def secure(x: bytes) -> bool:
    """Whether this X= is one of TLS, named or not."""
    return x[:1] not in (b"", UNLOGGED)


# What a node has of messages that are not done with: the mails sent of each.
Messages = dict[bytes, "tuple[Sent, ...]"]
# Who sent to a recipient's domain (`sender`), the domain, the host's name, DS, X=, CV= and DN=.
Way = tuple[bytes, bytes, bytes, bytes, bytes, bytes, bytes]
# One recipient's copy that went to another host: the day, the host's address, and the way.
Sent = tuple[bytes, bytes, Way]


@dataclass(slots=True)
class Tally:
    """What was counted. Words are bytes as they stand in the log; `x` is empty without TLS.

    Nodes that log no TLS at all are told from others when all parts are there: see `silence`.

    Attributes:
        lines: by kind, and whether they name a TLS session.
        named: lines that name a TLS session, counted apart from their meaning: what must come out
            of `lines` as well.
        strange: some of the ambiguous lines, to show.
        days: lines by day.
        incoming: mails by day, use, X= and CV=.
        certificates: mails by use, the client's DN and CV=.
        clients: by use, address, login and X=.
        logins: of POP3, IMAP and ManageSieve, by day, outcome and X=.
        refused: who sent a password without TLS and was refused, by address and user.
        deliveries: recipients of mails sent, by day and X=.
        outgoing: mails sent, by day, X= and CV=; one for each message and host.
        mixed: of these, those that a host got with and without TLS.
        ways: recipients of mails sent, by the way that their copies went.
        put_off: attempts that failed for want of TLS or of what it is verified by, for each
            recipient: by domain, host and reason. Without a domain: by DANE, once a connection.
        errors: handshakes that failed, by use, address and reason.
        offers: what clients offered, as JA3 has it: by use, address, login, X= and offer.
        told: nodes that named a session.
        silent: nodes that named none; known in the end.
        seams: what a cut of a log tore apart.
        open: by node, messages that began in this part and are not completed.
        late: the same, of messages that began before it, or that nobody saw begin.
        own: `Own.names` that all was counted with; empty where that is not known.
    """

    lines: dict[tuple[Kind, bool], Count] = field(default_factory=Counter)
    named: Count = 0
    strange: list[bytes] = field(default_factory=list)
    days: dict[bytes, Count] = field(default_factory=Counter)
    incoming: dict[tuple[bytes, Use, bytes, bytes], Count] = field(default_factory=Counter)
    certificates: dict[tuple[Use, bytes, bytes], Count] = field(default_factory=Counter)
    clients: dict[tuple[Use, bytes, bytes, bytes], Seen] = field(default_factory=dict)
    logins: dict[tuple[bytes, Outcome, bytes], Count] = field(default_factory=Counter)
    refused: dict[tuple[bytes, bytes], Seen] = field(default_factory=dict)
    deliveries: dict[tuple[bytes, bytes], Count] = field(default_factory=Counter)
    outgoing: dict[tuple[bytes, bytes, bytes], Count] = field(default_factory=Counter)
    mixed: Count = 0
    ways: dict[Way, Gone] = field(default_factory=dict)
    put_off: dict[tuple[bytes, bytes, Refusal], Seen] = field(default_factory=dict)
    errors: dict[tuple[Use, bytes, Reason], Seen] = field(default_factory=dict)
    offers: dict[tuple[Use, bytes, bytes, bytes, bytes], Seen] = field(default_factory=dict)
    told: set[bytes] = field(default_factory=set)
    silent: set[bytes] = field(default_factory=set)
    seams: Seams = field(default_factory=dict)
    open: dict[bytes, Messages] = field(default_factory=dict)
    late: dict[bytes, Messages] = field(default_factory=dict)
    own: set[tuple[str, ...]] = field(default_factory=set)

    def arrived(  # noqa: PLR0913, PLR0917 - what a log says of a mail
        self, day: bytes, use: Use, ip: bytes, login: bytes, x: bytes, cv: bytes, dn: bytes
    ) -> None:
        """A mail came from another host."""
        self.mails(day, use, x, cv, dn, 1)
        see(self.clients, (use, ip, login, x), day)

    def mails(  # noqa: PLR0913, PLR0917 - likewise
        self, day: bytes, use: Use, x: bytes, cv: bytes, dn: bytes, count: int
    ) -> None:
        """Mails came, from whomever."""
        self.incoming[day, use, x, cv] += count
        if dn:
            self.certificates[use, dn, cv] += count

    def logged_in(self, day: bytes, ip: bytes, user: bytes, x: bytes, outcome: Outcome) -> None:
        """Somebody tried to log in, to read mail."""
        self.logins[day, outcome, x] += 1
        if outcome == "good":
            see(self.clients, ("access", ip, user, x), day)
        elif outcome == "refused":
            see(self.refused, (ip, user), day)

    def failed(self, day: bytes, use: Use, ip: bytes, reason: Reason) -> None:
        """A handshake failed."""
        see(self.errors, (use, ip, reason), day)

    def shown(self, line: bytes) -> None:
        """A line is ambiguous: the same few are kept, wherever a log is cut."""
        self.strange = sorted({*self.strange, line[:_SHOWN]})[:_STRANGE]

    def begun(self, node: bytes) -> Messages:
        """What is open at a node: another may have the same number for another message."""
        found = self.open.get(node)
        if found is None:
            found = self.open[node] = {}
        return found

    def sent(self, node: bytes, message: bytes, sent: Sent) -> None:
        """One recipient's copy of a message went to another host."""
        day, _, way = sent
        *_, x, cv, _ = way
        self.copies(day, x, cv, 1)
        self.gone(way, day).count += 1
        self.copy(node, message, sent)

    def copies(self, day: bytes, x: bytes, cv: bytes, count: int) -> None:
        """Copies went, to whomever: each is a mail until `copy` knows."""
        self.deliveries[day, x] += count
        self.outgoing[day, x, cv] += count

    def gone(self, way: Way, day: bytes) -> Gone:
        """Where copies that go a way count."""
        found = self.ways.get(way)
        if found is None:
            found = self.ways[way] = Gone()
        found.last = max(found.last, day)
        return found

    def again(self, sent: Sent) -> None:
        """A copy is no mail of its own: another went to the same host for the same message."""
        day, _, way = sent
        *_, x, cv, _ = way
        self.outgoing[day, x, cv] -= 1
        self.gone(way, day).again += 1

    def copy(self, node: bytes, message: bytes, sent: Sent) -> None:
        """Of which message a copy was: what a host got of one is one mail, for all recipients."""
        begun = self.begun(node)
        unfinished = begun if message in begun else self.late.setdefault(node, {})
        known = unfinished.get(message, ())
        if sent in known:
            self.again(sent)
        elif all(mail[1] != sent[1] for mail in known):
            unfinished[message] = (*known, sent)
        else:
            unfinished[message] = self._together(known, (sent,))

    def _together(self, known: tuple[Sent, ...], more: tuple[Sent, ...]) -> tuple[Sent, ...]:
        """All mails of a message; of two that are the same mail one does not count."""
        mails = {_way(mail): mail for mail in known}
        for mail in more:
            way = _way(mail)
            mails[way], *again = sorted((mails[way], mail)) if way in mails else (mail,)
            for one in again:
                self.again(one)
        self.mixed += _mixed(mails.values()) - _mixed(known) - _mixed(more)
        return tuple(mails.values())

    def merge(self, other: "Tally") -> None:
        """Add what another part counted, and take it over: it is not to be used any more."""
        self.named += other.named
        self.mixed += other.mixed
        self.strange = sorted({*self.strange, *other.strange})[:_STRANGE]
        for name in COUNTERS:
            getattr(self, name).update(getattr(other, name))
        for name in SEEN:
            mine = getattr(self, name)
            for key, seen in getattr(other, name).items():
                put(mine, key, seen)
        self.told |= other.told
        self.own |= other.own
        for process, stretches in other.seams.items():
            self.seams.setdefault(process, []).extend(stretches)
        for unfinished in (other.open, other.late):
            for node, messages in unfinished.items():
                late = self.late.setdefault(node, {})
                for message, mails in messages.items():
                    if mails:
                        late[message] = self._together(late.get(message, ()), mails)

    def finish(self) -> None:
        """Nothing more is to come: what is in two parts is put together."""
        for node, messages in self.late.items():
            begun = self.begun(node)
            for message, mails in messages.items():
                if known := begun.get(message):
                    self._together(known, mails)
        self.open, self.late = {}, {}
        self.outgoing = +Counter(self.outgoing)


COUNTERS = ("lines", "days", "incoming", "certificates", "logins", "deliveries", "outgoing")
SEEN = ("clients", "refused", "ways", "put_off", "errors", "offers")
_STRANGE, _SHOWN = 20, 1 << 12  # lines that are kept to show, and bytes of each


def _way(mail: Sent) -> tuple[bytes, bool]:
    """What makes two copies of a message one mail: the same host, and both with TLS or without."""
    _, ip, (*_, x, _, _) = mail
    return ip, secure(x)


def _mixed(mails: Iterable[Sent]) -> int:
    """How many hosts are among these twice: with and without TLS."""
    addresses = [ip for _, ip, _ in mails]
    return len(addresses) - len(set(addresses))
