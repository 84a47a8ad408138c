"""What a server says to a ClientHello: bytes in, facts out. Hostile input is the normal case.

`Reader` takes bytes as they come and says when it has seen enough. It never reads beyond what a
hello can be answered with, and whatever does not parse ends in a `Garbage`, not in an exception.
"""

import struct
from dataclasses import dataclass, replace

from audit.iana import Suite, Version, suite, version_name
from audit.iana.versions import CODES

_ALERT, _HANDSHAKE = 21, 22
_HELLO_REQUEST = 0
_SERVER_HELLO, _CERTIFICATE, _KEY_EXCHANGE, _DONE = 2, 11, 12, 14
_RENEGOTIATION, _SUPPORTED_VERSIONS, _KEY_SHARE = 0xFF01, 43, 51
_RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
_NAMED_CURVE = 3
_WARNING, _CLOSING = 1, (0, 90)
_LARGEST_RECORD = (1 << 14) + 2048
_MOST_BYTES = 1 << 18
_SSL2_SERVER_HELLO = 4
_ALERTS = {
    0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 40: "handshake_failure",
    42: "bad_certificate", 47: "illegal_parameter", 50: "decode_error", 70: "protocol_version",
    71: "insufficient_security", 80: "internal_error", 86: "inappropriate_fallback",
    90: "user_canceled", 109: "missing_extension", 112: "unrecognized_name",
    116: "certificate_required", 120: "no_application_protocol",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Accepted:
    """A ServerHello, with what came after it in clear.

    Attributes:
        version: what the server chose; None for a number no standard defines.
        suite: the suite it chose; None in SSLv2, where the client chooses.
        compression: 0, or 1 for DEFLATE.
        group: code of the named group, from ServerKeyExchange or HelloRetryRequest.
        dh_bits: size of the prime, for DHE.
        chain: the certificates in clear (up to TLS 1.2), leaf first.
        secure_renegotiation: RFC 5746 answered.
    """

    version: Version | None
    suite: Suite | None
    compression: int = 0
    group: int | None = None
    dh_bits: int | None = None
    chain: tuple[bytes, ...] = ()
    secure_renegotiation: bool = False


@dataclass(frozen=True, slots=True)
class Alert:
    """A fatal alert (RFC 8446, section 6)."""

    code: int

    def __str__(self) -> str:
        """As "alert 40 handshake_failure"."""
        return f"alert {self.code} {_ALERTS.get(self.code, '')}".strip()


@dataclass(frozen=True, slots=True)
class Garbage:
    """Something that is not an answer to a hello; *start* is what came first."""

    start: bytes

    def __str__(self) -> str:
        """The first bytes, readable."""
        return f"not TLS: {self.start[:32]!r}"


Answer = Accepted | Alert | Garbage


class _Malformed(Exception):
    """The bytes do not parse."""


class Reader:
    """Collects bytes until they answer the hello.

    Attributes:
        answer: None until enough has come.
        warning: the last alert that was a warning only.
    """

    def __init__(self, offered: Version) -> None:
        """Take the version that was offered: SSLv2 answers look different."""
        self._ssl2 = offered == "SSLv2"
        self._start = b""
        self._raw = bytearray()
        self._handshake = bytearray()
        self._total = 0
        self._hello: Accepted | None = None
        self.warning: Alert | None = None
        self.answer: Answer | None = None

    def feed(self, data: bytes) -> Answer | None:
        """Take what came; give the answer once it is complete."""
        if self.answer is None:
            data = data[: _MOST_BYTES - self._total]
            self._start += data[: 64 - len(self._start)]
            self._raw += data
            self._total += len(data)
            try:
                self._advance()
            except (_Malformed, struct.error, IndexError, ValueError):
                self.answer = self._hello or Garbage(self._start)
            if self.answer is None and self._total == _MOST_BYTES:
                self.answer = self._hello or Garbage(self._start)
        return self.answer

    def end(self) -> Answer | None:
        """The peer closed: what can be said with what has come; None if it said nothing."""
        if self.answer is None:
            self.answer = self._hello or self.warning
        if self.answer is None and self._start:
            self.answer = Garbage(self._start)
        return self.answer

    def _advance(self) -> None:
        if self._ssl2 and self._raw:
            if self._raw[0] not in (_ALERT, _HANDSHAKE):
                self._advance_ssl2()
                return
            self._ssl2 = False  # what began as TLS goes on as TLS
        while self.answer is None and len(self._raw) >= 5:
            kind, version, length = struct.unpack_from("!BHH", self._raw)
            if kind not in (_ALERT, _HANDSHAKE) or version >> 8 != 3 or length > _LARGEST_RECORD:
                raise _Malformed
            if len(self._raw) < 5 + length:
                return
            body = bytes(self._raw[5 : 5 + length])
            del self._raw[: 5 + length]
            if kind == _ALERT:
                self._alert(body)
                continue
            self._handshake += body
            self._messages()

    def _alert(self, body: bytes) -> None:
        if len(body) < 2:
            raise _Malformed
        level, code = body[0], body[1]
        if level == _WARNING and code not in _CLOSING:
            self.warning = Alert(code)  # "unrecognized_name" may precede a ServerHello
        else:
            self.answer = self._hello or Alert(code)

    def _messages(self) -> None:
        while self.answer is None and len(self._handshake) >= 4:
            length = int.from_bytes(self._handshake[1:4])
            if length > _MOST_BYTES:
                raise _Malformed
            if len(self._handshake) < 4 + length:
                return
            kind, body = self._handshake[0], bytes(self._handshake[4 : 4 + length])
            del self._handshake[: 4 + length]
            self._message(kind, body)

    def _message(self, kind: int, body: bytes) -> None:
        if kind == _HELLO_REQUEST:
            return
        if self._hello is None:
            if kind != _SERVER_HELLO:
                raise _Malformed
            self._hello = server_hello(body)
            if self._hello.version == "TLSv1.3":
                self.answer = self._hello
        elif kind == _CERTIFICATE:
            self._hello = replace(self._hello, chain=_certificates(body))
        elif kind == _KEY_EXCHANGE:
            group, bits = _key_exchange(body, self._hello.suite)
            self._hello = replace(self._hello, group=group, dh_bits=bits)
        elif kind == _DONE:
            self.answer = self._hello

    def _advance_ssl2(self) -> None:
        if len(self._raw) < 3:
            return
        short = bool(self._raw[0] & 0x80)
        length = struct.unpack_from("!H", self._raw)[0] & (0x7FFF if short else 0x3FFF)
        start = 2 if short else 3
        if len(self._raw) < start + length:
            if length > _LARGEST_RECORD * 2:
                raise _Malformed
            return
        body = bytes(self._raw[start : start + length])
        if len(body) == 3 and body[0] == 0:  # an SSLv2 ERROR message
            self.answer = Alert(int.from_bytes(body[1:3]))
            return
        if len(body) < 11 or body[0] != _SSL2_SERVER_HELLO:
            raise _Malformed
        if struct.unpack_from("!H", body, 3)[0] != CODES["SSLv2"]:
            raise _Malformed
        size = struct.unpack_from("!H", body, 5)[0]
        certificate = body[11 : 11 + size]
        self.answer = Accepted("SSLv2", None, chain=(certificate,) if certificate else ())


def server_hello(body: bytes) -> Accepted:
    """The facts of a ServerHello or HelloRetryRequest body (RFC 8446, section 4.1.3)."""
    version, random = struct.unpack_from("!H32s", body)
    at = 35 + body[34]
    chosen, compression = struct.unpack_from("!HB", body, at)
    extensions = _extensions(body[at + 3 :])
    if _SUPPORTED_VERSIONS in extensions:
        version = struct.unpack("!H", extensions[_SUPPORTED_VERSIONS])[0]
    share = extensions.get(_KEY_SHARE, b"")
    group = struct.unpack_from("!H", share)[0] if len(share) >= 2 else None
    if random == _RETRY_RANDOM and group is None:
        raise _Malformed
    return Accepted(
        version=version_name(version),
        suite=suite(chosen),
        compression=compression,
        group=group,
        secure_renegotiation=_RENEGOTIATION in extensions,
    )


def _extensions(body: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    if not body:
        return found
    end = 2 + struct.unpack_from("!H", body)[0]
    if end > len(body):
        raise _Malformed
    at = 2
    while at < end:
        kind, length = struct.unpack_from("!HH", body, at)
        found[kind] = body[at + 4 : at + 4 + length]
        at += 4 + length
    return found


def _certificates(body: bytes) -> tuple[bytes, ...]:
    chain, at = [], 3
    end = 3 + int.from_bytes(body[:3])
    while at + 3 <= min(end, len(body)):
        length = int.from_bytes(body[at : at + 3])
        chain.append(body[at + 3 : at + 3 + length])
        at += 3 + length
    return tuple(chain)


def _key_exchange(body: bytes, chosen: Suite | None) -> tuple[int | None, int | None]:
    """Group and prime size of a ServerKeyExchange (RFC 8422, section 5.4; RFC 5246, 7.4.3)."""
    kx = chosen.key_exchange if chosen else ""
    if kx.startswith("EC") and body[0] == _NAMED_CURVE:
        return struct.unpack_from("!H", body, 1)[0], None
    if kx.startswith("DH"):
        length = struct.unpack_from("!H", body)[0]
        return None, int.from_bytes(body[2 : 2 + length]).bit_length()
    return None, None
