"""What a policy says: suites, versions and groups in order, each with a level."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from audit.iana import VERSIONS, Suite, Version, suite

Level = Literal["good", "sufficient", "phase-out", "insufficient"]
Traffic = Literal["access", "submission", "mx", "outgoing"]
Status = Literal["current", "superseded", "historical"]
KeyType = Literal["ecdsa", "rsa"]

KEY_TYPES: tuple[KeyType, ...] = ("ecdsa", "rsa")
LEVELS: tuple[Level, ...] = ("good", "sufficient", "phase-out", "insufficient")
HASHES = ("sha1", "sha224", "sha256", "sha384", "sha512")
# The fields of a profile that are one word each.
WORDS = (
    "tls",
    "bound",
    "order",
    "preference",
    "compression",
    "starttls",
    "clear_logins",
    "dh_primes",
    "extended_master_secret",
    "secure_renegotiation",
    "client_renegotiation",
    "sha1_signatures",
    "encrypt_then_mac",
    "fallback_scsv",
    "session_tickets",
    "ocsp_stapling",
    "foreign_protocols",
    "alpn",
)
# What `until: open` is read as: the source names no last day.
OPEN = date.max


class Graded(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something with a level.

    Attributes:
        level: how well it is thought of; what is not listed at all is insufficient.
        until: last day of a phase-out, or OPEN; the day after, it is insufficient.
    """

    level: Level = "good"
    until: date | None = None

    @property
    def thought(self) -> str:
        """The level in words: "phase-out until 2028-12-31"."""
        if self.until is None:
            return self.level
        return self.level if self.until == OPEN else f"{self.level} until {self.until}"

    def level_on(self, day: date) -> Level:
        """The level on this day: verdicts follow the calendar."""
        if self.level == "phase-out" and self.until is not None and day > self.until:
            return "insufficient"
        return self.level


class Item(Graded, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One version, suite, group, curve or hash that a profile has a word about.

    Attributes:
        name: the IANA name.
        optional: used where the library has it, no failure where it has not.
        required: must be served although the profile is an upper bound.
    """

    name: str
    optional: bool = False
    required: bool = False


class Size(Graded, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The level of keys or primes of so many bits, up to the next larger size that is listed."""

    bits: Annotated[int, Meta(ge=512, le=65536)]


def _items(*names: str) -> tuple[Item, ...]:
    return tuple(Item(name=name) for name in names)


class CertificateRules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the server certificate must be.

    Attributes:
        rsa_sizes: RSA moduli by size; empty if no RSA key is wanted.
        curves: the curves an ECDSA key may be on, and Ed25519 and Ed448.
        signature_hashes: the hashes a certificate below the root may be signed with.
        days_left: fewest days until the certificate ends.
        lifetime_days: most days from its begin to its end; None for no opinion.
    """

    rsa_sizes: tuple[Size, ...] = field(default=(Size(bits=2048),), name="rsa_bits")
    curves: tuple[Item, ...] = _items("P-256", "P-384", "P-521", "Ed25519", "Ed448")
    signature_hashes: tuple[Item, ...] = _items("sha256", "sha384", "sha512")
    days_left: Annotated[int, Meta(ge=0, le=3650)] = 7
    lifetime_days: Annotated[int, Meta(ge=1)] | None = None


class Profile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rules for one kind of traffic.

    Attributes:
        tls: "required" if nothing but the start of TLS is possible in clear.
        starttls: whether TLS may begin in the middle of a dialogue in clear (RFC 8314, section 3
            prefers that it does not).
        clear_logins: a login before TLS; "allowed" only where TLS is not required.
        versions: the protocol versions.
        suites: the suites for each version and the older ones, the best first.
        groups: the groups for the key exchange, the best first.
        bound: "exact" if all that is listed must be served, optional items apart; "upper" if
            nothing else may be, and of it only what is marked as required must.
        order: "exact" for the order of the lists, where the server decides; "by-level" if no
            suite on phase-out may come before a better one; "any" for no opinion.
        preference: whose order decides, if the order is exact; "any" for no opinion.
        compression: TLS compression (RFC 3749; CRIME, CVE-2012-4929).
        dh_sizes: finite-field primes by size, for suites with DHE; empty for no opinion.
        dh_primes: "named" if only the primes of RFC 7919 that are among the groups may be used.
        certificate: what the certificate must be.
        extended_master_secret: RFC 7627, in TLS 1.2 and older.
        secure_renegotiation: RFC 5746, in TLS 1.2 and older.
        client_renegotiation: a renegotiation that the client begins.
        sha1_signatures: SHA-1 in the signature of a key exchange (RFC 9155).
        encrypt_then_mac: RFC 7366, where a suite with CBC is chosen.
        fallback_scsv: RFC 7507.
        session_tickets: RFC 5077, in TLS 1.2 and older.
        ocsp_stapling: RFC 6066, section 8.
        foreign_protocols: whether a client that speaks HTTP inside TLS must be cut off.
        alpn: whether a client that asks for another protocol is refused (RFC 7301).
    """

    tls: Literal["required", "offered"]
    versions: tuple[Item, ...]
    suites: tuple[Item, ...]
    groups: tuple[Item, ...]
    bound: Literal["exact", "upper"] = "exact"
    order: Literal["exact", "by-level", "any"] = "exact"
    preference: Literal["server", "client", "any"] = "server"
    starttls: Literal["allowed", "forbidden"] = "allowed"
    clear_logins: Literal["forbidden", "allowed"] = "forbidden"
    compression: Literal["forbidden", "allowed"] = "forbidden"
    dh_sizes: tuple[Size, ...] = field(default=(), name="dh_bits")
    dh_primes: Literal["named", "any"] = "any"
    certificate: CertificateRules = field(default_factory=CertificateRules)
    extended_master_secret: Literal["required", "any"] = "any"  # noqa: S105 - no password
    secure_renegotiation: Literal["required", "any"] = "any"
    client_renegotiation: Literal["forbidden", "allowed"] = "allowed"
    sha1_signatures: Literal["forbidden", "allowed"] = "allowed"
    encrypt_then_mac: Literal["required", "any"] = "any"
    fallback_scsv: Literal["required", "any"] = "any"
    session_tickets: Literal["forbidden", "any"] = "any"
    ocsp_stapling: Literal["required", "any"] = "any"
    foreign_protocols: Literal["forbidden", "any"] = "any"
    alpn: Literal["strict", "any"] = "any"

    @property
    def dh_bits(self) -> int | None:
        """The smallest prime of the best level: what a daemon is given."""
        best = min((LEVELS.index(size.level) for size in self.dh_sizes), default=0)
        return min((s.bits for s in self.dh_sizes if s.level == LEVELS[best]), default=None)

    def demands(self, item: Item) -> bool:
        """True if it is a failure not to serve this item."""
        return item.required or (self.bound == "exact" and not item.optional)

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
        notes: what a reader must know: our own readings, warnings, what is not expressed.
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


def size_of(sizes: Iterable[Size], bits: int) -> Size | None:
    """The row that a key or prime of so many bits falls under; None if it is too small for all."""
    return max((s for s in sizes if s.bits <= bits), key=lambda s: s.bits, default=None)
