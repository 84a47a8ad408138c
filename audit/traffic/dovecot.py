"""Lines of Dovecot's login processes, in syslog or in its own log files. Pure.

By default a line has only that there was TLS; its version and suite stand there if the admin adds
`%k` (2.3) or `%{ssl_security}` (2.4) to `login_log_format_elements`, and the client's whole offer
with `%{ssl_ja3}` (2.4). The fields stand where the admin puts them, after the user's name, which
may be any text of the client's: every place where it could end is tried, and if these do not say
the same, the line is ambiguous.

A line is written as a connection ends, or is logged in, so of logins that failed there is one for
each connection. Who sent a password in clear and was refused: 2.4 has a line for every attempt,
2.3 says it as the connection ends. With `ssl = required` 2.3 only says that authentication failed
without TLS, of a mechanism or a user that it had not come to know yet. A client that goes on with
TLS in the same connection leaves no trace of it in 2.3.

Sources: login-common/client-common.c, client-common-auth.c, iostream-openssl.c of 2.3.19 and 2.4.4.
"""

import re
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from audit.traffic.errors import reason
from audit.traffic.seams import Sink
from audit.traffic.seen import see
from audit.traffic.tally import UNNAMED, Kind, Outcome

_TAG = re.compile(rb"dovecot|(?:imap|pop3|managesieve|submission)-login")
_HEAD = re.compile(
    rb"(?>(?P<service>[\w-]+-login): |)(?>Info: |)(?P<text>(?:Login|Logged in): "
    rb"|(?:Disconnected|Aborted login|Login aborted|Login failed|Connection closed)[:( ])"
)
_GOOD = re.compile(rb"(?:Login|Logged in): ")
_USER = b": user=<"
_ENDS = 20  # places where a user's name could end; nobody's has so many
_KEYS = frozenset((b"user", b"method", b"rip", b"lip", b"mpid", b"session"))
_NAMED = re.compile(
    rb"(SSLv[23]|TLSv1(?:\.[0-3])?) with cipher ([\w-]+) \((\d+)/\d+ bits\)(?: .*)?"
)
_JA3 = re.compile(rb"(?:\w+=)?<?(\d+(?:,[\d-]*){4})>?")
_IP = re.compile(rb"[0-9a-fA-F.:]+")
_TLS = re.compile(rb"TLS(?:: .*)?|\(proxied\)")
_SHAKING = b"TLS handshaking"
_FAILED = (b"(auth failed, ", b"(authorization failed, ", b"authentication failure")
_REFUSED = (
    b"(tried to use disallowed plaintext auth)",
    b"Login failed: Cleartext authentication disabled",
    b"Login failed: SSL required for authentication",
)


class Fields(NamedTuple):
    """What a line says of a client.

    Attributes:
        ip, user: who; the user's name is empty if it was not heard yet.
        x: the session, as `VERSION:SUITE:BITS`; empty without TLS.
        ja3: what the client offered, as JA3 has it; empty if it is not logged.
        method: whether a mechanism is named.
        error: what went wrong in a handshake that was not finished; None: it was, or none began.
    """

    ip: bytes
    user: bytes
    x: bytes
    ja3: bytes
    method: bool
    error: bytes | None


def hear(tag: bytes, sink: Sink) -> Callable[[bytes, int, bytes], Kind] | None:
    """What takes lines, each with where its message begins and its day; None: not Dovecot."""
    if _TAG.fullmatch(tag) is None:
        return None

    def count(line: bytes, start: int, day: bytes) -> Kind:
        head = _HEAD.match(line, start)
        if head is None:
            return "other"
        service = head["service"] or tag
        if not service.endswith(b"-login"):
            return "other"
        text, found = line[head.start("text") :], _fields(line, head.start("text"))
        if service == b"submission-login":
            return "session"  # nobody reads mail there
        if isinstance(found, str):
            return found
        return _count(text, found, day, sink)

    return count


def _count(text: bytes, found: Fields, day: bytes, sink: Sink) -> Kind:
    if found.ja3:
        see(sink.tally.offers, ("access", found.ip, found.user, found.x, found.ja3), day)
    if found.error is not None:
        sink.tally.failed(day, "access", found.ip, reason(found.error))
        return "tls-error"
    outcome = "good" if _GOOD.match(text) else _outcome(text[: text.index(_USER)], found)
    if outcome is None:
        return "session"
    sink.tally.logged_in(day, found.ip, found.user, found.x, outcome)
    return "login"


def _outcome(words: bytes, found: Fields) -> Outcome | None:
    """What a line that is no good login says of one; None: nothing."""
    if any(one in words for one in _REFUSED):
        return "refused"
    if any(one in words for one in _FAILED):
        unheard = not found.method or not found.user
        return "refused" if unheard and not found.x else "bad"
    return None


def _fields(line: bytes, start: int) -> Fields | Literal["ambiguous", "other"]:
    begin = line.find(_USER, start)
    if begin < 0:
        return "ambiguous" if b"rip=" in line[start:] else "other"
    found = set(_readings(line, begin + len(_USER)))
    return found.pop() if len(found) == 1 else "ambiguous"


def _readings(line: bytes, begin: int) -> Iterator[Fields]:
    """One for each place where the user's name could end, if the rest makes sense."""
    end = line.find(b">, ", begin)
    for _ in range(_ENDS):
        if end < 0:
            return
        reading = _reading(line[begin:end], line[end + 3 :].split(b", "))
        if reading:
            yield reading
        end = line.find(b">, ", end + 1)


def _reading(user: bytes, elements: list[bytes]) -> Fields | None:
    values: dict[bytes, bytes] = {}
    x = ja3 = b""
    tls, error = False, None
    for element in elements:
        key, _, value = element.partition(b"=")
        if key in _KEYS:
            if key in values or key == b"user":
                return None  # it stands in the name of the user
            values[key] = value
        elif named := _NAMED.fullmatch(element):
            x = b":".join(named.groups())
        elif offer := _JA3.fullmatch(element):
            ja3 = offer[1]
        elif element.startswith(_SHAKING):
            error = element[len(_SHAKING) :]
        else:
            tls = tls or _TLS.fullmatch(element) is not None
    ip = values.get(b"rip", b"")
    if _IP.fullmatch(ip) is None:
        return None
    return Fields(ip, user, x or (UNNAMED if tls else b""), ja3, b"method" in values, error)
