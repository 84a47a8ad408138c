"""Lines of Exim's mainlog and rejectlog. Pure.

A line is read by where fields stand and not by what looks like one, for much of it is written by
others: HELO names, quoted senders, message ids, subjects, answers of servers, names in certificates.
A stretch that could be the fields of a session is looked for at every place of the line. If there
are several and they differ, nobody can tell which is real, and the line is ambiguous.

Source: Exim's spec, chapter "Log files", and smtp_in.c, receive.c, deliver.c, tls-*.c of 4.99.
"""

import re
from typing import Literal, NamedTuple

Kind = Literal[
    "arrival",
    "delivery",
    "deferral",
    "failure",
    "reject",
    "no-mail",
    "tls-error",
    "completed",
    "other",
    "ambiguous",
]

_IP = rb"\[([0-9a-fA-F.:]+)\](?::\d+)?+"
_INTERFACE = rb"(?: I=\[[^\]\s]+\](?::\d+)?)?+(?: TFO\*?)?+"
# No quote and no backslash in DN: Exim on OpenSSL escapes neither, so what follows is anybody's.
_TLS = rb"(?: X=([\w.:+-]+)\*?)?+(?: CV=(\w+))?+(?: DN=\"([^\"\\]*)\")?+"
_HEAD = re.compile(
    rb"(\d{4}-\d\d-\d\d) \d\d:\d\d:\d\d(?:\.\d+)?(?: [+-]\d{4})?(?: \[\d+\])?"
    rb"(?: (\w{6}-(?:\w{6}-\w{2}|\w{11}-\w{4})))? "
)
_ARRIVAL = re.compile(
    rb" "
    + _IP
    + _INTERFACE
    + rb"(?: U=\S+)?+(?: Ci=\d+)?+ P=([\w-]+)(?: L[*.-]?)?+"
    + _TLS
    + rb"(?: SNI=\S*)?+(?: A=(\S+))?+(?: PRDR)?+(?: PRX=\S+)?+(?: K)?+ S=\d"
)
_LOCAL = re.compile(rb"\S*(?: R=\S+)?+(?: DS)?+(?: U=\S+)?+ P=[\w-]+ S=\d")
_DELIVERY = re.compile(
    rb" R=\S+ T=\S+(?: ST=\S+)?+(?: S=\d+)?+(?: H=(\S+)(?: DS)? "
    + _IP
    + rb"(\*)?+(?: PRX=\S+)?+"
    + _INTERFACE
    + rb"(?: PS=\S+)?+"
    + _TLS
    + rb")?+(?! (?:H|X|CV|DN)=)(?= |$)"
)
_QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*"')
_ERROR = re.compile(
    rb"TLS error on (?:connection from )?+(?:H=)?(?:[^\s()]+ )?(?:\([^\s()]*\) )?"
    + _IP
    + rb"[^(]* (\(.*)"
)
_CLEAR = re.compile(rb"(?:utf8)?e?smtpa?")
_MARKS: dict[bytes, Kind] = {
    b"<=": "arrival",
    b"(=": "arrival",
    b"=>": "delivery",
    b"->": "delivery",
    b">>": "delivery",
    b"*>": "delivery",
    b"==": "deferral",
    b"**": "failure",
}


class Event(NamedTuple):
    """One line.

    Attributes:
        kind: what it tells.
        day: YYYY-MM-DD; empty for a line without one.
        id: the message; empty if it is about none.
        mark: the two characters of an arrival or a delivery.
        ip: the other side; empty if there was none, as in local deliveries.
        name: its name, as DNS has it; of deliveries only.
        protocol: what the mail came by (P=).
        x, cv, dn: X=, CV= and DN=; empty if they are not there.
        login: A=, the authenticator and who.
        again: the connection had been used before.
        text: why TLS failed.
    """

    kind: Kind
    day: bytes = b""
    id: bytes = b""
    mark: bytes = b""
    ip: bytes = b""
    name: bytes = b""
    protocol: bytes = b""
    x: bytes = b""
    cv: bytes = b""
    dn: bytes = b""
    login: bytes = b""
    again: bool = False
    text: bytes = b""


def parse(line: bytes) -> Event:
    """What one line tells, without its line end and whatever syslog wrote before it."""
    head = _HEAD.match(line)
    if head is None:
        return _OTHER
    day, identity = head.groups(b"")
    start = head.end()
    mark = line[start : start + 2]
    kind = _MARKS.get(mark) if identity and line[start + 2 : start + 3] == b" " else None
    if kind is None:
        return _without_mark(line, start, day, identity)
    begin = start + 3
    if line[begin : begin + 1] == b'"' and (quoted := _QUOTED.match(line, begin)):
        begin = quoted.end()
    if kind == "arrival":
        return _arrival(line, begin, day, identity, mark)
    if kind == "delivery":
        return _delivery(line, begin, day, identity, mark)
    return Event(kind, day, identity, mark)


_OTHER = Event("other")


def _arrival(line: bytes, begin: int, day: bytes, identity: bytes, mark: bytes) -> Event:
    found = {match.groups(b"") for match in _ARRIVAL.finditer(line, begin)}
    if len(found) == 1:
        ip, protocol, x, cv, dn, login = found.pop()
        if not (x and _CLEAR.fullmatch(protocol)):
            return Event(*("arrival", day, identity, mark, ip, b"", protocol, x, cv, dn, login))
    elif not found and _LOCAL.match(line, begin):
        return Event("arrival", day, identity, mark)
    return Event("ambiguous", day, identity, mark)


def _delivery(line: bytes, begin: int, day: bytes, identity: bytes, mark: bytes) -> Event:
    found = {match.groups(b"") for match in _DELIVERY.finditer(line, begin)}
    if len(found) == 1:
        name, ip, again, x, cv, dn = found.pop()
        return Event("delivery", day, identity, mark, ip, name, b"", x, cv, dn, b"", bool(again))
    return Event("ambiguous", day, identity, mark)


def _without_mark(line: bytes, start: int, day: bytes, identity: bytes) -> Event:
    if line.startswith(b"Completed", start):
        return Event("completed", day, identity)
    if b"TLS error on " in line[start : start + 100]:
        error = _ERROR.search(line, start)
        ip, text = error.groups(b"") if error else (b"", b"")
        return Event("tls-error", day, identity, ip=ip, text=text)
    if line.startswith(b"no MAIL in SMTP connection from ", start):
        return Event("no-mail", day, identity)
    if line.startswith(b"H=", start) and b" rejected " in line:
        return Event("reject", day, identity)
    return Event("other", day, identity)
