"""Lines of Exim about recipients that a mail did not go to, and why. Pure.

A line is read from its beginning, field by field; quoted parts of addresses are skipped whole, and
reasons are believed only where Exim itself writes them.

Source: smtp.c and deliver.c of 4.96 to 4.99, and lines of a real Exim.
"""

import re
from typing import NamedTuple

from audit.traffic.exim import ID, INTERFACE, IP, STAMP, TLS
from audit.traffic.refusal import Refusal, refusal

_QUOTED = rb'"(?>(?:[^"\\]|\\.)*)"'
_ADDRESS = rb"(?:" + _QUOTED + rb'|[^\s"@<>]++)(?>@([^\s"@<>]++)|)'
_WITHIN = rb"<(?>(?:" + _QUOTED + rb'|[^\s"<>])*)>'
TO = _ADDRESS + rb"(?> " + _WITHIN + rb"|)(?> F=" + _WITHIN + rb"|)(?> P=" + _WITHIN + rb"|)"
BY = rb" R=\S++ T=([^\s:]++)(?> ST=\S++|)(?> S=\d++|)"
AT = rb" H=(\S+)(?: DS)? " + IP


def _nowhere(words: bytes) -> re.Pattern[bytes]:
    return re.compile(TO + rb" R=\S++ defer \(-?\d+\): (" + words + rb")")


_PUT_OFF = re.compile(
    TO + BY + rb"(?> defer \((?:-?\d+)\)|)(?>" + AT + rb"|)" + INTERFACE + TLS + rb": "
)
_REASON = re.compile(
    rb"(?:TLS session: |(?=a TLS session is required, but )|(?=DANE error: )"
    # check_response() of smtp.c; only what was said of STARTTLS itself.
    rb"|(?=SMTP (?:error from remote mail server|timeout) after STARTTLS\b)"
    rb"|(?=(?:Remote host closed connection|Malformed SMTP reply) in response to STARTTLS\b))(.*)"
)
_HEAD = re.compile(STAMP + rb"(?>" + ID + rb"|)(?>((?:==|\*\*) )|)")
# What the role exim has logged where all servers of a domain are left out, and what is wrong.
_LEFT_OUT: tuple[tuple[Refusal, re.Pattern[bytes]], ...] = (
    ("dane-required", _nowhere(rb"DANE is required for \S+, and (\S+?)(?>(?:, \S+)*) has none")),
    ("mta-sts-unlisted", _nowhere(rb"(\S+?)(?>(?:, \S+)*) is not in the MTA-STS policy of \S+")),
)
_ATTEMPT = re.compile(rb"DANE attempt failed; TLS connection to (\S+) " + IP + rb": (.*)")


class PutOff(NamedTuple):
    """What a line says of a recipient, or of a connection.

    Attributes:
        domain: of the recipient; empty if the line names none.
        via: Exim's transport; empty if the line names none.
        host, ip: the server; empty if the line names none.
        words: why TLS did not come about; None for another reason.
    """

    domain: bytes
    via: bytes
    host: bytes
    ip: bytes
    words: bytes | None


class LeftOut(NamedTuple):
    """A domain with no server that its mail may go to: the first of them, why, and Exim's words."""

    why: Refusal
    domain: bytes
    words: bytes
    host: bytes


def put_off(line: bytes, at: int) -> PutOff | None:
    """A line of a recipient, with a mark, which ends at *at*; None if it cannot be read."""
    found = _PUT_OFF.match(line, at)
    if found is None:
        return None
    domain, via, host, ip, *_ = found.groups(b"")
    return PutOff(domain, via, host, ip, reason(line, found.end()))


def refused(line: bytes) -> tuple[bytes, bytes, bytes, Refusal] | None:
    """Domain, host, address and reason, where a line is of TLS or a proof that was wanting."""
    head = _HEAD.match(line)
    if head is None:
        return None
    at = head.end()
    if head[3] and (off := left_out(line, at)):
        return off.domain, off.host, b"", off.why
    found = put_off(line, at) if head[3] else attempt(line, at)
    if found is None or found.words is None:
        return None
    return found.domain, found.host, found.ip, refusal(found.words)


def left_out(line: bytes, at: int) -> LeftOut | None:
    """What the role `exim` has logged of a recipient; None if it is about something else."""
    for why, shape in _LEFT_OUT:
        if found := shape.fullmatch(line, at):
            return LeftOut(why, *found.groups(b""))
    return None


def reason(line: bytes, at: int) -> bytes | None:
    """Why TLS did not come about, as Exim writes it there; None: it is another reason."""
    found = _REASON.match(line, at)
    return found[1] if found else None


def attempt(line: bytes, at: int) -> PutOff | None:
    """A connection on which DANE failed; None if the line is about something else."""
    found = _ATTEMPT.match(line, at)
    return PutOff(b"", b"", *found.groups(b"")) if found else None
