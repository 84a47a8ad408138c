"""A small internet of signed zones: a root, `test.` below it, and what is delegated from there."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

import dns.dnssec
import dns.name
import dns.rdata
import dns.rdatatype
import dns.rrset
import dns.zone
from cryptography.hazmat.primitives.asymmetric import ec
from dns.rdtypes.ANY.DNSKEY import DNSKEY

NAMESERVER = "127.0.0.53"  # in the cell only, beside the resolver
_NOBODY = "127.0.0.54"
_HEAD = "@ 60 SOA ns.test. root.test. 1 3600 900 604800 60\n@ 60 NS ns.test.\n"
# Days from now between which signatures are valid.
_VALID = {"good": (-1, 20), "expired": (-40, -10), "ending": (-28, 0.5)}

Signing = Literal["no", "good", "expired", "ending"]


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


def served(zones: Iterable[Zone]) -> tuple[dict[str, str], str]:
    """Master files by zone name, those of the root and of `test.` with them; and the root's key."""
    children = [_made(zone) for zone in zones]
    test = Zone(
        "test.",
        f"ns 60 A {NAMESERVER}\nnobody 60 A {_NOBODY}\n"
        + _delegations(c for c in children if c[1]),
    )
    below = _made(test)
    others = _delegations([below, *(c for c in children if not c[1])])
    root = _made(Zone(".", f"ns.test. 60 A {NAMESERVER}\n" + others))
    files = {made[2].name: made[0] for made in (*children, below, root) if not made[2].lame}
    return files, f". 60 IN DNSKEY {root[3].to_text()}"


_Made = tuple[str, bool, Zone, DNSKEY]


def _made(zone: Zone) -> _Made:
    private = ec.generate_private_key(ec.SECP256R1())
    key = dns.dnssec.make_dnskey(private.public_key(), "ECDSAP256SHA256", flags=257)
    built = dns.zone.from_text(_HEAD + zone.lines, zone.name, relativize=False)
    if zone.signing != "no":
        now = datetime.now(tz=UTC)
        since, until = (now + timedelta(days=days) for days in _VALID[zone.signing])
        dns.dnssec.sign_zone(
            built, keys=[(private, key)], dnskey_ttl=60, inception=since, expiration=until
        )
    text = zone.forged(built.to_text(relativize=False))
    return text, zone.name.endswith(".test."), zone, key


def _delegations(children: Iterable[_Made]) -> str:
    lines = []
    for _, _, zone, key in children:
        lines.append(f"{zone.name} 60 NS {'nobody' if zone.lame else 'ns'}.test.")
        if zone.ds and zone.signing != "no":
            ds = dns.dnssec.make_ds(dns.name.from_text(zone.name), key, "SHA256")
            lines.append(f"{zone.name} 60 DS {ds.to_text()}")
    return "\n".join(lines) + "\n"
