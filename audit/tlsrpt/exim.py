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

Kind = Literal["sent", "copy", "failed", "put-off", "verify", "completed", "unclear", "no-policy"]

_QUOTED = rb'"(?:[^"\\]|\\.)*+"'
_ADDRESS = rb"(?:" + _QUOTED + rb'|[^\s"@<>]++)(?:@([^\s"@<>]++))?+'
_WITHIN = rb"<(?:" + _QUOTED + rb'|[^\s"<>])*+>'
_TO = _ADDRESS + rb"(?: " + _WITHIN + rb")?+(?: F=" + _WITHIN + rb")?+(?: P=" + _WITHIN + rb")?+"
_BY = rb" R=\S++ T=([^\s:]++)(?: ST=\S++)?+(?: S=\d++)?+"
_AT = rb" H=(\S+)(?: DS)? " + IP

_HEAD = re.compile(STAMP + ID)
_SENT = re.compile(
    _TO
    + _BY
    + _AT
    + rb"(\*?+)(?: PRX=\S+)?+"
    + INTERFACE
    + rb"(?: PS=\S+)?+"
    + TLS
    + rb'(?! (?:H|X|CV)=| DN=(?!"))(?= |$)'
)
_PUT_OFF = re.compile(
    _TO + _BY + rb"(?: defer \((-?\d+)\))?+(?:" + _AT + rb")?+" + INTERFACE + TLS + rb": "
)
_LOCAL = re.compile(_TO + _BY + rb"(?! (?:H|X|CV|DN)=)(?= |$)|[|/](?!.* H=)")
_DANE = re.compile(rb"DANE attempt failed; TLS connection to (\S+) " + IP + rb": (.*)")
_HOST = re.compile(rb"H=(\S+) " + IP + rb": ")
_CLEAR = re.compile(
    rb"TLS session: (.*): delivering unencrypted to H=(\S+) "
    + IP
    + rb" \(not in hosts_require_tls\)"
)
_VERIFY = re.compile(IP + rb" SSL verify error(?: \([^()]*\))?+: (?:depth=\d+ error=)?+(.*)")
# What the role exim has Exim write of a server that it does not connect to.
_NOT_USED: tuple[tuple[PolicyType, ResultType, re.Pattern[bytes]], ...] = (
    (
        *("sts", "validation-failure"),
        re.compile(rb"(the MTA-STS policy of (\S+) does not list (\S+)): it is not used"),
    ),
    (
        *("tlsa", "dane-required"),
        re.compile(rb"(DANE is required for (\S+), and (\S+) has none): it is not used"),
    ),
)
_REASON = re.compile(
    rb"(?:TLS session: |(?=a TLS session is required, but )|(?=DANE error: )"
    # check_response() of smtp.c; only what was said of STARTTLS itself.
    rb"|(?=SMTP (?:error from remote mail server|timeout) after STARTTLS\b)"
    rb"|(?=(?:Remote host closed connection|Malformed SMTP reply) in response to STARTTLS\b))(.*)"
)
_MAY_BE = re.compile(rb"TLS session|DANE ")

# What Exim itself calls it when it raises `dane:fail`, or what the library's words mean. The first
# that fits; whatever else they say is a failure of validation, with these words as its reason.
_RESULTS: tuple[tuple[ResultType, re.Pattern[bytes]], ...] = (
    ("starttls-not-supported", re.compile(rb"a TLS session is required, but the server did not")),
    ("dane-required", re.compile(rb"DANE error: (?:tlsa lookup FAIL|\S+ lookup not DNSSEC)")),
    ("dnssec-invalid", re.compile(rb"DANE error: tlsa lookup ")),
    ("tlsa-invalid", re.compile(rb"\(certificate verification failed\): TLSA record problem: ")),
    # tls-gnu.c: every other failure to verify has its words behind it.
    ("certificate-host-mismatch", re.compile(rb"\(certificate verification failed\)$")),
)
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
    found = _PUT_OFF.match(line, at)
    if found is None:
        return Event("unclear", stamp, identity) if _MAY_BE.search(line, at) else None
    domain, via, _, host, ip, *_ = found.groups(b"")
    if reason := _REASON.match(line, found.end()):
        return _failed(stamp, identity, domain, host, ip, reason[1])._replace(via=via)
    return Event("put-off", stamp, identity, domain, via, host, ip)


def _of_host(line: bytes, at: int, stamp: bytes, identity: bytes) -> Event | None:
    if found := _DANE.match(line, at):
        return _failed(stamp, identity, b"", *found.groups(b""))._replace(policy="tlsa")
    if (found := _HOST.match(line, at)) and (reason := _REASON.match(line, found.end())):
        host, ip = found.groups(b"")
        return _failed(stamp, identity, b"", host, ip, reason[1])
    if found := _CLEAR.fullmatch(line, at):
        words, host, ip = found.groups(b"")
        # With DANE there is no going on in clear.
        return _failed(stamp, identity, b"", host, ip, words)._replace(policy="no-policy-found")
    for policy, result, shape in _NOT_USED:
        if found := shape.fullmatch(line, at):
            words, domain, host = found.groups()
            failed = _failed(stamp, identity, domain, host, b"", words)
            return failed._replace(policy=policy, result=result)
    if found := _VERIFY.match(line, at):
        ip, words = found.groups(b"")
        return Event("verify", stamp, identity, ip=ip, result=_result(_VERIFIED, words))
    return None


def _failed(  # noqa: PLR0913, PLR0917 - the fields of a line
    stamp: bytes, identity: bytes, domain: bytes, host: bytes, ip: bytes, words: bytes
) -> Event:
    policy: PolicyType | None = "tlsa" if words.startswith(b"DANE error: ") else None
    result = _result(_RESULTS, words)
    return Event(
        *("failed", stamp, identity, domain, b"", host, ip),
        policy=policy,
        result=result,
        words=words,
    )


def _result(table: tuple[tuple[ResultType, re.Pattern[bytes]], ...], words: bytes) -> ResultType:
    return next((name for name, pattern in table if pattern.match(words)), "validation-failure")
