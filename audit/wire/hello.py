"""ClientHello messages for every version, SSLv2 to TLS 1.3: bytes out, no I/O, no cryptography.

The hellos are made to be answered, not to be completed: TLS 1.3 carries an empty key_share, so a
server answers with a HelloRetryRequest that names its suite and group (RFC 8446, section 4.1.4).
"""

import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from msgspec import Struct

from audit.iana import Group, Suite, Version
from audit.iana.versions import CODES
from audit.names import is_address

HANDSHAKE = 22
# DEFLATE (RFC 3749) and LZS (RFC 3943); any answer but null is compression.
COMPRESSIONS = (1, 64)

_SCSV_RENEGOTIATION = 0x00FF  # RFC 5746, section 3.3
_SCSV_FALLBACK = 0x5600  # RFC 7507, section 2
_SNI, _GROUPS, _POINTS, _SIGNATURES, _ALPN, _VERSIONS, _KEY_SHARE = 0, 10, 11, 13, 16, 43, 51
# Offered to every server up to TLS 1.2, to see which it echoes: status_request (RFC 6066),
# encrypt_then_mac (RFC 7366), extended_master_secret (RFC 7627), session_ticket (RFC 5077),
# heartbeat (RFC 6520: the peer may send).
STATUS_REQUEST, HEARTBEAT, ENCRYPT_THEN_MAC, MASTER_SECRET, TICKET = 5, 15, 22, 23, 35
_ECHOED = {
    STATUS_REQUEST: b"\x01\x00\x00\x00\x00",
    HEARTBEAT: b"\x01",
    ENCRYPT_THEN_MAC: b"",
    MASTER_SECRET: b"",
    TICKET: b"",
}

# What a mail client of today offers, then what only old servers need (RFC 8446, section 4.2.3).
SHA1_SCHEMES = (0x0203, 0x0201, 0x0202)
SIGNATURE_SCHEMES = (
    0x0403, 0x0503, 0x0603, 0x0807, 0x0808,  # ECDSA with SHA-2, EdDSA
    0x0804, 0x0805, 0x0806, 0x0809, 0x080A, 0x080B,  # RSA-PSS
    0x0401, 0x0501, 0x0601,  # RSA with SHA-2
    *SHA1_SCHEMES, 0x0101,  # SHA-1 and MD5
)  # fmt: skip

# SSLv2 kinds of cipher, all seven of the draft (Hickman 1995, appendix C).
SSL2_CIPHERS = (0x010080, 0x020080, 0x030080, 0x040080, 0x050080, 0x060040, 0x0700C0)


class Hello(Struct, frozen=True):
    """What to offer.

    Attributes:
        version: the highest version offered, and for TLS 1.3 the only one.
        suites: in the order offered.
        groups: in the order offered; none for SSLv3.
        name: server name to ask for; empty to ask for none.
        alpn: protocols to ask for (RFC 7301); none to leave the extension out.
        signatures: the signature schemes offered.
        fallback: TLS_FALLBACK_SCSV, as if a better version had failed.
        ticket: a session ticket to present; empty to offer only to take one.
        session: a session id to present.
    """

    version: Version
    suites: tuple[Suite, ...]
    groups: tuple[Group, ...] = ()
    name: str = ""
    alpn: tuple[str, ...] = ()
    signatures: tuple[int, ...] = SIGNATURE_SCHEMES
    fallback: bool = False
    ticket: bytes = b""
    session: bytes = b""

    def record(self) -> bytes:
        """The TLS record to send; for SSLv2 its own kind of record."""
        if self.version == "SSLv2":
            return _ssl2_record()
        body = handshake_message(1, self._body())
        # RFC 8446, section 5.1: TLS 1.0 is the record version that most servers take first.
        record_version = min(CODES[self.version], CODES["TLSv1.0"])
        return struct.pack("!BHH", HANDSHAKE, record_version, len(body)) + body

    def _body(self) -> bytes:
        tls13 = self.version == "TLSv1.3"
        scsv = b"" if tls13 else _word(_SCSV_RENEGOTIATION)
        if self.fallback:
            scsv += _word(_SCSV_FALLBACK)
        legacy = min(CODES[self.version], CODES["TLSv1.2"])
        session = os.urandom(32) if tls13 else self.session
        compressions = b"\x00" if tls13 else bytes((*COMPRESSIONS, 0))
        parts = [
            struct.pack("!H", legacy),
            os.urandom(32),
            _vector8(session),
            _vector16(_suite_codes(self.suites) + scsv),
            _vector8(compressions),
        ]
        if self.version != "SSLv3":
            parts.append(_vector16(b"".join(self._extensions(tls13=tls13))))
        return b"".join(parts)

    def _extensions(self, *, tls13: bool) -> Iterator[bytes]:
        if self.name and not is_address(self.name):
            host = b"\x00" + _vector16(self.name.encode("idna"))
            yield _extension(_SNI, _vector16(host))
        if self.groups:
            yield _extension(_GROUPS, _vector16(_words(g.code for g in self.groups)))
            yield _extension(_POINTS, _vector8(b"\x00"))
        if self.version in ("TLSv1.2", "TLSv1.3"):
            yield _extension(_SIGNATURES, _vector16(_words(self.signatures)))
        if self.alpn:
            names = b"".join(_vector8(name.encode("ascii")) for name in self.alpn)
            yield _extension(_ALPN, _vector16(names))
        if tls13:
            yield _extension(_VERSIONS, _vector8(_words([CODES["TLSv1.3"]])))
            yield _extension(_KEY_SHARE, _vector16(b""))
        else:
            for kind, body in _ECHOED.items():
                yield _extension(kind, self.ticket if kind == TICKET else body)


def _ssl2_record() -> bytes:
    ciphers = b"".join(code.to_bytes(3) for code in SSL2_CIPHERS)
    challenge = os.urandom(16)
    body = struct.pack("!BHHHH", 1, CODES["SSLv2"], len(ciphers), 0, len(challenge))
    body += ciphers + challenge
    return struct.pack("!H", 0x8000 | len(body)) + body


@lru_cache(maxsize=4096)  # the long lists are sent to every endpoint
def _suite_codes(suites: Sequence[Suite]) -> bytes:
    return _words(s.code for s in suites)


def handshake_message(kind: int, body: bytes) -> bytes:
    """One handshake message with its header (RFC 8446, section 4)."""
    return bytes((kind,)) + len(body).to_bytes(3) + body


def _extension(kind: int, body: bytes) -> bytes:
    return struct.pack("!H", kind) + _vector16(body)


def _vector8(body: bytes) -> bytes:
    return bytes((len(body),)) + body


def _vector16(body: bytes) -> bytes:
    return len(body).to_bytes(2) + body


def _word(code: int) -> bytes:
    return code.to_bytes(2)


def _words(codes: Iterable[int]) -> bytes:
    return b"".join(map(_word, codes))
