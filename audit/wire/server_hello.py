"""The messages that answer a ClientHello, parsed: bytes in, facts out."""

import struct

from msgspec import Struct
from msgspec.structs import replace

from audit.iana import Suite, Version, suite, version_name

_RENEGOTIATION, _SUPPORTED_VERSIONS, _KEY_SHARE = 0xFF01, 43, 51
_RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
_NAMED_CURVE = 3


class Malformed(Exception):
    """The bytes do not parse."""


class Accepted(Struct, frozen=True):
    """A ServerHello, with what came after it in clear.

    Attributes:
        version: what the server chose; None for a number no standard defines.
        suite: the suite it chose; None in SSLv2, where the client chooses.
        compression: 0, or 1 for DEFLATE.
        group: code of the named group, from ServerKeyExchange or HelloRetryRequest.
        prime: the Diffie-Hellman prime, for DHE; 0 without one.
        chain: the certificates in clear (up to TLS 1.2), leaf first.
        extensions: the kinds of extension in it.
        session: the session id it gives.
        signature: the scheme that signs the key exchange (TLS 1.2).
        stapled: a certificate status came along (RFC 6066, section 8).
    """

    version: Version | None
    suite: Suite | None
    compression: int = 0
    group: int | None = None
    prime: int = 0
    chain: tuple[bytes, ...] = ()
    extensions: frozenset[int] = frozenset()
    session: bytes = b""
    signature: int | None = None
    stapled: bool = False

    @property
    def secure_renegotiation(self) -> bool:
        """RFC 5746 is answered."""
        return _RENEGOTIATION in self.extensions


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
        raise Malformed
    return Accepted(
        version=version_name(version),
        suite=suite(chosen),
        compression=compression,
        group=group,
        extensions=frozenset(extensions),
        session=body[35 : 35 + body[34]],
    )


def _extensions(body: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    if not body:
        return found
    end = 2 + struct.unpack_from("!H", body)[0]
    if end > len(body):
        raise Malformed
    at = 2
    while at < end:
        kind, length = struct.unpack_from("!HH", body, at)
        found[kind] = body[at + 4 : at + 4 + length]
        at += 4 + length
    return found


def certificates(body: bytes) -> tuple[bytes, ...]:
    """The chain of a Certificate message up to TLS 1.2, as DER, leaf first (RFC 5246, 7.4.2)."""
    chain, at = [], 3
    end = 3 + int.from_bytes(body[:3])
    while at + 3 <= min(end, len(body)):
        length = int.from_bytes(body[at : at + 3])
        chain.append(body[at + 3 : at + 3 + length])
        at += 3 + length
    return tuple(chain)


def key_exchange(body: bytes, hello: Accepted) -> Accepted:
    """The same answer with what its ServerKeyExchange tells (RFC 8422, 5.4; RFC 5246, 7.4.3)."""
    if hello.suite is None or hello.suite.authentication == "PSK":  # a hint comes first there
        return hello
    kx = hello.suite.key_exchange
    if kx.startswith("EC") and body[0] == _NAMED_CURVE:
        group = struct.unpack_from("!H", body, 1)[0]
        return replace(hello, group=group, signature=_scheme(body, 4 + body[3], hello))
    if kx.startswith("DH"):
        at, values = 0, []
        for _ in range(3):  # prime, generator, public key
            length = struct.unpack_from("!H", body, at)[0]
            values.append(body[at + 2 : at + 2 + length])
            at += 2 + length
        prime = int.from_bytes(values[0])
        return replace(hello, prime=prime, signature=_scheme(body, at, hello))
    return hello


def _scheme(body: bytes, at: int, hello: Accepted) -> int | None:
    """Only TLS 1.2 says how it signs, and nobody signs for an anonymous server."""
    if hello.version != "TLSv1.2" or len(body) < at + 2:
        return None
    scheme: int = struct.unpack_from("!H", body, at)[0]
    return scheme
