"""How it stands with a process of Postfix's: which session its next line is about. Pure."""

import re
from dataclasses import dataclass, field
from functools import lru_cache

from audit.traffic.errors import reason
from audit.traffic.seams import Event, Sink, Talk
from audit.traffic.silence import node, unnamed
from audit.traffic.tally import UNNAMED, Use

CONNECT, DISCONNECT, SESSION = b"connect", b"disconnect", b"session"
CLIENT, ERROR, LIBRARY, TO, BOUND = b"client", b"error", b"library", b"to", b"bound"
STARTTLS, CLEAR = b"1", b"0"  # what the end of a connection says
# How many words each event has, with its name.
_IN = {CONNECT: 1, DISCONNECT: 2, SESSION: 4, CLIENT: 4, ERROR: 4, LIBRARY: 2}
_OUT = {SESSION: 4, BOUND: 3, TO: 8}

_RELAY = re.compile(rb"([^\s\[\]]+)\[([0-9a-fA-F.:]+)\]:\d+")
_SUBMISSION = frozenset((b"submission", b"submissions", b"smtps"))
_IMPLICIT = frozenset((b"submissions", b"smtps"))


@lru_cache(maxsize=4096)
def _relay(words: bytes) -> tuple[bytes, bytes]:
    """Name and address; empty if it is no other host."""
    relay = _RELAY.fullmatch(words)
    return (relay[1], relay[2]) if relay else (b"", b"")


@lru_cache(maxsize=256)
def _services(tag: bytes) -> frozenset[bytes]:
    return frozenset(tag.split(b"/")[1:-1])


@dataclass(slots=True)
class Incoming(Talk):
    """An smtpd: one connection after the other."""

    x: bytes = b""
    cv: bytes = b""
    mails: list[Event] = field(default_factory=list)  # of which it is not known yet if in clear
    error: Event = ()

    @staticmethod
    def begins(_before: Event | None, event: Event) -> bool:
        """A new connection."""
        return event[0] == CONNECT

    @staticmethod
    def ends(event: Event) -> bool:
        """The end of a connection."""
        return event[0] == DISCONNECT

    @staticmethod
    def sound(event: Event) -> bool:
        """One that has all its words."""
        return len(event) == _IN.get(event[0] if event else b"")

    def take(self, event: Event, sink: Sink) -> None:
        """One line."""
        what = event[0]
        if what == CLIENT:
            if self.x:
                self._arrived(event, self.x, sink)
            else:
                self.mails.append(event)
        elif what == SESSION:
            self._flush(b"", sink)
            _, _, self.x, self.cv = event
            sink.tally.told.add(node(self.host, self.tag))
        elif what == CONNECT:
            self.end(sink)
        elif what == DISCONNECT:
            self._flush(event[1], sink)
            self.end(sink)
        elif what == ERROR:
            self._failed(sink)
            self.error = event
        elif self.error:
            # The library's own words come after the error, and there may be several lines.
            self.error = (*self.error[:3], self.error[3] + b" " + event[1])

    def end(self, sink: Sink) -> None:
        """The connection is over."""
        self._flush(b"", sink)
        if self.error:
            self._failed(sink)
        self.x = self.cv = b""

    def open(self) -> list[Event]:
        """The session, the mails and the error."""
        session = [(SESSION, b"", self.x, self.cv)] if self.x else []
        return [*session, *self.mails, *([self.error] if self.error else [])]

    def _flush(self, said: bytes, sink: Sink) -> None:
        for mail in self.mails:
            self._arrived(mail, self._unnamed(said, mail[3]), sink)
        self.mails.clear()

    def _unnamed(self, said: bytes, login: bytes) -> bytes:
        """The X= of a mail without a session, by what the end of the connection says."""
        services = _services(self.tag)
        if said == STARTTLS or services & _IMPLICIT:
            return UNNAMED
        # Who logs in may have come to a port with TLS from the beginning, of which nothing is said.
        if said == CLEAR and (not login or services & _SUBMISSION):
            return b""
        return unnamed(self.host, self.tag)

    def _arrived(self, mail: Event, x: bytes, sink: Sink) -> None:
        _, day, ip, login = mail
        cv = self.cv if self.x else b""
        sink.arrived((day, self._use(ip, login, sink), ip, login, x, cv))

    def _use(self, ip: bytes, login: bytes, sink: Sink) -> Use:
        if ip in sink.own:
            return "own"
        return "submission" if login or _services(self.tag) & _SUBMISSION else "mx"

    def _failed(self, sink: Sink) -> None:
        if self.error:
            _, day, ip, words = self.error
            sink.tally.failed(day, self._use(ip, b"", sink), ip, reason(words))
            self.error = ()


@dataclass(slots=True)
class Outgoing(Talk):
    """An smtp: a session is that of the message which is spoken of next."""

    peer: bytes = b""
    x: bytes = b""
    cv: bytes = b""
    message: bytes = b""
    delays: bytes = b""

    @staticmethod
    def begins(before: Event | None, event: Event) -> bool:
        """A new session; or another message, without one."""
        if event[0] == SESSION:
            return True
        return before is not None and before[2] != event[2]

    @staticmethod
    def ends(_event: Event) -> bool:
        """Nothing does: more recipients may follow."""
        return False

    @staticmethod
    def sound(event: Event) -> bool:
        """One that has all its words."""
        return len(event) == _OUT.get(event[0] if event else b"")

    def take(self, event: Event, sink: Sink) -> None:
        """One line."""
        what = event[0]
        if what == TO:  # mostly
            self._to(event, sink)
        elif what == SESSION:
            _, self.peer, self.x, self.cv = event
            self.message = self.delays = b""
            if self.x:
                sink.tally.told.add(node(self.host, self.tag))
        else:
            _, self.message, self.delays = event

    def _to(self, event: Event, sink: Sink) -> None:
        _, day, message, relay, delays, policy, sent, domain = event
        # All recipients that one transaction sent a message to have the same delays.
        again = self.message in (b"", message) and not (sent and self.delays not in (b"", delays))
        if relay != self.peer or not again:
            self.peer = self.x = self.cv = b""
        self.message = message
        if sent:
            self.delays = delays
            name, ip = _relay(relay)
            if ip:
                dane = policy and self.x and policy.startswith((b"dane", b"half-dane"))
                x = self.x or unnamed(self.host, self.tag)
                cv = b"dane" if dane else self.cv
                sink.sent(message, (self.host, self.tag, day, name, ip, x, cv, domain))

    def end(self, sink: Sink) -> None:
        """Everything was counted as it came."""

    def open(self) -> list[Event]:
        """The session, and what it was for."""
        return [(SESSION, self.peer, self.x, self.cv), (BOUND, self.message, self.delays)]

    def put_off(self, event: Event, sink: Sink) -> None:
        """What is sent is counted later, so the message must not be forgotten before."""
        if event[0] == TO and event[6]:
            begun = sink.tally.begun(self.host).pop(event[2], ())
            sink.tally.late.setdefault(self.host, {}).setdefault(event[2], begun)
