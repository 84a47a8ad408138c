"""Lines of Cyrus IMAP, without what syslog wrote before them. Pure.

A session stands in a line of its own, without the client's address, and who logs in stands in
others: the process ties them, which serves one client after the other. A good login says whether
there was TLS; then it is the last session of the process. One that fails does not say it: it
belongs to the session if that is still without a login and the address is the same.

Who sends `LOGIN`, or `USER` and `PASS`, in clear and is refused leaves no line in any version:
that is not logged, and not nought. Only the refusal of a mechanism (`AUTHENTICATE`) is.

Sources: imapd.c, pop3d.c, tls.c, loginlog.c of 2.4.17, 3.6.1, 3.12.1 and of 2026; lines of 3.6.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from audit.traffic.seams import Event, Process, Sink, Talk
from audit.traffic.tally import UNNAMED, Kind, Outcome

_TAG = re.compile(rb"cyrus/(?P<service>[\w-]+)|(?:imap|pop3|nntp|http|sieve)[sd]?|timsieved")
# Who talks to these is no user.
_BETWEEN = re.compile(rb"cyrus/(?:lmtp|sync|mupdate|csync|backup|smmap|notify|idle|master)\w*")
_IMPLICIT = re.compile(rb"(?:.*/)?(?:imap|pop3|http|nntp|sieve)s\w*")
_SESSION = re.compile(
    rb"starttls: (SSLv[23]|TLSv1(?:\.[0-3])?) with cipher ([\w-]+) "
    rb"\((\d+)/\d+ bits (?:new|reused)(?P<client> client)?\) "
)
_HOST = rb"(?:[^\s\[\]]+ )?\[([0-9a-fA-F.:]+)\]"
_GOOD = re.compile(rb"login: " + _HOST + rb" (.+?) [\w-]+(\+TLS)? (?:User logged in|$)")
_BAD = re.compile(rb"badlogin: " + _HOST + rb" ([\w-]+)(?: (.*))?")
_USER = re.compile(rb"\((.*)\) (?:\[[^\[\]]*\]|[\w ]+)")
_FAILED = re.compile(
    rb"(?:STARTTLS negotiation|(?:[\w-]+ )?TLS neg\w+|(?:imap|pop3|nntp|http|sieve)s) failed: "
    + _HOST
)
_PAIR = re.compile(rb'(?<![!-<>-~])([!-<>-~]+)=("(?:[^"\\]|\\.)*"|[^" ]*)(?: |$)')
_CLIENT = re.compile(_HOST)
_REFUSED = re.compile(rb"\[?SASL\(-16\)[^\[\]]*\]?|encryption needed to use mechanism")

START, GOOD, BAD = b"start", b"good", b"bad"
_WORDS = {START: 3, GOOD: 5, BAD: 5}  # of each event, with its name


def talk(tag: bytes) -> type[Talk] | None:
    """What has to be remembered of a process; None: nothing."""
    return Login if _TAG.fullmatch(tag) and not _BETWEEN.fullmatch(tag) else None


def hear(
    tag: bytes, process: Process | None, sink: Sink
) -> Callable[[bytes, int, bytes], Kind] | None:
    """What takes lines of a process: each with where its message begins and its day.

    *process* is there if `talk` wants it. None: this is not Cyrus.
    """
    if process is not None:
        return Service(process, sink).hear
    return _between if _BETWEEN.fullmatch(tag) else None


def _between(line: bytes, start: int, _day: bytes) -> Kind:
    return "session" if _SESSION.match(line, start) else "other"


@dataclass(slots=True)
class Service:
    """Lines of one process that clients talk to."""

    process: Process
    sink: Sink

    def hear(self, line: bytes, start: int, day: bytes) -> Kind:
        """One line."""
        if line.startswith(b"starttls: ", start):
            return self._session(line, start)
        if line.startswith(b"login: ", start):
            good = _GOOD.match(line, start)
            return self._good(day, good.groups(b"")) if good else "ambiguous"
        if line.startswith(b"badlogin: ", start):
            return self._bad(line, start, day)
        if line.startswith(b"event=login.", start):
            return self._logfmt(line, start, day)
        if line.startswith(b"accepted connection", start):
            self.process.take((START, b"", b""), self.sink)
        elif b" failed: " in line and (failed := _FAILED.match(line, start)):
            self.sink.tally.failed(day, "access", failed[1], "other")  # why is not logged
            return "tls-error"
        return "other"

    def _session(self, line: bytes, start: int) -> Kind:
        session = _SESSION.match(line, start)
        if session is None:
            return "ambiguous" if b" with cipher " in line else "other"
        if not session["client"]:  # that is to another host of the cluster
            self.process.take((START, b":".join(session.groups()[:3]), b""), self.sink)
        return "session"

    def _good(self, day: bytes, words: tuple[bytes, ...]) -> Kind:
        self.process.take((GOOD, day, *words), self.sink)
        return "login"

    def _bad(self, line: bytes, start: int, day: bytes) -> Kind:
        bad = _BAD.match(line, start)
        if bad is None:
            return "ambiguous"
        ip, _, rest = bad.groups(b"")
        user = _USER.fullmatch(rest)
        # The user's name may be any text: why it failed stands at the end.
        why = rest[user.end(1) + 2 :] if user else rest
        self.process.take((BAD, day, ip, user[1] if user else b"", why), self.sink)
        return "login"

    def _logfmt(self, line: bytes, start: int, day: bytes) -> Kind:
        pairs = {m[1]: m[2].strip(b'"') for m in _PAIR.finditer(line, start)}
        client = _CLIENT.fullmatch(pairs.get(b"r.clienthost", b""))
        if client is None:
            return "ambiguous"
        user = pairs.get(b"u.username", b"")
        if pairs[b"event"] == b"login.good":
            tls = b"1" if pairs.get(b"login.tls") == b"1" else b""
            return self._good(day, (client[1], user, tls))
        self.process.take((BAD, day, client[1], user, pairs.get(b"error", b"")), self.sink)
        return "login"


@dataclass(slots=True)
class Login(Talk):
    """A process that clients log in at, one after the other."""

    x: bytes = b""
    ip: bytes = b""

    @staticmethod
    def begins(before: Event | None, event: Event) -> bool:
        """A new session; or somebody else, who has none."""
        if event[0] == START:
            return True
        return before is not None and event[0] == BAD and before[2] != event[2]

    @staticmethod
    def ends(event: Event) -> bool:
        """Who is logged in does not log in again."""
        return event[0] == GOOD

    @staticmethod
    def sound(event: Event) -> bool:
        """One that has all its words."""
        return len(event) == _WORDS.get(event[0] if event else b"")

    def take(self, event: Event, sink: Sink) -> None:
        """One line."""
        if event[0] == START:
            _, self.x, self.ip = event
        elif event[0] == GOOD:
            _, day, ip, user, tls = event
            sink.tally.logged_in(day, ip, user, (self.x or UNNAMED) if tls else b"", "good")
            self.x = self.ip = b""
        else:
            self._bad(event, sink)

    def _bad(self, event: Event, sink: Sink) -> None:
        _, day, ip, user, why = event
        if self.ip not in (b"", ip):
            self.x = b""
        self.ip = ip
        x = self.x or (UNNAMED if _IMPLICIT.fullmatch(self.tag) else b"")
        outcome: Outcome = "refused" if not x and _REFUSED.match(why) else "bad"
        sink.tally.logged_in(day, ip, user, x, outcome)

    def end(self, sink: Sink) -> None:
        """Everything was counted as it came."""

    def open(self) -> list[Event]:
        """The session, and whose it is."""
        return [(START, self.x, self.ip)]
