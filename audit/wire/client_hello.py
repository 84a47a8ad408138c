"""A ClientHello, parsed to what the client offers: bytes in, facts out, however hostile they are.

It takes a client's bytes from the first one on, in TLS records or in the record of SSLv2 that
clients used to begin with (RFC 5246, appendix E.2).
"""

from collections.abc import Iterable

from audit.iana import VERSIONS, Group, Suite, Version, group, suite, version_name
from audit.iana.versions import CODES
from audit.wire.client_records import handshake, ssl2_hello
from audit.wire.cursor import Cursor
from audit.wire.offer import Offer
from audit.wire.server_hello import Malformed

_NAME, _GROUPS, _SIGNATURES, _ALPN = 0, 10, 13, 16
_VERSIONS, _SIGNATURES_CERT, KEY_SHARE, _RENEGOTIATION = 43, 50, 51, 0xFF01
# RFC 5746, section 3.3, and RFC 7507, section 2: these are no suites.
_SCSV_RENEGOTIATION, _SCSV_FALLBACK = 0x00FF, 0x5600


def client_hello(stream: bytes) -> Offer:
    """What the client offers whose bytes begin so; what follows the hello is not looked at.

    Raises:
        Truncated: more bytes may complete the hello.
        Malformed: it is none, and nothing that follows will make it one.
    """
    if stream[:1] and stream[0] & 0x80:
        return _ssl2(*ssl2_hello(stream))
    message = Cursor(handshake(stream), 4)
    legacy = message.number(2)
    if legacy >> 8 != 3:
        raise Malformed(f"asks for version 0x{legacy:04x}, which is no TLS")
    message.take(32)
    message.vector(1).take(0)
    codes = message.vector(2).words()
    compressions = tuple(message.vector(1).rest())
    if 0 not in compressions:
        raise Malformed("does not offer to leave compression out")
    extensions = _extensions(message)
    return _offer(legacy, codes, compressions, extensions)


def _extensions(message: Cursor) -> dict[int, Cursor]:
    """Each once (RFC 8446, section 4.2); a hello may have none."""
    found: dict[int, Cursor] = {}
    if message:
        inside = message.vector(2)
        message.done()
        while inside:
            kind = inside.number(2)
            if kind in found:
                raise Malformed(f"extension {kind} comes twice")
            found[kind] = inside.vector(2)
    return found


def _offer(
    legacy: int, codes: tuple[int, ...], compressions: tuple[int, ...], found: dict[int, Cursor]
) -> Offer:
    listed = _listed(found, _VERSIONS, 1)
    groups = _listed(found, _GROUPS, 2)
    shares = _shares(found[KEY_SHARE]) if KEY_SHARE in found else None
    every = (*codes, *(listed or ()), *(groups or ()), *(shares or ()), *found)
    return Offer(
        legacy=legacy,
        versions=_named(listed) if listed else _down_from(legacy),
        suites=_suites(codes),
        groups=_groups(groups),
        shares=_groups(shares),
        signatures=_listed(found, _SIGNATURES, 2),
        certificate_signatures=_listed(found, _SIGNATURES_CERT, 2),
        name=_name(found[_NAME]) if _NAME in found else "",
        alpn=_protocols(found[_ALPN]) if _ALPN in found else (),
        compressions=compressions,
        extensions=tuple(kind for kind in found if not meaningless(kind)),
        renegotiation=_RENEGOTIATION in found or _SCSV_RENEGOTIATION in codes,
        fallback=_SCSV_FALLBACK in codes,
        lists_versions=listed is not None,
        grease=any(map(meaningless, every)),
    )


def meaningless(code: int) -> bool:
    """Whether a code is one of those that mean nothing: 0x0A0A, 0x1A1A ... (RFC 8701)."""
    return code & 0x0F0F == 0x0A0A and code >> 8 == code & 0xFF


def _listed(found: dict[int, Cursor], kind: int, size: int) -> tuple[int, ...] | None:
    if kind not in found:
        return None
    body = found[kind]
    codes = body.vector(size).words()
    body.done()
    return codes


def _groups(codes: tuple[int, ...] | None) -> tuple[Group, ...] | None:
    return None if codes is None else tuple(group(c) for c in codes if not meaningless(c))


def _named(codes: tuple[int, ...]) -> tuple[Version, ...]:
    named = {version_name(code) for code in codes}
    return tuple(v for v in reversed(VERSIONS) if v in named)


def _down_from(code: int) -> tuple[Version, ...]:
    """A number above TLS 1.2 stands for it (RFC 8446, appendix D.2)."""
    highest = min(code, CODES["TLSv1.2"])
    return tuple(v for v in reversed(VERSIONS[1:]) if CODES[v] <= highest)


def _shares(body: Cursor) -> tuple[int, ...]:
    entries, found = body.vector(2), []
    body.done()
    while entries:
        found.append(entries.number(2))
        if not entries.vector(2):
            raise Malformed("a key share is empty")
    return tuple(found)


def _name(body: Cursor) -> str:
    """RFC 6066, section 3: a host name in ASCII; a client may also acknowledge with none."""
    if not body:
        return ""
    entries = body.vector(2)
    body.done()
    kind, name = entries.number(1), entries.vector(2).rest()
    entries.done()
    if kind != 0 or not name.isascii() or not name.decode("ascii").isprintable():
        raise Malformed("the server name is no host name")
    return name.decode("ascii")


def _protocols(body: Cursor) -> tuple[str, ...]:
    names, found = body.vector(2), []
    body.done()
    while names:
        name = names.vector(1).rest()
        if not name:
            raise Malformed("the name of a protocol is empty")
        if len(name) != 2 or not meaningless(int.from_bytes(name)):
            found.append(name.decode("ascii", "backslashreplace"))
    return tuple(found)


def _suites(codes: Iterable[int]) -> tuple[Suite, ...]:
    signals = {_SCSV_RENEGOTIATION, _SCSV_FALLBACK}
    return tuple(suite(c) for c in codes if c not in signals and not meaningless(c))


def _ssl2(legacy: int, kinds: tuple[int, ...]) -> Offer:
    """Three bytes for a suite, of which the first is 0 for those of SSLv3 and later."""
    codes = [code for code in kinds if code <= 0xFFFF]
    own: tuple[Version, ...] = ("SSLv2",) if len(codes) < len(kinds) else ()
    return Offer(
        legacy=legacy,
        versions=_down_from(legacy) + own,
        suites=_suites(codes),
        renegotiation=_SCSV_RENEGOTIATION in codes,
        fallback=_SCSV_FALLBACK in codes,
        ssl2=True,
    )
