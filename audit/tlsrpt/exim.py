"""What a line of Exim's mainlog says of TLS with another server. Pure.

A line is read from its beginning, field by field; quoted parts of addresses are skipped whole, and
reasons are believed only where Exim itself writes them. What looks like one elsewhere, as in the
answer of a server, is none.

Source: smtp.c, deliver.c, tls-gnu.c and tls-openssl.c of 4.96 to 4.99, and lines of a real Exim.
"""

import re
from typing import Literal, NamedTuple

from audit.tlsrpt.report import PolicyType
from audit.tlsrpt.results import ResultType
from audit.traffic.exim import ID, INTERFACE, IP, STAMP, TLS
from audit.traffic.exim_put_off import AT, BY, TO, attempt, left_out, put_off, reason
from audit.traffic.refusal import Refusal, refusal

Kind = Literal["sent", "copy", "failed", "put-off", "verify", "completed", "unclear", "no-policy"]

_HEAD = re.compile(STAMP + ID)
_SENT = re.compile(
    TO
    + BY
    + AT
    + rb"(\*?+)(?> PRX=\S+|)"
    + INTERFACE
    + rb"(?> PS=\S+|)"
    + TLS
    + rb'(?! (?:H|X|CV)=| DN=(?!"))(?= |$)'
)
_LOCAL = re.compile(TO + BY + rb"(?! (?:H|X|CV|DN)=)(?= |$)|[|/](?!.* H=)")
_HOST = re.compile(rb"H=(\S+) " + IP + rb": ")
_CLEAR = re.compile(
    rb"TLS session: (.*): delivering unencrypted to H=(\S+) "
    + IP
    + rb" \(not in hosts_require_tls\)"
)
_VERIFY = re.compile(IP + rb" SSL verify error(?> \([^()]*\)|): (?>depth=\d+ error=|)(.*)")
_LEFT_OUT: dict[Refusal, tuple[PolicyType, ResultType]] = {
    "mta-sts-unlisted": ("sts", "validation-failure"),
    "dane-required": ("tlsa", "dane-required"),
}
_MAY_BE = re.compile(rb"TLS session|DANE ")

# What RFC 8460 has a word for; whatever else it is is a failure of validation, with Exim's words.
_RESULTS: dict[Refusal, ResultType] = {
    "starttls-not-supported": "starttls-not-supported",
    "dane-required": "dane-required",
    "dnssec-invalid": "dnssec-invalid",
    "tlsa-invalid": "tlsa-invalid",
    "certificate-host-mismatch": "certificate-host-mismatch",
}
# OpenSSL says in a line of its own what it did not like (X509_verify_cert_error_string).
_VERIFIED: tuple[tuple[ResultType, re.Pattern[bytes]], ...] = (
    ("certificate-host-mismatch", re.compile(rb"certificate name mismatch: ")),
    ("certificate-expired", re.compile(rb"certificate has expired cert=")),
    (
        "certificate-not-trusted",
        re.compile(
            rb"(?:self-signed certificate|self signed certificate"
            rb"|unable to get (?:local )?issuer certificate|certificate not trusted"
            rb"|unable to verify the first certificate)(?: in certificate chain)? cert="
        ),
    ),
)


class Event(NamedTuple):
    """What one line says.

    Attributes:
        kind: "sent": a mail went over; "copy": to one recipient more; "failed": TLS did not come
            about; "put-off": a mail did not go over, for another reason; "verify": why a
            certificate will be refused, if it is; "no-policy": the helper for MTA-STS took no
            policy; "unclear": it speaks of TLS or of another server, and cannot be read.
        stamp: its time, as it is written.
        id: the message.
        domain: of the recipient; empty if the line names none.
        via: Exim's transport; empty if the line names none.
        host, ip: the server; empty if the line names none.
        tls: whether the mail went over TLS.
        verified: what Exim says of the certificate (CV=): yes, no, dane; empty if it says nothing.
        again: whether the connection had carried another mail before.
        policy: what was applied, as far as the line says; None if it does not.
        result: why it failed.
        words: the same in Exim's words.
    """

    kind: Kind
    stamp: bytes
    id: bytes
    domain: bytes = b""
    via: bytes = b""
    host: bytes = b""
    ip: bytes = b""
    tls: bool = False
    verified: bytes = b""
    again: bool = False
    policy: PolicyType | None = None
    result: ResultType = "validation-failure"
    words: bytes = b""


def event(line: bytes) -> Event | None:
    """What a line says; None if it is about something else."""
    head = _HEAD.match(line)
    if head is None:
        return None
    at, stamp, identity = head.end(), head[0][: head.start(2)].strip(), head[2]
    mark = line[at : at + 3]
    if mark in (b"=> ", b"-> ", b">> "):
        return _sent(line, at + 3, stamp, identity, copy=mark == b"-> ")
    if mark in (b"== ", b"** "):
        return _put_off(line, at + 3, stamp, identity)
    if line.startswith(b"Completed", at):
        return Event("completed", stamp, identity)
    return _of_host(line, at, stamp, identity)


def _sent(line: bytes, at: int, stamp: bytes, identity: bytes, *, copy: bool) -> Event | None:
    found = _SENT.match(line, at)
    if found is None:
        local = _LOCAL.match(line, at)
        return None if local else Event("unclear", stamp, identity)
    domain, via, host, ip, again, x, cv = found.groups(b"")
    return Event(
        "copy" if copy else "sent",
        *(stamp, identity, domain, via, host, ip),
        verified=cv,
        tls=bool(x or cv or line.startswith(b' DN="', found.end())),
        again=bool(again),
        policy="tlsa" if cv == b"dane" else "no-policy-found",
    )


def _put_off(line: bytes, at: int, stamp: bytes, identity: bytes) -> Event | None:
    if off := left_out(line, at):
        policy, result = _LEFT_OUT[off.why]
        failed = _failed(stamp, identity, off.domain, off.host, b"", off.words)
        return failed._replace(policy=policy, result=result)
    found = put_off(line, at)
    if found is None:
        return Event("unclear", stamp, identity) if _MAY_BE.search(line, at) else None
    domain, via, host, ip, words = found
    if words is None:
        return Event("put-off", stamp, identity, domain, via, host, ip)
    return _failed(stamp, identity, domain, host, ip, words)._replace(via=via)


def _of_host(line: bytes, at: int, stamp: bytes, identity: bytes) -> Event | None:
    if dane := attempt(line, at):
        host, ip, words = dane.host, dane.ip, dane.words or b""
        return _failed(stamp, identity, b"", host, ip, words)._replace(policy="tlsa")
    if (found := _HOST.match(line, at)) and (said := reason(line, found.end())) is not None:
        host, ip = found.groups(b"")
        return _failed(stamp, identity, b"", host, ip, said)
    if found := _CLEAR.fullmatch(line, at):
        words, host, ip = found.groups(b"")
        # With DANE there is no going on in clear.
        return _failed(stamp, identity, b"", host, ip, words)._replace(policy="no-policy-found")
    if found := _VERIFY.match(line, at):
        ip, words = found.groups(b"")
        return Event("verify", stamp, identity, ip=ip, result=_verified(words))
    return None


def _failed(  # noqa: PLR0913, PLR0917 - the fields of a line
    stamp: bytes, identity: bytes, domain: bytes, host: bytes, ip: bytes, words: bytes
) -> Event:
    policy: PolicyType | None = "tlsa" if words.startswith(b"DANE error: ") else None
    result = _RESULTS.get(refusal(words), "validation-failure")
    return Event(
        *("failed", stamp, identity, domain, b"", host, ip),
        policy=policy,
        result=result,
        words=words,
    )


def _verified(words: bytes) -> ResultType:
    return next((name for name, pattern in _VERIFIED if pattern.match(words)), "validation-failure")
