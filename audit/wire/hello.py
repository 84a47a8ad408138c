"""ClientHello messages for every version, SSLv2 to TLS 1.3: bytes out, no I/O, no cryptography.

The hellos are made to be answered, not to be completed: TLS 1.3 carries an empty key_share, so a
server answers with a HelloRetryRequest that names its suite and group (RFC 8446, section 4.1.4).
"""

import os
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from audit.iana import Group, Suite, Version
from audit.iana.versions import CODES
from audit.names import is_address

HANDSHAKE = 22
# DEFLATE (RFC 3749) and LZS (RFC 3943); any answer but null is compression.
COMPRESSIONS = (1, 64)

_SCSV_RENEGOTIATION = 0x00FF  # RFC 5746, section 3.3
_SNI, _GROUPS, _POINTS, _SIGNATURES, _VERSIONS, _KEY_SHARE = 0, 10, 11, 13, 43, 51

# What a mail client of today offers, then what only old servers need (RFC 8446, section 4.2.3).
SIGNATURE_SCHEMES = (
    0x0403, 0x0503, 0x0603, 0x0807, 0x0808,  # ECDSA with SHA-2, EdDSA
    0x0804, 0x0805, 0x0806, 0x0809, 0x080A, 0x080B,  # RSA-PSS
    0x0401, 0x0501, 0x0601,  # RSA with SHA-2
    0x0203, 0x0201, 0x0202, 0x0101,  # SHA-1 and MD5
)  # fmt: skip

# SSLv2 kinds of cipher, all seven of the draft (Hickman 1995, appendix C).
SSL2_CIPHERS = (0x010080, 0x020080, 0x030080, 0x040080, 0x050080, 0x060040, 0x0700C0)


@dataclass(frozen=True, slots=True)
class Hello:
    """What to offer.

    Attributes:
        version: the highest version offered, and for TLS 1.3 the only one.
        suites: in the order offered.
        groups: in the order offered; none for SSLv3.
        name: server name to ask for; empty to ask for none.
    """

    version: Version
    suites: Sequence[Suite]
    groups: Sequence[Group] = ()
    name: str = ""

    def record(self) -> bytes:
        """The TLS record to send; for SSLv2 its own kind of record."""
        if self.version == "SSLv2":
            return _ssl2_record()
        body = _handshake(1, self._body())
        # RFC 8446, section 5.1: TLS 1.0 is the record version that most servers take first.
        record_version = min(CODES[self.version], CODES["TLSv1.0"])
        return struct.pack("!BHH", HANDSHAKE, record_version, len(body)) + body

    def _body(self) -> bytes:
        tls13 = self.version == "TLSv1.3"
        codes = [s.code for s in self.suites]
        if not tls13:
            codes.append(_SCSV_RENEGOTIATION)
        legacy = min(CODES[self.version], CODES["TLSv1.2"])
        session = os.urandom(32) if tls13 else b""
        compressions = b"\x00" if tls13 else bytes((*COMPRESSIONS, 0))
        parts = [
            struct.pack("!H", legacy),
            os.urandom(32),
            _vector8(session),
            _vector16(_words(codes)),
            _vector8(compressions),
        ]
        if self.version != "SSLv3":
            parts.append(_vector16(b"".join(self._extensions(tls13=tls13))))
        return b"".join(parts)

    def _extensions(self, *, tls13: bool) -> Iterable[bytes]:
        if self.name and not is_address(self.name):
            host = b"\x00" + _vector16(self.name.encode("idna"))
            yield _extension(_SNI, _vector16(host))
        if self.groups:
            yield _extension(_GROUPS, _vector16(_words(g.code for g in self.groups)))
            yield _extension(_POINTS, _vector8(b"\x00"))
        if self.version in ("TLSv1.2", "TLSv1.3"):
            yield _extension(_SIGNATURES, _vector16(_words(SIGNATURE_SCHEMES)))
        if tls13:
            yield _extension(_VERSIONS, _vector8(_words([CODES["TLSv1.3"]])))
            yield _extension(_KEY_SHARE, _vector16(b""))


def _ssl2_record() -> bytes:
    ciphers = b"".join(code.to_bytes(3) for code in SSL2_CIPHERS)
    challenge = os.urandom(16)
    body = struct.pack("!BHHHH", 1, CODES["SSLv2"], len(ciphers), 0, len(challenge))
    body += ciphers + challenge
    return struct.pack("!H", 0x8000 | len(body)) + body


def _handshake(kind: int, body: bytes) -> bytes:
    return bytes((kind,)) + len(body).to_bytes(3) + body


def _extension(kind: int, body: bytes) -> bytes:
    return struct.pack("!H", kind) + _vector16(body)


def _vector8(body: bytes) -> bytes:
    return bytes((len(body),)) + body


def _vector16(body: bytes) -> bytes:
    return len(body).to_bytes(2) + body


def _words(codes: Iterable[int]) -> bytes:
    return b"".join(code.to_bytes(2) for code in codes)
