"""A server as far as it is known: what decides what an observation says of a client. Pure."""

from collections.abc import Iterable, Iterator
from datetime import date

from msgspec import Struct
from msgspec.structs import replace

from audit.facts import EndpointFacts
from audit.forecast.manners import Manners
from audit.forecast.outcome import certificates
from audit.forecast.server import Key, Server, from_facts, from_profile, keys
from audit.iana import Group, Version
from audit.policy.model import Profile

# Stands for groups that a scan could not tell. No client names it, and no other list has it, so
# what rests on it holds for the same server only.
_UNTOLD = Group(0x1_0000, "untold")


# Bits of the server's own prime, None for the one that there is; and the finite fields that clients
# may name in its place. Who took a prime takes it again where both are the same.
Prime = tuple[int | None, tuple[int, ...]]


class Side(Struct, frozen=True):
    """One configuration.

    Attributes:
        server: what it does; of what is uncertain, the least.
        most: the same with all that is uncertain.
        order: the versions in which its own order is known to decide.
        prime: bits of its prime for DHE; None if not known.
        source: where it is known from, for people; empty if it is not known at all: then `server`
            is the candidate's, which is to say that nothing but versions and suites changes.
        chacha_first: ChaCha20 may come first for clients that want it first.
    """

    server: Server
    most: Server
    order: frozenset[Version] = frozenset()
    prime: int | None = None
    source: str = ""
    chacha_first: bool = False

    def prime_of(self, version: Version) -> Prime:
        """What its prime for DHE depends on."""
        fields = self.server.groups.get(version, ()) if self.server.manners.finite_fields else ()
        return self.prime, tuple(g.code for g in fields if g.finite_field)

    @property
    def told(self) -> bool:
        """Whether anything is known of it."""
        return bool(self.source)


def from_policy(
    profile: Profile, day: date, having: tuple[Key, ...], manners: Manners, source: str
) -> Side:
    """A server that was rolled out by a policy.

    An upper bound, or an order that is nobody's, says what may be served and not what was: then
    only what the client took is known.
    """
    server = from_profile(profile, day, having, manners)
    fixed = profile.bound == "exact" and profile.order == "exact"
    ordered = fixed and profile.preference == "server"
    order = frozenset(server.versions if ordered else ())
    return Side(server, server, order, profile.dh_bits, source if fixed else "")


def from_scan(facts: EndpointFacts, manners: Manners, source: str) -> Side:
    """A server that was looked at."""
    server = from_facts(facts, manners)
    server = replace(server, groups={v: g or (_UNTOLD,) for v, g in server.groups.items()})
    sha1 = facts.behaviours.get("sha1-signature")
    untold = sha1 is None or sha1.seen == "inconclusive"
    chacha = facts.behaviours.get("chacha-first")
    return Side(
        server,
        replace(server, sha1=True) if untold else server,
        frozenset(v for v in server.versions if facts.preference.get(v) == "server"),
        facts.dh_bits,
        source,
        chacha_first=chacha is None or chacha.seen != "refused",
    )


def candidate(
    profile: Profile, day: date, having: tuple[Key, ...], manners: Manners, prime: int | None
) -> Side:
    """The server that the new policy makes, on a host that has such keys.

    Where the policy wants other certificates than there are, they are made as the roles make them.
    """
    wanted = certificates(profile)
    able = tuple(key for key in having if key.kind in wanted) or keys(wanted)
    server = from_profile(profile, day, able, manners)
    decides = () if profile.preference != "server" else server.versions
    return Side(server, server, frozenset(decides), profile.dh_bits or prime, "candidate")


def unknown(new: Side) -> Side:
    """What is assumed where nothing is known: that certificates, groups and signatures stay."""
    return replace(new, order=frozenset(), source="")


def distinct(sides: Iterable[Side]) -> Iterator[Side]:
    """Each configuration once, under the first of its names."""
    known: set[str] = set()
    for side in sides:
        content = repr(replace(side, source=""))
        if content not in known:
            known.add(content)
            yield side
