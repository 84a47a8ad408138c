"""What a policy says: suites, versions and groups in order, each with a level."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from audit.iana import VERSIONS, Suite, Version, suite

Level = Literal["good", "sufficient", "phase-out", "insufficient"]
Traffic = Literal["access", "submission", "mx", "outgoing"]
Status = Literal["current", "superseded", "historical"]
Hash = Literal["sha1", "sha224", "sha256", "sha384", "sha512"]
KeyType = Literal["ecdsa", "rsa"]

KEY_TYPES: tuple[KeyType, ...] = ("ecdsa", "rsa")


class Item(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One version, suite or group that a profile allows.

    Attributes:
        name: the IANA name.
        level: how well it is thought of; what is not listed at all is insufficient.
        until: last day of a phase-out; the day after, the item is insufficient.
        optional: used where the library has it, no failure where it has not.
    """

    name: str
    level: Level = "good"
    until: date | None = None
    optional: bool = False

    def level_on(self, day: date) -> Level:
        """The level on this day: verdicts follow the calendar."""
        if self.level == "phase-out" and self.until is not None and day > self.until:
            return "insufficient"
        return self.level


class CertificateRules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the server certificate must be.

    Attributes:
        rsa_bits: smallest RSA modulus, in bits.
        curves: the curves an ECDSA key may be on.
        signature_hashes: the hashes a certificate below the root may be signed with.
        days_left: fewest days until the certificate ends.
    """

    rsa_bits: Annotated[int, Meta(ge=1024)] = 2048
    curves: tuple[str, ...] = ("P-256", "P-384", "P-521")
    signature_hashes: tuple[Hash, ...] = ("sha256", "sha384", "sha512")
    days_left: Annotated[int, Meta(ge=0, le=3650)] = 7


class Profile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rules for one kind of traffic.

    Attributes:
        tls: "required" if nothing but the start of TLS is possible in clear.
        versions: the protocol versions that must be served.
        suites: the suites for each version and the older ones, the best first.
        groups: the groups for the key exchange, the best first.
        preference: whose order decides.
        compression: TLS compression (RFC 3749; CRIME, CVE-2012-4929).
        dh_bits: smallest finite-field group, if the profile has DHE suites.
        certificate: what the certificate must be.
    """

    tls: Literal["required", "offered"]
    versions: tuple[Item, ...]
    suites: tuple[Item, ...]
    groups: tuple[Item, ...]
    preference: Literal["server", "client", "any"] = "server"
    compression: Literal["forbidden", "allowed"] = "forbidden"
    dh_bits: Annotated[int, Meta(ge=1024, le=8192)] | None = None
    certificate: CertificateRules = field(default_factory=CertificateRules)

    def allowed_versions(self, day: date) -> tuple[Version, ...]:
        """The versions that may be served on *day*, oldest first."""
        names = set(allowed(self.versions, day))
        return tuple(v for v in VERSIONS if v in names)

    def allowed_suites(
        self, version: Version, day: date, key_types: Iterable[KeyType] = KEY_TYPES
    ) -> tuple[Suite, ...]:
        """The suites that a server with such certificates may choose in *version*, in order."""
        able = {"any", *(k.upper() for k in key_types)}
        named = (suite(name) for name in allowed(self.suites, day))
        return tuple(s for s in named if s.usable_in(version) and s.authentication in able)


class Policy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One policy file.

    Attributes:
        id: its name on the command line.
        title: one line for people.
        date: the day of this edition, which also is its version.
        source: where the rules come from.
        status: current, superseded or historical.
        profiles: the rules by kind of traffic.
    """

    id: str
    title: str
    date: date
    source: str
    status: Status
    profiles: Mapping[Traffic, Profile]
    notes: str = ""


def allowed(items: Iterable[Item], day: date) -> Iterator[str]:
    """The names of the items that are not insufficient on *day*, in order."""
    return (item.name for item in items if item.level_on(day) != "insufficient")
