"""Lines of Postfix, without what syslog wrote before them. Pure.

A session has its own line, and a message has others: they are tied by the process that wrote them,
and on the way out by the other side as well. The join is that of Postfix's own collate.pl and
tlstype.pl. What `CV=` is with Exim is here the first word, of FORWARD_SECRECY_README: "Verified"
is a certificate with the name asked for (or one that DANE or a fingerprint names), "Trusted" one of
a known authority, whose name nobody looked at; both are `yes`. "Untrusted" is of no known authority
and "Anonymous" none at all: `no`. Since 3.11 a delivery says that it was held to DANE.

At `smtpd_tls_loglevel = 0` only the number of STARTTLS is known, as a connection ends (since 3.0);
at `smtp_tls_loglevel = 0` nothing is known of deliveries. No line says which level it is: where a
program of one host never names a session, what it says nothing of is not logged, and not in clear.

Sources: tls_misc.c, tls_server.c, smtpd.c, log_adhoc.c, auxiliary/collate of 3.11.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from audit.traffic.postfix_talk import (
    CLEAR,
    CLIENT,
    CONNECT,
    DISCONNECT,
    ERROR,
    LIBRARY,
    SESSION,
    STARTTLS,
    TO,
    Incoming,
    Outgoing,
)
from audit.traffic.seams import Event, Process, Sink, Talk
from audit.traffic.tally import Kind, Messages

_PEER = re.compile(
    rb"(?>(Anonymous|Untrusted|Trusted|Verified) |)TLS connection (?:established|reused) "
    rb"(?:from|to) ([^\s\[\]]*\[[\w.:]+\](?>:\d+|))(?> to [^\s:]+|)(: .*)",
    re.DOTALL,
)
_SUITE = re.compile(
    rb": (SSLv[23]|TLSv1(?:\.[0-3])?) with cipher ([\w-]+) \((\d+)/\d+ bits\)"
    rb"(?> key-exchange (\S+)(?> \(([^()]*)\)|)|)(?= |$)"
)
_CLIENT = re.compile(
    rb"\w+: client=[^\s\[\]]*\[([\w.:]+)\]"
    rb"(?>, sasl_method=[^\s,]+|)(?:, sasl_username=(.*?))?"
    rb"(?:, (?:sasl_sender|orig_queue_id|orig_client)=.*)?$"
)
_DELIVERY = re.compile(
    rb">, relay=([^\s,]+), (?>conn_use=\d+, |)(delay=[\d.]+, delays=[\d./]+), (?>tls=(\S+), |)"
    rb"dsn=\d\.\d+\.\d+, status=([\w-]+)(?= \()"
)
_ERROR = re.compile(rb"SSL_accept error from [^\s\[\]]*\[([\w.:]+)\](?>:\d+|): (.*)")
_STARTTLS = re.compile(rb" starttls=[1-9]")
_LIBRARY = b"warning: TLS library problem: "
_TAG = re.compile(rb"postfix[^/\s]*/(?>(?P<service>.+)/|)(?P<program>[\w-]+)")
_TRUST = {b"Verified": b"yes", b"Trusted": b"yes", b"Untrusted": b"no", b"Anonymous": b"no"}
_STATUS: dict[bytes, Kind] = {b"sent": "delivery", b"deferred": "deferral", b"bounced": "failure"}
# A key exchange that is written without its group is none.
_EXCHANGES = frozenset((b"ECDHE", b"DHE", b"ECDH", b"DH"))

Hear = Callable[[bytes, int, bytes], Kind]
_NEAR = 40  # bytes: what stands for certain at the start of a message


def talk(tag: bytes) -> type[Talk] | None:
    """What has to be remembered of a process; None: nothing."""
    named = _TAG.fullmatch(tag)
    return _TALKS.get(named["program"]) if named else None


def hear(tag: bytes, host: bytes, process: Process | None, sink: Sink) -> Hear | None:
    """What takes lines of a process: each with where its message begins and its day.

    *process* is there if `talk` wants it. None: this is not Postfix.
    """
    named = _TAG.fullmatch(tag)
    if named is None:
        return None
    if process is None:
        return Queue(sink.tally.begun(host)).hears.get(named["program"], _other)
    if isinstance(process.talk, Incoming):
        return Server(process, process.talk, sink).hear
    return Client(process, sink).hear


def queues(tag: bytes) -> tuple[bool, bool]:
    """Whether a process says that messages begin, and that they end; see `Queue`."""
    named = _TAG.fullmatch(tag)
    program = named["program"] if named else b""
    return program == b"cleanup", program in (b"qmgr", b"nqmgr")


_TALKS: dict[bytes, type[Talk]] = {b"smtpd": Incoming, b"smtp": Outgoing, b"lmtp": Outgoing}


def _other(line: bytes, start: int, _day: bytes) -> Kind:
    """Local deliveries, and programs that have nothing to say; tlsproxy only has sessions."""
    if b": to=<" in line[start : start + _NEAR]:
        found = _delivery(line, start)
        return found if isinstance(found, str) else _STATUS.get(found[3], "other")
    return "session" if b" with cipher " in line and _session(line[start:]) else "other"


@lru_cache(maxsize=16384)
def _session(message: bytes) -> Event | None:
    """A session with its other side, which mostly comes again."""
    match = _PEER.match(message)
    if match is None:
        return None
    trust, peer, words = match.groups()
    x = _suite(words)
    return (SESSION, peer, x, _TRUST.get(trust, b"")) if x else None


@lru_cache(maxsize=4096)
def _suite(words: bytes) -> bytes:
    """`VERSION:SUITE:BITS[:GROUP]`; empty if these are other words."""
    match = _SUITE.match(words)
    if match is None:
        return b""
    version, suite, bits, exchange, detail = match.groups(b"")
    group = exchange if exchange not in _EXCHANGES else b"" if b" " in detail else detail
    return b":".join((version, suite, bits, group) if group else (version, suite, bits))


def _ended(line: bytes, start: int) -> bytes:
    """What the end of a connection says of it; empty if it is a version that says nothing."""
    said = line.find(b"] ", start)
    if said < 0:
        return b""
    return STARTTLS if _STARTTLS.search(line, said) else CLEAR


def _domain(line: bytes, mark: int) -> bytes:
    """Of the recipient; empty where a quoted part might be one."""
    end = line.find(b">", mark)
    at = line.rfind(b"@", mark, end)
    return b"" if at < 0 or line.find(b'"', mark, end) >= 0 else line[at + 1 : end]


def _delivery(line: bytes, start: int) -> tuple[bytes, ...] | Literal["ambiguous", "other"]:
    """Relay, delays, what it was held to and status: recipients and replies may forge them all."""
    mark = line.find(b">, relay=", start)
    if line.find(b">, relay=", mark + 1) < 0:
        only = _DELIVERY.match(line, mark) if mark > 0 else None
        return only.groups(b"") if only else "other"
    found = {match.groups(b"") for match in _DELIVERY.finditer(line, start)}
    return found.pop() if len(found) == 1 else "ambiguous" if found else "other"


@dataclass(slots=True)
class Server:
    """Lines of one smtpd."""

    process: Process
    talk: Incoming
    sink: Sink

    def hear(self, line: bytes, start: int, day: bytes) -> Kind:
        """One line."""
        if line.startswith(b"connect from ", start):
            self.process.take((CONNECT,), self.sink)
        elif line.startswith(b"disconnect from ", start):
            waits = self.talk.mails or not self.process.known  # mostly not
            self.process.take((DISCONNECT, _ended(line, start) if waits else b""), self.sink)
        elif b" with cipher " in line and (session := _session(line[start:])):
            self.process.take(session, self.sink)
            return "session"
        elif b": client=" in line[start : start + _NEAR]:
            client = _CLIENT.match(line, start)
            if client is None:
                return "ambiguous"
            self.process.take((CLIENT, day, *client.groups(b"")), self.sink)
            return "arrival"
        elif peer := _ERROR.match(line, start):
            self.process.take((ERROR, day, *peer.groups(b"")), self.sink)
            return "tls-error"
        elif line.startswith(_LIBRARY, start):
            self.process.take((LIBRARY, line[start + len(_LIBRARY) :]), self.sink)
        elif b"reject: " in line[start : start + _NEAR]:
            return "reject"
        return "other"


@dataclass(slots=True)
class Client:
    """Lines of one smtp or lmtp."""

    process: Process
    sink: Sink

    def hear(self, line: bytes, start: int, day: bytes) -> Kind:
        """One line."""
        mark = line.find(b": to=<", start, start + _NEAR)
        if mark >= 0:
            found = _delivery(line, start)
            if isinstance(found, str):
                return found
            relay, delays, policy, status = found
            kind = _STATUS.get(status, "other")
            sent = b"1" if kind == "delivery" else b""
            message, domain = line[start:mark], _domain(line, mark)
            self.process.take((TO, day, message, relay, delays, policy, sent, domain), self.sink)
            return kind
        if b" with cipher " in line and (session := _session(line[start:])):
            self.process.take(session, self.sink)
            return "session"
        return "tls-error" if line.startswith(b"SSL_connect error to ", start) else "other"


@dataclass(slots=True)
class Queue:
    """Lines of cleanup and qmgr: when messages of a node begin and are done."""

    begun: Messages

    @property
    def hears(self) -> dict[bytes, Hear]:
        """What takes the lines of each."""
        return {b"cleanup": self.begins, b"qmgr": self.ends, b"nqmgr": self.ends}

    def begins(self, line: bytes, start: int, _day: bytes) -> Kind:
        """A line of cleanup."""
        mark = line.find(b": message-id=", start, start + _NEAR)
        if mark >= 0:
            self.begun.setdefault(line[start:mark], ())
            return "other"
        return "reject" if b"reject: " in line[start : start + _NEAR] else "other"

    def ends(self, line: bytes, start: int, _day: bytes) -> Kind:
        """A line of qmgr."""
        if line.endswith(b": removed") and line.find(b" ", start) == len(line) - 8:
            self.begun.pop(line[start:-9], None)
            return "completed"
        return "other"
