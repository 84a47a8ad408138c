"""Bytes of known attacks, made harmless, and what a server's reaction to them means. Pure.

Each begins after a ServerHelloDone up to TLS 1.2, where the server waits for a ClientKeyExchange.
"""

import os
import struct
from itertools import takewhile
from typing import Self

from msgspec import Struct

from audit.iana import Version
from audit.iana.versions import CODES
from audit.wire.answer import Alert
from audit.wire.hello import handshake_message

_CHANGE_CIPHER_SPEC, _ALERT, _HANDSHAKE, _HEARTBEAT = 20, 21, 22, 24
_NEW_SESSION_TICKET, _CLIENT_KEY_EXCHANGE = 4, 16
_FATAL = 2
_SECRET = 48  # bytes of a premaster secret (RFC 5246, section 7.4.7.1)
_OVERREAD = 16  # bytes asked for beyond what was sent: enough to see, too few to steal


def record(kind: int, version: Version, body: bytes) -> bytes:
    """One TLS record."""
    return struct.pack("!BHH", kind, CODES[version], len(body)) + body


def change_cipher_spec(version: Version) -> bytes:
    """ChangeCipherSpec where no keys are there yet (CVE-2014-0224)."""
    return record(_CHANGE_CIPHER_SPEC, version, b"\x01")


def heartbeat(version: Version) -> bytes:
    """A heartbeat that claims more payload than it carries (CVE-2014-0160)."""
    return record(_HEARTBEAT, version, struct.pack("!BH", 1, _OVERREAD))


def paddings(version: Version, size: int) -> dict[str, bytes]:
    """Premaster secrets as PKCS #1 blocks of *size* bytes: one that is right, four that are not.

    After Boeck, Somorovsky, Young, "Return Of Bleichenbacher's Oracle Threat" (2018), section 3.
    A server that tells any of them from the others decrypts for whoever asks often enough.
    """
    secret = struct.pack("!H", CODES[version]) + os.urandom(_SECRET - 2)
    pad = bytes(1 + b % 255 for b in os.urandom(size - 3 - _SECRET))
    long_pad = bytes(1 + b % 255 for b in os.urandom(size - 4))
    return {
        "right": b"\x00\x02" + pad + b"\x00" + secret,
        "first bytes wrong": b"\x41\x17" + pad + b"\x00" + secret,
        "zero at the end": b"\x00\x02" + long_pad + b"\x00\x11",
        "no zero": b"\x00\x02" + long_pad + b"\x11\x11",
        "version wrong": b"\x00\x02" + pad + b"\x00\x02\x02" + secret[2:],
    }


def key_exchange(version: Version, block: bytes, modulus: int, exponent: int) -> bytes:
    """ClientKeyExchange of this block, ChangeCipherSpec, and a Finished that cannot be right."""
    size = (modulus.bit_length() + 7) // 8
    encrypted = pow(int.from_bytes(block), exponent, modulus).to_bytes(size)
    body = encrypted if version == "SSLv3" else size.to_bytes(2) + encrypted
    message = handshake_message(_CLIENT_KEY_EXCHANGE, body)
    return (
        record(_HANDSHAKE, version, message)
        + change_cipher_spec(version)
        + record(_HANDSHAKE, version, os.urandom(64))
    )


class Reaction(Struct, frozen=True):
    """What a server says to something that no client should send.

    Attributes:
        records: kind and body of each whole record.
        cut: whether the beginning of another came.
        closed: whether the server closed; otherwise it was silent in the end.
    """

    records: tuple[tuple[int, bytes], ...]
    cut: bool
    closed: bool

    @classmethod
    def of(cls, stream: bytes, *, closed: bool) -> Self:
        """Read what came, to the first fatal alert: behind it there is no TLS (RFC 5246, 7.2.2).

        A server that was asked for STARTTLS may go on in clear (Cyrus: "NO Starttls failed").
        """
        records, rest = split(stream)
        for number, (kind, body) in enumerate(records, 1):
            if kind == _ALERT and len(body) == 2 and body[0] == _FATAL:
                return cls(tuple(records[:number]), cut=False, closed=closed)
        return cls(tuple(records), bool(rest), closed)

    @property
    def alert(self) -> int | None:
        """The first fatal alert."""
        fatal = (b[1] for k, b in self.records if k == _ALERT and len(b) == 2 and b[0] == _FATAL)
        return next(fatal, None)

    @property
    def heartbeat(self) -> bool:
        """Whether a heartbeat came: RFC 6520, section 4, wants a wrong one discarded silently."""
        return any(kind == _HEARTBEAT for kind, _ in self.records)

    @property
    def silent(self) -> bool:
        """Nothing at all came, not even a close."""
        return not (self.records or self.cut or self.closed)

    def __str__(self) -> str:
        """In words that are equal for equal reactions: alerts, close, silence."""
        words = [
            str(Alert(body[1])) if kind == _ALERT and len(body) == 2 else f"record {kind}"
            for kind, body in self.records
        ]
        words += ["a part of a record"] if self.cut else []
        return ", ".join([*words, "closed" if self.closed else "silence"])


def split(stream: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """The whole records, kind and body of each, and what is left."""
    records = []
    while len(stream) >= 5:
        kind, _, length = struct.unpack_from("!BHH", stream)
        if len(stream) < 5 + length:
            break
        records.append((kind, stream[5 : 5 + length]))
        stream = stream[5 + length :]
    return records, stream


def session_ticket(stream: bytes) -> bytes:
    """The ticket that a server gives in clear up to TLS 1.2 (RFC 5077, 3.3); empty without one."""
    clear = takewhile(lambda one: one[0] != _CHANGE_CIPHER_SPEC, split(stream)[0])
    messages = bytearray(b"".join(body for kind, body in clear if kind == _HANDSHAKE))
    while len(messages) >= 4:
        body = messages[4 : 4 + int.from_bytes(messages[1:4])]
        if messages[0] == _NEW_SESSION_TICKET and len(body) >= 6:
            return bytes(body[6 : 6 + int.from_bytes(body[4:6])])
        del messages[: 4 + len(body)]
    return b""
