"""Zones as master files, signed right or wrong, and what their parents say of them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

import dns.dnssec
import dns.name
import dns.zone
from cryptography.hazmat.primitives.asymmetric import ec
from dns.rdtypes.ANY.DNSKEY import DNSKEY

Signing = Literal["no", "good", "expired", "ending"]

# Days from now between which signatures are valid.
_VALID = {"good": (-1, 20), "expired": (-40, -10), "ending": (-28, 0.5)}
_TTL = 60


@dataclass(frozen=True)
class Zone:
    """One zone as its master file has it.

    Attributes:
        name: absolute, with its last dot.
        lines: what is in it beside SOA and NS.
        signing: how it is signed.
        ds: its parent has a DS record.
        forged: applied to the master file once it is signed.
        lame: it is delegated to where nobody listens.
    """

    name: str
    lines: str = ""
    signing: Signing = "good"
    ds: bool = True
    forged: Callable[[str], str] = field(default=lambda text: text)
    lame: bool = False


@dataclass(frozen=True)
class Made:
    """A zone's master file, and the key that it is signed with."""

    zone: Zone
    text: str
    key: DNSKEY

    @property
    def anchor(self) -> str:
        """Its key as a trust anchor, a line of a master file."""
        return f"{self.zone.name} {_TTL} IN DNSKEY {self.key.to_text()}"


def public(private: ec.EllipticCurvePrivateKey) -> DNSKEY:
    """The DNSKEY of a key that signs both the zone and its keys."""
    return dns.dnssec.make_dnskey(private.public_key(), "ECDSAP256SHA256", flags=257)


def make(zone: Zone, server: str, private: ec.EllipticCurvePrivateKey | None = None) -> Made:
    """Sign a zone that *server* serves, with a key of its own unless one is given."""
    private = private or ec.generate_private_key(ec.SECP256R1())
    key = public(private)
    # Resolvers may be told to ask for some zones at another port: no NS record must outlive that.
    head = f"@ {_TTL} SOA {server} root.test. 1 3600 900 604800 {_TTL}\n@ 0 NS {server}\n"
    built = dns.zone.from_text(head + zone.lines, zone.name, relativize=False)
    if zone.signing != "no":
        now = datetime.now(tz=UTC)
        since, until = (now + timedelta(days=days) for days in _VALID[zone.signing])
        dns.dnssec.sign_zone(
            built, keys=[(private, key)], dnskey_ttl=_TTL, inception=since, expiration=until
        )
    return Made(zone, zone.forged(built.to_text(relativize=False)), key)


def delegations(children: Iterable[Made], server: str, nobody: str) -> str:
    """What the parent has of zones that *server* serves; lame ones are said to be *nobody*'s."""
    lines = []
    for child in children:
        zone = child.zone
        lines.append(f"{zone.name} 0 NS {nobody if zone.lame else server}")
        if zone.ds and zone.signing != "no":
            lines.append(f"{zone.name} {_TTL} DS {ds(zone.name, child.key)}")
    return "".join(f"{line}\n" for line in lines)


def ds(name: str, key: DNSKEY) -> str:
    """The data of the DS record for a zone's key."""
    return dns.dnssec.make_ds(dns.name.from_text(name), key, "SHA256").to_text()
