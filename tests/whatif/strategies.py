"""Clients and servers of every kind, drawn by chance."""

from msgspec import Struct
from hypothesis import strategies as st

from audit.forecast.manners import LIBRARIES
from audit.forecast.negotiate import Agreed, negotiate
from audit.forecast.server import Key, Server
from audit.iana import VERSIONS, group, suite
from audit.wire.offer import Offer
from audit.whatif.known import Seen
from audit.whatif.side import Side

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
    """

    offer: Offer
    oldest: int
    largest: int

    def meets(self, side: Side) -> Agreed | None:
        """What it gets there; None if nothing."""
        found = negotiate(self.offer, side.server)
        if not isinstance(found, Agreed) or VERSIONS.index(found.version) < self.oldest:
            return None
        dhe = found.suite.key_exchange == "DHE" and found.group is None
        return None if dhe and side.prime is not None and side.prime > self.largest else found


def told(agreed: Agreed, *, group: bool) -> Seen:
    """What a log says of a handshake."""
    named = agreed.group.name if group and agreed.group else ""
    return Seen(agreed.version, agreed.suite, named)


@st.composite
def people(draw: st.DrawFn) -> Person:
    """Clients; what they have is drawn, and no two lists hang together."""
    first = draw(st.integers(1, 5))
    last = draw(st.integers(first, 5))
    listed = last == 5 or draw(st.booleans())
    # A hello without a list of versions names the newest only.
    begin = first if listed else 1
    groups = draw(st.none() | st.lists(st.sampled_from(GROUPS), unique=True, min_size=1))
    named = groups or []
    shares = draw(st.lists(st.sampled_from(named), unique=True)) if named else []
    sane = last == 5 and draw(st.integers(0, 9)) > 0
    return Person(
        Offer(
            legacy=0x0303,
            versions=VERSIONS[begin : last + 1][::-1],
            suites=tuple(draw(st.lists(st.sampled_from(SUITES), unique=True, min_size=3))),
            groups=None if groups is None else tuple(groups),
            shares=tuple(shares) if sane else None,
            signatures=draw(
                st.none()
                | st.lists(st.sampled_from(SIGNATURES), unique=True, min_size=2).map(tuple)
            ),
            lists_versions=listed,
        ),
        first,
        draw(st.sampled_from(PRIMES)),
    )


@st.composite
def sides(draw: st.DrawFn) -> Side:
    """Servers, of which all is known but sometimes the order."""
    first = draw(st.integers(1, 5))
    versions = VERSIONS[first : draw(st.integers(first, 5)) + 1]
    suites = draw(st.lists(st.sampled_from(SUITES), unique=True, min_size=4))
    groups = draw(st.lists(st.sampled_from(GROUPS), unique=True, min_size=2))
    clients = draw(st.booleans())
    server = Server(
        versions=versions,
        suites={v: tuple(s for s in suites if s.usable_in(v)) for v in versions},
        groups={v: tuple(groups) for v in versions},
        client_order=frozenset(versions if clients else ()),
        keys=draw(st.sampled_from(KEYS)),
        sha1=draw(st.booleans()),
        manners=LIBRARIES[draw(st.sampled_from(sorted(LIBRARIES)))],
    )
    order = frozenset(() if clients or draw(st.integers(0, 4)) == 0 else versions)
    return Side(server, server, order, draw(st.sampled_from(PRIMES)), "known")


@st.composite
def changes(draw: st.DrawFn) -> tuple[Side, Side]:
    """A server and what is made of it: all of it may change, and mostly only some of it does."""
    old, other = draw(sides()), draw(sides())
    kept = draw(st.sets(st.sampled_from(("groups", "keys", "sha1", "manners", "versions"))))
    now, then = old.server, other.server
    versions = now.versions if "versions" in kept else then.versions
    listed = next(iter(now.groups.values() if "groups" in kept else then.groups.values()))
    suites = max(then.suites.values(), key=len)
    server = Server(
        versions=versions,
        suites={v: tuple(s for s in suites if s.usable_in(v)) for v in versions},
        groups={v: listed for v in versions},
        client_order=frozenset(versions if then.client_order else ()),
        keys=now.keys if "keys" in kept else then.keys,
        sha1=now.sha1 if "sha1" in kept else then.sha1,
        manners=now.manners if "manners" in kept else then.manners,
    )
    order = frozenset(versions if other.order else ())
    return old, Side(server, server, order, other.prime, "candidate")
