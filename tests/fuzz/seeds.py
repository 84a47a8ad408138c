"""Where the fuzzers start: the words of real servers, each in the form that its target takes."""

import gzip
import struct
from collections.abc import Iterable, Sequence
from typing import Any

import dns.flags
import dns.message
import dns.rcode

from audit.clients.load import clients
from audit.facts import Kind
from tests.domain.hostile import RRSIG, answer
from tests.fuzz import domains
from tests.fuzz.certificates import PKI
from tests.fuzz.hosts import CLOCK
from tests.fuzz.replies import GRAMMARS, SERVICES
from tests.tlsrpt.foreign import FOREIGN, mailed, raw
from tests.tlsrpt.lines import SAMPLES, STS_SAMPLES

_PIECES = b"\3\1\5\40"  # three sizes for the pieces of a stream
_RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")


def _record(kind: int, body: bytes) -> bytes:
    return struct.pack("!BHH", kind, 0x0303, len(body)) + body


def _message(kind: int, body: bytes) -> bytes:
    return bytes((kind,)) + len(body).to_bytes(3) + body


def _hello(
    code: int, extensions: bytes = b"", random: bytes = bytes(32), session: int = 0
) -> bytes:
    head = struct.pack("!H32sB", 0x0303, random, session) + bytes(session)
    size = struct.pack("!H", len(extensions)) if extensions else b""
    return head + struct.pack("!HB", code, 0) + size + extensions


_RENEGOTIATION = b"\xff\x01\0\1\0"
_HELLOS = (
    _hello(0xC02F, _RENEGOTIATION + b"\0\x0b\0\2\1\0", session=32),
    _hello(0x009E, _RENEGOTIATION),
    _hello(0x1301, b"\0\x2b\0\2\3\4" + b"\0\x33\0\2\0\x1d", _RETRY, 32),
    _hello(0x1302, b"\0\x2b\0\2\3\4" + b"\0\x33\0\x24\0\x1d\0\x20" + bytes(32)),
    _hello(0x000A),
)
_CHAIN = b"".join(len(der).to_bytes(3) + der for der in (PKI["ecdsa"], PKI["root"]))
_CERTIFICATE = _message(11, len(_CHAIN).to_bytes(3) + _CHAIN)
_SHORT = _message(11, b"\0\0\5\0\0\2ab")
_ECDHE = _message(12, b"\3\0\x1d\x20" + bytes(32))
_DHE = _message(12, b"\0\x10\xf7" + bytes(15) + b"\0\1\2\0\1\1")
_DONE = _message(14, b"")
_SSL2 = struct.pack("!BBBHHHH", 4, 0, 1, 2, 2, 3, 16) + b"DE\1\0\x80" + bytes(16)
_STREAMS = (
    b"",
    _record(22, _message(2, _HELLOS[0]) + _CERTIFICATE + _ECDHE + _DONE),
    *(_record(22, part) for part in (_message(2, _HELLOS[1]) + _SHORT, _DHE + _DONE)),
    _record(22, _message(2, _HELLOS[1]) + _SHORT) + _record(22, _DHE + _DONE),
    _record(22, _message(2, _HELLOS[2])),
    _record(22, _message(2, _HELLOS[3])) + _record(20, b"\1"),
    _record(22, _message(0, b"") + _message(2, _HELLOS[4])) + _record(21, b"\2\x28"),
    _record(21, b"\1\x70") + _record(22, _message(2, _HELLOS[4]) + _DONE),
    _record(21, b"\1\x70") + b"\x80\3\0\0\1",
    _record(21, b"\2\x46"),
    struct.pack("!H", 0x8000 | len(_SSL2)) + _SSL2,
    b"\x80\3\0\0\1",
    b"421 too many connections\r\n",
    b"* BYE overloaded\r\n",
    b"HTTP/1.1 400 Bad Request\r\n\r\n",
)

# Service, and all that the server says on one connection.
_TALKS = (
    ("imap", (b"* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] Cyrus\r\n* CAPABILITY IMAP4rev1"
             b" ID STARTTLS LOGINDISABLED\r\nc1 OK done\r\nc3 NO Login only available under a"
             b" layer\r\n")),
    ("imap", b"* OK ready\r\nc2 OK Begin TLS\r\n"),
    ("imap", (b"* PREAUTH hi\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nc1 OK\r\n"
             b"c3 NO [AUTHENTICATIONFAILED] no\r\n")),
    ("imap", b"* BYE overloaded\r\n"),
    ("pop3", (b"+OK Cyrus POP3\r\n+OK list\r\nSTLS\r\nSASL PLAIN\r\nUSER\r\n.\r\n+OK name\r\n"
             b"-ERR [AUTH] Invalid login\r\n")),
    ("pop3", b"+OK ready\r\n-ERR unknown command\r\n-ERR STLS first\r\n"),
    ("pop3", b"-ERR [SYS/TEMP] busy\r\n"),
    ("sieve", (b'"IMPLEMENTATION" "Cyrus"\r\n"SASL" "PLAIN LOGIN"\r\n"STARTTLS"\r\nOK\r\n'
              b'NO "Authentication Error"\r\n')),
    ("sieve", b'BYE "too many"\r\n'),
    ("smtp", (b"220-m\r\n220 m ESMTP\r\n250-m Hello\r\n250-STARTTLS\r\n250-AUTH PLAIN LOGIN\r\n"
             b"250 HELP\r\n504 no such mechanism\r\n334 VXNlcm5hbWU6\r\n501 cancelled\r\n"
             b"530 5.7.0 Must issue a STARTTLS command first\r\n")),
    ("smtp", b"220 m\r\n250 STARTTLS\r\n220 go ahead\r\n503 no\r\n503 no\r\n250 OK\r\n"),
    ("smtp", b"421 too many connections\r\n"),
    ("smtp", b"554 no\r\n"),
    ("lmtp", (b"220 m LMTP\r\n250-m\r\n250 STARTTLS\r\n502 5.5.1 Unknown command\r\n"
             b"535 5.7.8 Authentication failed\r\n")),
)  # fmt: skip
_GRAMMAR = {"smtp": "smtp", "lmtp": "smtp", "imap": "imap", "pop3": "pop3-list", "sieve": "sieve"}

_HOST = b"""process\t7\tcyrus\timapd\t5000\t/usr/lib/cyrus/bin/imapd
library\t7\tno\t/usr/lib/libssl.so.3
file\t640\troot\tmail\t1970-01-01 00:16:00.250000000 +0000\t/etc/mailseal/tls/rsa.key
option\tcyrus\ttls_ciphers\tA:B
cnf\tcyrus\tGroups = X25519
report\texim\tExim version 4.96
digest\t7\t00\t/usr/lib/libssl.so.3
listens\t7\t993
service\timaps\t993
version\tOpenSSL 3.0.22\t/usr/lib/libcrypto.so.3
owner\t\t/usr/lib/cyrus/bin/imapd
altered\tcyrus-imapd\tmissing\t/usr/lib/cyrus/bin/pop3d
package\tcyrus-imapd\tyes
system\tdebian\t12
nonsense\tline
"""


def _cut(streams: Iterable[bytes]) -> list[bytes]:
    return [_PIECES + stream for stream in streams]


def _choice(names: Sequence[str], name: str) -> bytes:
    return bytes((names.index(name),))


_TRY_MAIL = bytes((128 + (SERVICES.index("smtp") - 128) % len(SERVICES),))

# fill(): the size of pieces, the length of the head, the head, the unit.
_UNITS = (
    (b"", b"\x16\3\3\0\0"),
    (b"", _record(22, _message(0, b""))),
    (b"", _record(21, b"\1\x70")),
    (_record(22, _message(2, _HELLOS[4])), _record(22, _message(11, b"\0\0\3\0\0\0"))),
    (b"", b"250-x\r\n"),
    (b"250-", b"x"),
    (b"", b"* OK x\r\n"),
    (b"+OK\r\n", b"x\n"),
    (b"", b"\r"),
)

# Recorded clients that differ in kind, a hello of SSLv2 with suites of TLS, one in two records, a
# beginning, and no hello.
_RECORDED = ("openssl-3.5", "gnutls-3.7", "nss-3.87", "node-8", "tls10-dhe", "java-17")
_FIRST = bytes.fromhex(next(c.hello for c in clients() if c.id == "tls10-dhe"))
_SSL2_CLIENT = struct.pack("!BHHHH", 1, 0x0301, 9, 0, 16) + b"\0\0\x35\0\0\xff\1\0\x80" + bytes(16)
_CLIENTS = [
    *(bytes.fromhex(client.hello) for client in clients() if client.id in _RECORDED),
    struct.pack("!H", 0x8000 | len(_SSL2_CLIENT)) + _SSL2_CLIENT,
    _record(22, _FIRST[5:40]) + _record(22, _FIRST[40:]),
    _FIRST[:70],
    _record(22, _message(2, _HELLOS[4])),
    b"EHLO mail.example.org\r\n",
]

_STAMP = b"2026-11-29 10:11:12 "
_ID = _STAMP + b"1xVc0c-00003u-1d "
_X = b" X=TLS1.3:TLS_AES_256_GCM_SHA384:256* CV=no"
_SYSLOG = b"Nov 29 10:07:46 mx1 postfix/"
_LOGS = [
    b"\n".join(
        (
            _ID
            + b"<= a@b H=mx (helo) [192.0.2.1]:5 I=[192.0.2.9]:25 P=esmtps"
            + _X
            + b" S=5 id=a@b",
            _ID
            + b'<= "a b"@c H=h [2001:db8::1] P=esmtpsa'
            + _X
            + b' DN="/CN=a b" A=plain:me S=5 T="x"',
            _ID
            + b"=> c@d <e@f> F=<a@b> R=r T=t S=5 H=mx [192.0.2.7]"
            + _X
            + b' DN="CN=mx" K C="250 Ok"',
            _ID + b"-> e <e@d> R=r T=t ST=u",
            _ID + b"Completed QT=1s",
        )
    ),
    _STAMP[:-1] + b".123 +0100 [42] 1vP0eC-00000001hNa-0gCl == a@b R=r T=t defer (-53): no",
    _STAMP + b"H=h (x) [192.0.2.1]" + _X + b" F=<a@b> rejected RCPT <c@d>: no",
    _STAMP + b"TLS error on connection from h [192.0.2.1] (SSL_accept): error:0A000102:x",
    b"\n".join(
        (
            _SYSLOG + b"smtpd[7]: connect from a[192.0.2.2]",
            _SYSLOG
            + b"smtpd[7]: Anonymous TLS connection established from a[192.0.2.2]: TLSv1.3 with"
            b" cipher TLS_AES_256_GCM_SHA384 (256/256 bits)",
            _SYSLOG + b"smtpd[7]: A1: client=a[192.0.2.2]",
            _SYSLOG + b"cleanup[8]: A1: message-id=<a@b>",
            _SYSLOG + b"smtp[9]: A1: to=<a@b>, relay=mx[192.0.2.9]:25, delay=1, delays=0/0/1/0,"
            b" dsn=2.0.0, status=sent (250 Ok)",
            _SYSLOG + b"qmgr[6]: A1: removed",
        )
    ),
]

_POLICIES = [
    b"version: STSv1\nmode: enforce\nmx: mail.example.com\nmx: *.example.net\nmax_age: 604800\n",
    b"version: STSv1\r\nmode: testing\r\nmx: mx.example.org\r\nmax_age: 1\r\nnew: field\r\n",
    b"version: STSv1\nmode: none\nmax_age: 86400",
]
_TEXTS = [
    b"v=STSv1; id=20160831085700Z;\nv=spf1 -all",
    b"v=TLSRPTv1; rua=mailto:tls@example.org,https://example.org/tls\nv=STSv1",
    b"v=TLSRPTv1;rua=http://example.org/",
]


def _dns(kind: Kind, *records: str, **how: Any) -> bytes:
    """The kind that is asked for, and an answer."""
    query = dns.message.make_query("example.org", kind, want_dnssec=True)
    return bytes((domains.KINDS.index(kind),)) + answer(query, *records, **how)


_MESSAGES = [
    _dns("MX", "example.org. MX 10 mx.example.org.", f"example.org. RRSIG {RRSIG}"),
    _dns("MX", authority="example.org. SOA ns. root. 1 2 3 4 5"),
    _dns("MX", rcode=dns.rcode.SERVFAIL),
    _dns("A", "example.org. CNAME a.example.", "a.example. A 192.0.2.1", flags=dns.flags.AD),
    _dns("A", "example.org. CNAME a.example.", "a.example. CNAME example.org."),
    _dns("TLSA", "example.org. TLSA 3 1 1 " + "ab" * 32),
    _dns("TXT", 'example.org. TXT "v=STSv1; " "id=1" "\\255"'),
    _dns("DS", authority="org. NS ns.example."),
]
SEEDS: dict[str, list[bytes]] = {
    "answer": _cut(_STREAMS),
    "server-hello": list(_HELLOS),
    "client-hello": _CLIENTS,
    "reply": [
        *(_choice(GRAMMARS, _GRAMMAR[service]) + _PIECES + said for service, said in _TALKS),
        *(_choice(GRAMMARS, "greeting") + _PIECES + said for service, said in _TALKS[:4]),
        *(_choice(GRAMMARS, "pop3") + _PIECES + said for service, said in _TALKS[4:7]),
    ],
    "dialogue": [_choice(SERVICES, service) + _PIECES + said for service, said in _TALKS]
    + [_TRY_MAIL + _PIECES + said for service, said in _TALKS if service == "smtp"],
    "login": [_choice(SERVICES, service) + said for service, said in _TALKS],
    "endless": [bytes((16, len(head))) + head + unit for head, unit in _UNITS],
    "certificate": list(PKI.values()),
    "bent-certificate": [
        b"\0",
        b"\1\x09\0\4\x18\x0f\1\2",
        b"\3\x20\0\1\0\x21\2\0\x22\3\0",
        b"\3\x30\1\1\x0c\x32\0\x20" + b"\x1b[2J" * 8,
    ],
    "log": _LOGS,
    "sts-policy": _POLICIES,
    "domain-texts": _TEXTS,
    "dns-message": _MESSAGES,
    "tls-report": [
        *map(raw, FOREIGN),
        gzip.compress(raw("whole"), mtime=0),
        *(mailed(raw("terse"), subtype=subtype) for subtype in ("tlsrpt+gzip", "tlsrpt+json")),
        raw("terse").replace(b"Terse", rb"\u001b[2J\u202e"),
        mailed(b"{}"),
    ],
    "tls-sessions": [
        *("\n".join(lines).encode() for lines, *_ in SAMPLES.values()),
        *("\n".join(lines).encode() for lines in STS_SAMPLES.values()),
    ],
    "host": [
        _HOST,
        CLOCK.encode() + _HOST,
        b"clock\tx\ty\tz\n",
        b"sh: not found\n",
        "file\t640\ta\tb\t1970-01-01 00:16:00 +0000\t/x\u2028process\t1\texim\texim\t1\n".encode(),
        b"cnf\tcyrus\ta\x0cprocess\t1\texim\texim\t1\r\n",
    ],
}
