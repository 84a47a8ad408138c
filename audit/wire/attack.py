"""Bytes of known attacks, made harmless, and what a server's reaction to them means. Pure.

Each begins after a ServerHelloDone up to TLS 1.2, where the server waits for a ClientKeyExchange.
"""

import os
import struct
from collections.abc import Sequence

from audit.iana import Version
from audit.iana.versions import CODES
from audit.wire.answer import Alert
from audit.wire.hello import handshake_message

_CHANGE_CIPHER_SPEC, _ALERT, _HANDSHAKE, _HEARTBEAT = 20, 21, 22, 24
_NEW_SESSION_TICKET, _CLIENT_KEY_EXCHANGE = 4, 16
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


def is_heartbeat(data: bytes | None) -> bool:
    """Whether it was answered: RFC 6520, section 4, wants it discarded silently."""
    return data is not None and data[:1] == bytes((_HEARTBEAT,))


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


def reaction(heard: Sequence[bytes | None]) -> str:
    """What came, in words that are equal for equal reactions: alerts, close, silence."""
    data = b"".join(part for part in heard if part)
    words = []
    while len(data) >= 5:
        kind, _, length = struct.unpack_from("!BHH", data)
        body, data = data[5 : 5 + length], data[5 + length :]
        words.append(str(Alert(body[1])) if kind == _ALERT and len(body) == 2 else f"record {kind}")
    ends = {None: "silence", b"": "closed"}
    words += [ends[part] for part in heard[-1:] if not part]
    return ", ".join(words) or "nothing"


def session_ticket(stream: bytes) -> bytes:
    """The ticket that a server gives in clear up to TLS 1.2 (RFC 5077, 3.3); empty without one."""
    messages = bytearray()
    while len(stream) >= 5:
        kind, _, length = struct.unpack_from("!BHH", stream)
        if kind != _HANDSHAKE:
            break
        messages += stream[5 : 5 + length]
        stream = stream[5 + length :]
    while len(messages) >= 4:
        body = messages[4 : 4 + int.from_bytes(messages[1:4])]
        if messages[0] == _NEW_SESSION_TICKET and len(body) >= 6:
            return bytes(body[6 : 6 + int.from_bytes(body[4:6])])
        del messages[: 4 + len(body)]
    return b""
