"""Lines of Exim's mainlog and rejectlog. Pure.

A line is read by where fields stand and not by what looks like one, for much of it is written by
others: HELO names, quoted senders, message ids, subjects, answers of servers, certificates.
A stretch that could be the fields of a session is looked for at every place of the line. If there
are several and they differ, nobody can tell which is real, and the line is ambiguous.

Source: Exim's spec, chapter "Log files", and smtp_in.c, receive.c, deliver.c, tls-*.c of 4.99.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from audit.traffic.tally import Kind

IP = rb"\[([0-9a-fA-F.:]+)\](?>:\d+|)"
INTERFACE = rb"(?> I=\[[^\]\s]+\](?::\d+)?|)(?> TFO\*?|)"
STAMP = rb"(\d{4}-\d\d-\d\d) \d\d:\d\d:\d\d(?>\.\d+|)(?> [+-]\d{4}|)(?> \[\d+\]|) "
ID = rb"(\w{6}-(?:\w{6}-\w{2}|\w{11}-\w{4})) "
TLS = rb"(?> X=([\w.:+-]+)\*?|)(?> CV=(\w+)|)"
PROTOCOL = rb" P=([\w-]+)(?> L[*.-]?|)" + TLS
AFTER = rb"(?> A=(\S+)|)(?> PRDR|)(?> PRX=\S+|)(?> K|) S=\d"
VIA = rb" R=\S+ T=(\S+)(?> ST=\S+|)(?> S=\d+|)"
TO = rb" H=(\S+)( DS)? " + IP + rb"\*?+(?> PRX=\S+|)" + INTERFACE + rb"(?> PS=\S+|)" + TLS

_HEAD = re.compile(STAMP + rb"(?>" + ID + rb"|)")
# Where the peer's address may stand: behind a name of its own, or behind what it says it is called.
_BEFORE_PEER = re.compile(rb"\S*(?> R=\S+|)(?> DS|) H=(?:\S+|(?:\S+ )?\(.*\))")
_PEER = re.compile(rb"(?<= )" + IP)
_BETWEEN = re.compile(INTERFACE + rb"(?: U=.*)?(?: Ci=\d+)?")
_PROTOCOL = re.compile(PROTOCOL)
# What the client wrote may have any quote and blank in it: it ends wherever it may.
_THEIRS = re.compile(rb' (?:DN="([^"]*)|SNI=)')
_AFTER = re.compile(AFTER)
_LOCAL = re.compile(rb"\S*(?> R=\S+|)(?> DS|)(?> U=\S+|) P=[\w-]+ S=\d")
_DELIVERY = re.compile(
    VIA + rb"(?>" + TO + rb"|)" + rb'(?: DN="([^"]*)|(?! (?:H|X|CV|DN)=)(?= |$))'
)
_VIA = re.compile(rb"(?=" + VIA + rb")")
_QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*"')
_ERROR = re.compile(
    rb"TLS error on (?>connection from |)(?:H=)?(?:[^\s()]+ )?(?:\([^\s()]*\) )?"
    + IP
    + rb"[^(]* (\(.*)"
)
_LONGEST = 1 << 14  # bytes; Exim's own buffer for a line has half of it (LOG_BUFFER_SIZE)
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
        ip: the other side; empty if there was none, as in local deliveries.
        name: its name, as DNS has it; of deliveries only.
        protocol: what the mail came by (P=); a delivery: the transport that it went by (T=).
        domain: of the recipient, as Exim wrote it; of deliveries only.
        signed: whether DNSSEC vouches for the other side's name and address (DS).
        x, cv, dn: X=, CV= and DN=; empty if they are not there.
        login: A=, the authenticator and who.
        text: why TLS failed.
    """

    kind: Kind
    day: bytes = b""
    id: bytes = b""
    ip: bytes = b""
    name: bytes = b""
    protocol: bytes = b""
    x: bytes = b""
    cv: bytes = b""
    dn: bytes = b""
    login: bytes = b""
    text: bytes = b""
    domain: bytes = b""
    signed: bool = False


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
    if len(line) > _LONGEST:  # it takes too long to look for every way to read it
        return Event("ambiguous", day, identity)
    begin = start + 3
    if line[begin : begin + 1] == b'"' and (quoted := _QUOTED.match(line, begin)):
        begin = quoted.end()
    if kind == "arrival":
        return _arrival(line, begin, day, identity)
    if kind == "delivery":
        return _delivery(line, begin, day, identity, suppressed=mark == b"*>")
    return Event(kind, day, identity)


_OTHER = Event("other")


def _arrival(line: bytes, begin: int, day: bytes, identity: bytes) -> Event:
    found = set(_sessions(line, begin))
    if len(found) == 1:
        ip, protocol, x, cv, dn, login = found.pop()
        if not (x and _CLEAR.fullmatch(protocol)):
            return Event("arrival", day, identity, ip, b"", protocol, x, cv, dn, login)
    elif not found and _LOCAL.match(line, begin):
        return Event("arrival", day, identity)
    return Event("ambiguous", day, identity)


def _sessions(line: bytes, begin: int) -> Iterator[tuple[bytes, ...]]:
    """Every way to read the session by which a mail came."""
    peers = [
        peer
        for peer in _PEER.finditer(line, begin)
        if _BEFORE_PEER.fullmatch(line, begin, peer.start() - 1)
    ]
    for protocol in _PROTOCOL.finditer(
        line, begin
    ):  # they cannot overlap: a blank and P= begin one
        end = protocol.end()
        theirs = _THEIRS.match(line, end)
        dn = theirs[1] or b"" if theirs else b""
        logins = {after[1] or b"" for after in _ends(line, end, theirs)}
        for peer in peers:
            if _BETWEEN.fullmatch(line, peer.end(), protocol.start()):
                for login in logins:
                    yield peer[1], *protocol.groups(b""), dn, login


def _ends(line: bytes, end: int, theirs: re.Match[bytes] | None) -> Iterator[re.Match[bytes]]:
    """Where what the client wrote may be over, and what stands behind it."""
    if theirs is None:
        after = _AFTER.match(line, end)
        return iter([after] if after else [])
    anywhere = theirs[1] is None or b'" SNI=' in line[end:]
    places = _AFTER.finditer(line, theirs.end())
    return (one for one in places if anywhere or line[one.start() - 1 : one.start()] == b'"')


def _delivery(line: bytes, begin: int, day: bytes, identity: bytes, *, suppressed: bool) -> Event:
    places = [match.start() for match in _VIA.finditer(line, begin)]
    found = {match.groups(b"") for match in (_DELIVERY.match(line, n) for n in places) if match}
    if len(found) == 1:
        by, name, signed, ip, x, cv, dn = found.pop()
        if suppressed:  # with -N: nothing was sent
            return Event("other", day, identity)
        _, at, domain = line[begin:].partition(b" ")[0].rpartition(b"@")
        return Event(
            *("delivery", day, identity, ip, name, by, x, cv, dn),
            domain=domain if at else b"",
            signed=bool(signed),
        )
    return Event("ambiguous", day, identity)


def _without_mark(line: bytes, start: int, day: bytes, identity: bytes) -> Event:
    if line.startswith(b"Completed", start):
        return Event("completed", day, identity)
    if b"TLS error on " in line[start : start + 100]:
        error = _ERROR.search(line, start)
        ip, text = error.groups(b"") if error else (b"", b"")
        return Event("tls-error", day, identity, ip, text=text)
    if line.startswith(b"no MAIL in SMTP connection from ", start):
        return Event("no-mail", day, identity)
    if line.startswith(b"H=", start) and b" rejected " in line:
        return Event("reject", day, identity)
    return Event("other", day, identity)
