"""What a client must offer for a suite to be negotiated, as conditions that can be reasoned with.

`audit.forecast.negotiate` takes an offer that is known. Here it is not, so its conditions are laid
out as values: each says that the client names one of some codes. A test holds the two to each
other, offer by offer.
"""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from audit.forecast.negotiate import committed
from audit.forecast.server import Server
from audit.iana import Group, Suite, Version, group
from audit.wire.offer import Offer

Kind = Literal["suite", "group", "signature", "field", "shares"]
# What a client accepts that names no signatures (RFC 5246, section 7.4.1.4.1).
_UNSAID = frozenset((0x0201, 0x0203))


class Need(Struct, frozen=True):
    """One condition on an offer.

    Attributes:
        kind: what the codes are of. "field" is about finite fields: one of these, or none at all
            (RFC 7919); "shares" about key shares of TLS 1.3, which have no codes.
        codes: the client names one of them.
        or_none: it is also met by a client that has no such list.
    """

    kind: Kind
    codes: frozenset[int] = frozenset()
    or_none: bool = False

    def implies(self, other: "Need") -> bool:
        """Whether a client that meets this meets the other in any case."""
        return (
            self.kind == other.kind
            and self.codes <= other.codes
            and (other.or_none or not self.or_none)
        )


def needs(server: Server, version: Version, one: Suite) -> tuple[Need, ...] | None:
    """What a client must meet to get this suite, if nothing before it comes about.

    None if the server cannot do it for anybody.
    """
    mine = Need("suite", frozenset((one.code,)))
    groups = server.groups.get(version, ())
    if version == "TLSv1.3":
        able = (s for key in server.keys for s in key.schemes(version, sha1=False))
        return (
            *(mine, Need("shares")),
            Need("signature", frozenset(able)),
            Need("group", _codes(groups)),
        )
    return _older(server, version, one, mine)


def looked_at(server: Server, version: Version, one: Suite) -> tuple[Need, ...] | None:
    """Those of them that decide whether the suite is chosen; the others, what comes of it then."""
    wanted = needs(server, version, one)
    if wanted is None or version != "TLSv1.2" or not committed(one, server):
        return wanted
    return tuple(need for need in wanted if need != _signed(server, version, one))


def curve(server: Server, version: Version, one: Suite) -> Need | None:
    """That the client names the curve of a certificate, which only the client may care for."""
    if version == "TLSv1.3" or one.authentication != "ECDSA" or server.manners.own_curve:
        return None
    codes = _codes(group(key.curve) for key in server.keys if key.kind == "ecdsa" and key.curve)
    return Need("group", codes, or_none=True)


def _signed(server: Server, version: Version, one: Suite) -> Need:
    """That it accepts a signature of the certificate for this suite."""
    kind = one.authentication.lower()
    schemes = (key.schemes(version, sha1=server.sha1) for key in server.keys if key.kind == kind)
    able = frozenset(s for some in schemes for s in some)
    return Need("signature", able, or_none=bool(able & _UNSAID))


def _older(server: Server, version: Version, one: Suite, mine: Need) -> tuple[Need, ...] | None:
    manners = server.manners
    found = [mine]
    having = [key for key in server.keys if key.kind == one.authentication.lower()]
    if one.authentication != "anon" and not having:
        return None
    if version == "TLSv1.2" and manners.signs_first:
        found.append(Need("signature", server.signatures, or_none=True))
    if one.authentication == "ECDSA" and manners.own_curve:
        found.append(Need("group", _codes(group(key.curve) for key in having), or_none=True))
    ephemeral = one.key_exchange in ("ECDHE", "DHE") and one.authentication != "anon"
    if version == "TLSv1.2" and (ephemeral or committed(one, server)):
        found.append(_signed(server, version, one))
    groups = server.groups.get(version, ())
    if one.key_exchange == "ECDHE":
        curves = _codes(g for g in groups if not g.finite_field)
        unsaid = bool(manners.assumed) and group(manners.assumed).code in curves
        found.append(Need("group", curves, or_none=unsaid))
    if one.key_exchange == "DHE" and manners.finite_fields:
        found.append(Need("field", _codes(g for g in groups if g.finite_field), or_none=True))
    return tuple(found)


def meets(offer: Offer, need: Need) -> bool:
    """Whether a client whose offer is known meets a condition."""
    if need.kind == "shares":
        return offer.shares is not None
    if need.kind == "field":
        named = {g.code for g in offer.groups or () if g.finite_field}
        return not named or bool(named & need.codes)
    listed = _listed(offer, need.kind)
    return need.or_none if listed is None else bool(listed & need.codes)


def _listed(offer: Offer, kind: Kind) -> frozenset[int] | None:
    if kind == "suite":
        return frozenset(s.code for s in offer.suites)
    if kind == "group":
        return None if offer.groups is None else _codes(offer.groups)
    return None if offer.signatures is None else frozenset(offer.signatures)


def _codes(groups: Iterable[Group]) -> frozenset[int]:
    return frozenset(g.code for g in groups)
