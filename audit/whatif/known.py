"""What is known of a client's offer, from what it negotiated with a server that is known. Pure."""

from collections.abc import Iterable, Iterator

from msgspec import Struct, field
from msgspec.structs import replace

from audit.iana import VERSIONS, Suite, Version, group, suite
from audit.traffic.session import Session
from audit.whatif.needs import Kind, Need, looked_at, meets, needs
from audit.whatif.side import Prime, Side
from audit.wire.offer import Offer

# What a whole hello tells, and what is left of it in a JA3.
WHOLE: frozenset[Kind] = frozenset(("suite", "group", "signature", "field", "shares"))
PART: frozenset[Kind] = WHOLE - {"signature"}


class Seen(Struct, frozen=True):
    """What was negotiated, as far as it is told.

    Attributes:
        version: the version.
        suite: None if the words of the log fit none, or several.
        group: the name of the group; empty if it is not told.
    """

    version: Version
    suite: Suite | None
    group: str = ""


def seen(session: Session) -> Seen | None:
    """The same out of a log; None if it does not even tell the version."""
    if session.version is None:
        return None
    return Seen(session.version, suite(session.suite) if session.suite else None, session.group)


class Known(Struct, frozen=True):
    """What is certain about one client.

    Attributes:
        versions: offered for certain, and completed if the server takes them.
        excluded: not offered for certain.
        oldest: the oldest version that it was seen to complete.
        met: conditions that it meets.
        unmet: of each of these sets, it does not meet all.
        offer: its hello, where that is known; only of `exact`.
        exact: the kinds of list that the hello tells.
        primes: those that it was seen to do DHE with.
        curves: those of ECDSA certificates that it was seen to take, up to TLS 1.2.
    """

    versions: frozenset[Version] = frozenset()
    excluded: frozenset[Version] = frozenset()
    oldest: Version | None = None
    met: tuple[Need, ...] = ()
    unmet: tuple[frozenset[Need], ...] = ()
    offer: Offer | None = None
    exact: frozenset[Kind] = field(default_factory=frozenset)
    primes: frozenset[Prime] = frozenset()
    curves: frozenset[str] = frozenset()

    def truth(self, need: Need) -> bool | None:
        """Whether the client meets a condition; None if nobody can tell."""
        if self.offer is not None and need.kind in self.exact:
            return meets(self.offer, need)
        mine = [one for one in self.met if one.kind == need.kind]
        if not all(one.or_none for one in mine):  # it has such a list
            mine = [replace(one, or_none=False) for one in mine]
        return True if any(one.implies(need) for one in mine) else None

    def impossible(self, wanted: Iterable[Need]) -> bool:
        """Whether it cannot meet all of these: one of them, or what follows of them, is wrong."""
        required = tuple(wanted)
        if any(self.truth(need) is False for need in required):
            return True
        return any(
            all(any(mine.implies(need) for mine in required) for need in left)
            for left in self._left()
        )

    @property
    def contradictory(self) -> bool:
        """Whether no client can be like this: what is known is of several."""
        return bool(self.versions & self.excluded) or any(not left for left in self._left())

    def _left(self) -> Iterator[list[Need]]:
        """Of each set, what may be unmet."""
        return ([n for n in one if self.truth(n) is not True] for one in self.unmet)


def learn(known: Known, found: Seen, side: Side) -> Known:
    """What is known after one more observation, at a server like this."""
    version = found.version
    newer = [v for v in side.server.versions if _rank(v) > _rank(version)] if side.told else []
    # A server takes the newest version in common, and whoever lacks one has none newer either.
    first = min(map(_rank, newer), default=len(VERSIONS))
    oldest = version if known.oldest is None else min(version, known.oldest, key=_rank)
    known = replace(
        known,
        versions=known.versions | {version},
        excluded=known.excluded | set(VERSIONS[first:]),
        oldest=oldest,
    )
    return known if found.suite is None else _with_suite(known, found, found.suite, side)


def _with_suite(known: Known, found: Seen, taken: Suite, side: Side) -> Known:
    version, server = found.version, side.server
    required = needs(side.most, version, taken) or ()
    # Of a list that is empty nothing can have come: it is not known, so neither is what it says.
    met = [need for need in required if need.codes or need.kind == "shares"]
    met.append(Need("suite", frozenset((taken.code,))))
    unmet: list[frozenset[Need]] = []
    named = _named(found, side)
    if named is not None:
        met.append(named)
    if version in side.order and not (side.chacha_first and "CHACHA20" in taken.name):
        better = _before(server.suites.get(version, ()), taken)
        left = (looked_at(server, version, one) for one in better)
        unmet += [frozenset(wanted) for wanted in left if wanted is not None]
    primes = known.primes | ({side.prime_of(version)} if taken.key_exchange == "DHE" else set())
    curves = known.curves
    if version != "TLSv1.3" and taken.authentication == "ECDSA":
        curves |= {key.curve for key in server.keys if key.kind == "ecdsa"}
    met, unmet = [*known.met, *met], [*known.unmet, *unmet]
    return replace(known, met=tuple(met), unmet=tuple(unmet), primes=primes, curves=curves)


def _named(found: Seen, side: Side) -> Need | None:
    """That the client names the group, if one is told that has a name."""
    try:
        one = group(found.group)
    except KeyError:
        return None
    # A server may assume a group for who names none (RFC 8422, section 4).
    assumed = one.name == side.server.manners.assumed and found.version != "TLSv1.3"
    return Need("group", frozenset((one.code,)), or_none=assumed)


def _before(order: Iterable[Suite], taken: Suite) -> Iterator[Suite]:
    """The suites that come first; none if what was taken is not among them."""
    listed = list(order)
    return iter(listed[: listed.index(taken)] if taken in listed else ())


def with_offer(known: Known, offer: Offer, exact: frozenset[Kind]) -> Known:
    """What is known if the hello is known too, and its lists of these kinds are complete.

    A hello may name versions that its client does not complete: those older than what it was seen
    with are not certain.
    """
    least = 0 if known.oldest is None else _rank(known.oldest)
    return replace(
        known,
        versions=known.versions | {v for v in offer.versions if _rank(v) >= least},
        excluded=known.excluded | (frozenset(VERSIONS) - set(offer.versions)),
        offer=offer,
        exact=exact,
    )


def _rank(version: Version) -> int:
    return VERSIONS.index(version)
