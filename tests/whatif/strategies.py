"""Clients and servers of every kind, drawn by chance."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

from hypothesis import strategies as st
from msgspec import Struct

from audit.forecast.manners import LIBRARIES
from audit.forecast.negotiate import Agreed, negotiate
from audit.forecast.server import Key, Server
from audit.iana import VERSIONS, group, suite
from audit.whatif.ja3 import parse
from audit.whatif.known import Seen
from audit.whatif.side import Side
from audit.wire.offer import Offer

T = TypeVar("T")

SUITES = tuple(
    map(
        suite,
        (
            "TLS_AES_256_GCM_SHA384",
            "TLS_CHACHA20_POLY1305_SHA256",
            "TLS_AES_128_GCM_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
            "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
            "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
            "TLS_DHE_RSA_WITH_AES_128_CBC_SHA",
            "TLS_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_RSA_WITH_AES_128_CBC_SHA",
            "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
            "TLS_DH_anon_WITH_AES_128_CBC_SHA",
        ),
    )
)
GROUPS = tuple(map(group, ("X25519", "P-256", "P-384", "P-521", "ffdhe2048", "ffdhe3072")))
SIGNATURES = (0x0201, 0x0203, 0x0401, 0x0403, 0x0501, 0x0503, 0x0603, 0x0804, 0x0805, 0x0807)
PRIMES = (1024, 2048, 3072)
KEYS = (
    (Key("rsa"),),
    (Key("ecdsa", "P-256"),),
    (Key("rsa"), Key("ecdsa", "P-256")),
    (Key("rsa"), Key("ecdsa", "P-384")),
)


class Person(Struct, frozen=True):
    """A client with all that decides what it comes to.

    Attributes:
        offer: its hello.
        oldest: the oldest version that it completes, whatever its hello says.
        largest: bits of the largest prime that it takes.
        minds: it takes no ECDSA certificate on a curve that it does not name.
    """

    offer: Offer
    oldest: int
    largest: int
    minds: bool

    def meets(self, side: Side) -> Agreed | None:
        """What it gets there; None if nothing."""
        found = negotiate(self.offer, side.server)
        if not isinstance(found, Agreed) or VERSIONS.index(found.version) < self.oldest:
            return None
        if self.minds and not self._names(found, side.server):
            return None
        dhe = found.suite.key_exchange == "DHE" and found.group is None
        return None if dhe and side.prime is not None and side.prime > self.largest else found

    def _names(self, found: Agreed, server: Server) -> bool:
        if found.version == "TLSv1.3" or found.suite.authentication != "ECDSA":
            return True
        named = {g.name for g in self.offer.groups or ()}
        curves = {key.curve for key in server.keys if key.kind == "ecdsa"}
        return self.offer.groups is None or bool(named & curves)


def _some(random: Random, every: Sequence[T], least: int = 1) -> list[T]:
    """At least so many of these, in any order."""
    return random.sample(every, random.randint(least, len(every)))


def person(random: Random) -> Person:
    """A client; what it has is drawn, and no two lists hang together."""
    first = random.randint(1, 5)
    last = random.randint(first, 5)
    listed = last == 5 or random.random() < 0.5
    # A hello without a list of versions names the newest only.
    begin = first if listed else 1
    groups = _some(random, GROUPS) if random.random() < 0.85 else None
    sane = last == 5 and random.random() < 0.9
    return Person(
        Offer(
            legacy=0x0303,
            versions=VERSIONS[begin : last + 1][::-1],
            suites=tuple(s for s in _some(random, SUITES, 2) if last == 5 or not s.tls13),
            groups=None if groups is None else tuple(groups),
            shares=tuple(_some(random, groups, 0)) if sane and groups else None,
            signatures=tuple(_some(random, SIGNATURES)) if random.random() < 0.8 else None,
            lists_versions=listed,
        ),
        first,
        random.choice(PRIMES),
        random.random() < 0.5,
    )


def side(random: Random) -> Side:
    """A server, of which all is known but sometimes the order."""
    first = random.randint(1, 5)
    versions = VERSIONS[first : random.randint(first, 5) + 1]
    suites, groups = _some(random, SUITES), tuple(_some(random, GROUPS))
    clients = random.random() < 0.3
    server = Server(
        versions=versions,
        suites={v: tuple(s for s in suites if s.usable_in(v)) for v in versions},
        groups=dict.fromkeys(versions, groups),
        client_order=frozenset(versions if clients else ()),
        keys=random.choice(KEYS),
        sha1=random.random() < 0.5,
        manners=random.choice(list(LIBRARIES.values())),
    )
    order = frozenset(() if clients or random.random() < 0.2 else versions)
    return Side(server, server, order, random.choice(PRIMES), "known")


def after(random: Random, old: Side) -> Side:
    """What is made of a server: anything may change, and mostly only some of it does."""
    other = side(random)
    kept = set(_some(random, ("groups", "keys", "sha1", "manners", "versions"), 0))
    now, then = old.server, other.server
    versions = now.versions if "versions" in kept else then.versions
    groups = next(iter((now if "groups" in kept else then).groups.values()))
    suites = max(then.suites.values(), key=len)
    server = Server(
        versions=versions,
        suites={v: tuple(s for s in suites if s.usable_in(v)) for v in versions},
        groups=dict.fromkeys(versions, groups),
        client_order=frozenset(versions if then.client_order else ()),
        keys=(now if "keys" in kept else then).keys,
        sha1=(now if "sha1" in kept else then).sha1,
        manners=(now if "manners" in kept else then).manners,
    )
    return Side(server, server, frozenset(versions if other.order else ()), other.prime, "new")


class Meeting(Struct, frozen=True):
    """A client that connects to a server, what it gets, and what is made of the server."""

    person: Person
    old: Side
    got: Agreed
    new: Side
    other: Side
    named: bool

    @property
    def seen(self) -> Seen:
        """What a log has of it."""
        group = self.got.group.name if self.named and self.got.group else ""
        return Seen(self.got.version, self.got.suite, group)


def meeting(seed: int) -> Meeting:
    """One out of all there may be; drawn faster than hypothesis draws, which shrinks the number."""
    random = Random(seed)  # noqa: S311 - nobody is to be surprised
    for _ in range(1000):
        one, old = person(random), side(random)
        if got := one.meets(old):
            return Meeting(one, old, got, after(random, old), side(random), random.random() < 0.5)
    raise AssertionError("nobody connects")


MEETINGS = st.integers(0, 1 << 64).map(meeting)


def ja3(offer: Offer) -> Offer | None:
    """The same hello as its JA3 has it: through the words and back.

    None for what no client does: suites of TLS 1.3 without the version, or the other way round.
    """
    if any(s.tls13 for s in offer.suites) != ("TLSv1.3" in offer.versions):
        return None
    extensions = {10: offer.groups, 43: offer.lists_versions or None, 51: offer.shares}
    there = [str(kind) for kind, found in extensions.items() if found is not None]
    newest = VERSIONS.index(offer.versions[0])
    words = (
        str(0x0300 + min(newest, 4) - 1),
        "-".join(str(s.code) for s in offer.suites),
        "-".join(there),
        "-".join(str(g.code) for g in offer.groups or ()),
        "0",
    )
    found = parse(",".join(words))
    assert found is not None
    return found
