"""What a server says to a ClientHello: bytes in, facts out. Hostile input is the normal case.

`Reader` takes bytes as they come and says when it has seen enough. It never reads beyond what a
hello can be answered with, and whatever does not parse ends in a `Garbage`, not in an exception.
"""

import struct

from msgspec import Struct
from msgspec.structs import replace

from audit.iana import Version
from audit.iana.versions import CODES
from audit.wire.server_hello import (
    Accepted,
    Malformed,
    certificates,
    key_exchange,
    server_hello,
)

_ALERT, _HANDSHAKE = 21, 22
_HELLO_REQUEST = 0
_SERVER_HELLO, _CERTIFICATE, _KEY_EXCHANGE, _DONE, _STATUS = 2, 11, 12, 14, 22
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


class Alert(Struct, frozen=True):
    """A fatal alert (RFC 8446, section 6)."""

    code: int

    def __str__(self) -> str:
        """As "alert 40 handshake_failure"."""
        return f"alert {self.code} {_ALERTS.get(self.code, '')}".strip()


class Garbage(Struct, frozen=True):
    """Something that is not an answer to a hello; *start* is what came first."""

    start: bytes

    def __str__(self) -> str:
        """The first bytes, readable."""
        return f"not TLS: {self.start[:32]!r}"


class Closed(Struct, frozen=True):
    """The server closed the connection without a word."""

    def __str__(self) -> str:
        """In words."""
        return "closed without a word"


class Unheard(Struct, frozen=True):
    """No answer came, for a reason that has nothing to do with the hello."""

    why: str

    def __str__(self) -> str:
        """In words."""
        return self.why


Answer = Accepted | Alert | Garbage | Closed
Heard = Answer | Unheard


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
            except (Malformed, struct.error, IndexError, ValueError):
                self.answer = self._hello or Garbage(self._start)
            if self.answer is None and self._total == _MOST_BYTES:
                self.answer = self._hello or Garbage(self._start)
        return self.answer

    def end(self) -> Answer:
        """The peer closed: what can be said with what has come."""
        if self.answer is None:
            self.answer = self._hello or self.warning
        if self.answer is None and self._start:
            self.answer = Garbage(self._start)
        self.answer = self.answer or Closed()
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
                raise Malformed
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
            raise Malformed
        level, code = body[0], body[1]
        if level == _WARNING and code not in _CLOSING:
            self.warning = Alert(code)  # "unrecognized_name" may precede a ServerHello
        else:
            self.answer = self._hello or Alert(code)

    def _messages(self) -> None:
        while self.answer is None and len(self._handshake) >= 4:
            length = int.from_bytes(self._handshake[1:4])
            if length > _MOST_BYTES:
                raise Malformed
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
                raise Malformed
            self._hello = server_hello(body)
            if self._hello.version == "TLSv1.3":
                self.answer = self._hello
        elif kind == _CERTIFICATE:
            self._hello = replace(self._hello, chain=certificates(body))
        elif kind == _STATUS:
            self._hello = replace(self._hello, stapled=True)
        elif kind == _KEY_EXCHANGE:
            self._hello = key_exchange(body, self._hello)
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
                raise Malformed
            return
        body = bytes(self._raw[start : start + length])
        if len(body) == 3 and body[0] == 0:  # an SSLv2 ERROR message
            self.answer = Alert(int.from_bytes(body[1:3]))
            return
        if len(body) < 11 or body[0] != _SSL2_SERVER_HELLO:
            raise Malformed
        if struct.unpack_from("!H", body, 3)[0] != CODES["SSLv2"]:
            raise Malformed
        size = struct.unpack_from("!H", body, 5)[0]
        certificate = body[11 : 11 + size]
        self.answer = Accepted("SSLv2", None, chain=(certificate,) if certificate else ())
