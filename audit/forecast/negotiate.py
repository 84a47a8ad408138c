"""A handshake in thought: what comes of an offer at a server, by the RFCs and the library."""

from collections.abc import Sequence
from typing import TypeVar

from msgspec import Struct

from audit.forecast.server import Server
from audit.iana import VERSIONS, Group, Suite, Version, group
from audit.wire.offer import Offer

T = TypeVar("T", Group, Suite)

# What a client means that names no signatures: SHA-1 (RFC 5246, section 7.4.1.4.1).
_UNSAID = (0x0201, 0x0203)
NO_SIGNATURE = "it accepts no signature that the server can make"


class Agreed(Struct, frozen=True):
    """A handshake.

    Attributes:
        version, suite: what is negotiated.
        group: the group for the key exchange; None where there is none, or a prime of the
            server's own.
        retried: the server had to ask for another key share first (HelloRetryRequest).
    """

    version: Version
    suite: Suite
    group: Group | None = None
    retried: bool = False


class Refused(Struct, frozen=True):
    """No handshake, and the reason in words."""

    why: str


def negotiate(offer: Offer, server: Server) -> Agreed | Refused:
    """What the two agree on.

    The server chooses the newest version both have and stays with it (RFC 8446, section 4.2.1).
    """
    shared = [v for v in server.versions if v in offer.versions]
    if not shared:
        return Refused(f"no version in common: it offers {_span(offer)}")
    version = max(shared, key=VERSIONS.index)
    if offer.fallback and version != max(server.versions, key=VERSIONS.index):
        return Refused(f"it says it fell back to {version}, and the server has better (RFC 7507)")
    return _tls13(offer, server) if version == "TLSv1.3" else _older(offer, server, version)


def _span(offer: Offer) -> str:
    """The versions in the hello; where it names only the newest, only that is certain."""
    if not offer.versions:
        return "none that a standard defines"
    if not offer.lists_versions:
        return f"{offer.versions[0]} at most"
    return ", ".join(reversed(offer.versions))


def _in_order(mine: Sequence[T], theirs: Sequence[T], server: Server, version: Version) -> list[T]:
    """What both have, as the side puts it whose order decides."""
    first, second = (theirs, mine) if version in server.client_order else (mine, theirs)
    return [one for one in first if one in second]


def _tls13(offer: Offer, server: Server) -> Agreed | Refused:
    if offer.groups is None or offer.shares is None or offer.signatures is None:
        return Refused("it offers TLSv1.3 without all that belongs to it (RFC 8446, section 9.2)")
    version: Version = "TLSv1.3"
    suites = _in_order(server.suites[version], offer.suites, server, version)
    if not suites:
        return Refused(f"no cipher suite of {version} in common")
    able = [s for key in server.keys for s in key.schemes(version, sha1=False)]
    if not set(able) & set(offer.signatures):
        return Refused(NO_SIGNATURE)
    groups = _in_order(server.groups[version], offer.groups, server, version)
    if not groups:
        return Refused("no group in common")
    group = _tls13_group(offer.shares, groups, server)
    return Agreed(version, suites[0], group, retried=group not in offer.shares)


def _tls13_group(shares: Sequence[Group], shared: Sequence[Group], server: Server) -> Group:
    """One that a key share came for, where the library cares; otherwise the first of the shared."""
    manners = server.manners
    if manners.shares == "none":
        return shared[0]
    order = shares if manners.shares == "client" else shared
    return next((g for g in order if g in shared and g in shares), shared[0])


def _older(offer: Offer, server: Server, version: Version) -> Agreed | Refused:
    named = offer.signatures if server.manners.signs_first and version == "TLSv1.2" else None
    if named is not None and not server.signatures & set(named):
        return Refused(NO_SIGNATURE)
    obstacles: dict[str, None] = {}
    for one in _in_order(server.suites[version], offer.suites, server, version):
        found = _group(one, offer, server, version)
        unsigned = _unsigned(one, offer, server, version)
        why = unsigned or (found if isinstance(found, str) else "")
        if not why:
            return Agreed(version, one, found if isinstance(found, Group) else None)
        if unsigned == NO_SIGNATURE and committed(one, server) and not isinstance(found, str):
            return Refused(NO_SIGNATURE)
        obstacles[why] = None
    return Refused("; ".join(obstacles) or f"no cipher suite of {version} in common")


def committed(one: Suite, server: Server) -> bool:
    """Whether a suite of TLS 1.2 is chosen before anybody looks at signatures."""
    return server.manners.commits and one.authentication == "RSA"


def _unsigned(one: Suite, offer: Offer, server: Server, version: Version) -> str:
    """Why no certificate can stand for the server in this suite; empty if one can."""
    kind = one.authentication
    if kind == "anon":
        return ""
    having = [key for key in server.keys if key.kind == kind.lower()]
    if not having:
        return f"the suites in common need a certificate with {kind}"
    if kind == "ECDSA" and server.manners.own_curve and offer.groups is not None:
        names = {g.name for g in offer.groups}
        having = [key for key in having if key.curve in names]
        if not having:
            return "it does not name the curve of the ECDSA certificate as a group"
    signs = one.key_exchange in ("ECDHE", "DHE") or committed(one, server)
    if version == "TLSv1.2" and signs:
        accepted = set(_UNSAID if offer.signatures is None else offer.signatures)
        if not any(accepted & set(key.schemes(version, sha1=server.sha1)) for key in having):
            return NO_SIGNATURE
    return ""


def _group(one: Suite, offer: Offer, server: Server, version: Version) -> Group | str | None:
    """The group for this suite, None where it needs none, or why there is none."""
    manners = server.manners
    if one.key_exchange == "ECDHE":
        mine = [g for g in server.groups[version] if not g.finite_field]
        if offer.groups is None:
            able = [g for g in mine if manners.assumed and g == group(manners.assumed)]
        else:
            able = _in_order(mine, offer.groups, server, version)
        return able[0] if able else "no group in common for ECDHE"
    if one.key_exchange == "DHE" and manners.finite_fields and offer.groups:
        named = [g for g in offer.groups if g.finite_field]
        fields = _in_order(server.groups[version], named, server, version)
        if named:
            return fields[0] if fields else "no finite field in common for DHE"
    return None
