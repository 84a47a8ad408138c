"""What a server will do with a hello: from a policy, or from what the wire showed."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import date
from typing import TypeVar

from msgspec import Struct

from audit.facts import EndpointFacts
from audit.forecast.manners import OPENSSL_3_0, Manners
from audit.iana import VERSIONS, Group, Suite, Version, group, suite
from audit.policy.model import KEY_TYPES, KeyType, Profile, allowed

T = TypeVar("T", Group, Suite)

# The schemes of TLS 1.2 by key, and of them those of TLS 1.3; for ECDSA there the curve says which
# (RFC 8446, section 4.2.3).
_SHA2: dict[KeyType, tuple[int, ...]] = {
    "rsa": (0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601),
    "ecdsa": (0x0403, 0x0503, 0x0603),
}
_SHA1: dict[KeyType, int] = {"rsa": 0x0201, "ecdsa": 0x0203}
# What no certificate of ours needs, and libraries make all the same: EdDSA, RSA-PSS keys, SHA-224.
_FURTHER = (0x0807, 0x0808, 0x0809, 0x080A, 0x080B, 0x0301, 0x0303)
_TLS13_CURVES = {"P-256": 0x0403, "P-384": 0x0503, "P-521": 0x0603}
_SHA1_BY_NATURE: tuple[Version, ...] = ("SSLv3", "TLSv1.0", "TLSv1.1")


class Key(Struct, frozen=True):
    """The key of one certificate.

    Attributes:
        kind: RSA or ECDSA.
        curve: of an ECDSA key.
    """

    kind: KeyType
    curve: str = ""

    def schemes(self, version: Version, *, sha1: bool) -> tuple[int, ...]:
        """How the key may sign a handshake of this version, TLS 1.2 or newer."""
        if version == "TLSv1.3":
            curve = _TLS13_CURVES.get(self.curve)
            ecdsa = () if curve is None else (curve,)
            return _SHA2["rsa"][:3] if self.kind == "rsa" else ecdsa
        return _SHA2[self.kind] + ((_SHA1[self.kind],) if sha1 else ())


class Server(Struct, frozen=True):
    """What decides how a server answers a hello.

    Attributes:
        versions: the versions that are on.
        suites: by version, in order.
        groups: by version, in order.
        client_order: the versions in which the client's order decides.
        keys: the keys of its certificates.
        sha1: it signs with SHA-1 in TLS 1.2 too, for who takes nothing better.
        manners: what TLS leaves to the library.
    """

    versions: tuple[Version, ...]
    suites: Mapping[Version, tuple[Suite, ...]]
    groups: Mapping[Version, tuple[Group, ...]]
    client_order: frozenset[Version]
    keys: tuple[Key, ...]
    sha1: bool
    manners: Manners = OPENSSL_3_0

    @property
    def signatures(self) -> frozenset[int]:
        """All that the library signs with in TLS 1.2, whichever certificates there are."""
        sha1 = tuple(_SHA1.values()) if self.sha1 else ()
        return frozenset((*_SHA2["rsa"], *_SHA2["ecdsa"], *_FURTHER, *sha1))


def keys(kinds: Iterable[KeyType]) -> tuple[Key, ...]:
    """Keys as the roles make them: ECDSA on P-256."""
    return tuple(Key(kind, "P-256" if kind == "ecdsa" else "") for kind in kinds)


def from_profile(
    profile: Profile, day: date, having: tuple[Key, ...], manners: Manners = OPENSSL_3_0
) -> Server:
    """A server that does what the profile lists, as far as its library can."""
    versions = profile.allowed_versions(day)
    able = tuple(g for g in map(group, allowed(profile.groups, day)) if manners.knows(g))
    return Server(
        versions=versions,
        # Which certificates there are is part of the answer, so suites stay in for all of them.
        suites={v: profile.allowed_suites(v, day, KEY_TYPES) for v in versions},
        groups={v: tuple(g for g in able if g.tls12 or v == "TLSv1.3") for v in versions},
        client_order=frozenset(() if profile.preference == "server" else versions),
        keys=having,
        # OpenSSL's security level is lowered for TLS before 1.2, and opens SHA-1 in 1.2 with it;
        # what is compiled for GnuTLS names every signature, and never this one.
        sha1=bool(manners.openssl)
        and profile.sha1_signatures == "allowed"
        and any(v in _SHA1_BY_NATURE for v in versions),
        manners=manners,
    )


def from_facts(facts: EndpointFacts, manners: Manners = OPENSSL_3_0) -> Server:
    """A server that does what it was seen to do.

    Groups are asked for in TLS 1.3 and in the newest version below it; versions older than that use
    the same. Up to TLS 1.2 they cannot be told where only ECDSA is served; then those of TLS 1.3
    stand in. What `strange` names is left out.
    """
    versions = tuple(v for v, tried in facts.protocols.items() if tried.seen == "accepted")
    leaves = [chain[0] for chain in facts.chains]
    sha1 = facts.behaviours.get("sha1-signature")
    return Server(
        versions=versions,
        suites={v: _known(suite, facts.suites.get(v, ())) for v in versions},
        groups={v: _usable(_told(facts, v), v) for v in versions},
        client_order=frozenset(v for v in versions if facts.preference.get(v) == "client"),
        keys=tuple(Key(k, leaf.curve) for leaf in leaves for k in KEY_TYPES if k == leaf.key_type),
        sha1=sha1 is not None and sha1.seen == "accepted",
        manners=manners,
    )


def strange(facts: EndpointFacts, version: Version) -> tuple[str, ...]:
    """What this edition does not know of the suites and groups of a version.

    Another edition may have seen them, and a server may choose a number that has no name.
    """
    suites, groups = facts.suites.get(version, ()), _told(facts, version)
    return (
        *(name for name in suites if not _known(suite, [name])),
        *(name for name in groups if not _known(group, [name])),
    )


def _told(facts: EndpointFacts, version: Version) -> tuple[str, ...]:
    """The groups of this version, or of the next newer one that some were told of."""
    newer = VERSIONS[VERSIONS.index(version) :]
    return next((facts.groups[v] for v in newer if facts.groups.get(v)), ())


def _usable(names: Iterable[str], version: Version) -> tuple[Group, ...]:
    return tuple(g for g in _known(group, names) if g.tls12 or version == "TLSv1.3")


def _known(named: Callable[[str], T], names: Iterable[str]) -> tuple[T, ...]:
    found = []
    for name in names:
        with suppress(KeyError):
            found.append(named(name))
    return tuple(found)
