"""Pick, remove, repeat: what a server accepts, and in whose order. Pure.

A script yields hellos and is sent what was heard; whoever drives it owns the network. What is
offered does not depend on anything but the answers, so that a script that is fed foreseen answers
tells which hellos will be needed.
"""

from collections.abc import Generator, Sequence
from typing import TypeVar

from msgspec import Struct, field

from audit.facts import Observation, Preference
from audit.iana import GROUPS, SUITES, Group, Suite, Version
from audit.iana.versions import CODES
from audit.wire.answer import Closed, Garbage, Heard, Unheard
from audit.wire.hello import Hello
from audit.wire.server_hello import Accepted

T = TypeVar("T")
Script = Generator[Hello, Heard, T]

# Up to TLS 1.2 a server computes before it answers, and elliptic curves are cheap.
ELLIPTIC = tuple(g for g in GROUPS if g.tls12 and not g.finite_field)
_NOT_TRIED = Observation("inconclusive", "not tried")
_CHACHA = "CHACHA20_POLY1305"


class Discovery(Struct):
    """What one version accepts.

    Attributes:
        first: the version itself.
        picks: the answers, in the order the server gave them.
        rest: the last hello, with everything that was not picked.
        instead: an older version that the server chose for a hello of this one.
        doubtful: it was refused, but perhaps not because of the version.
    """

    first: Observation = _NOT_TRIED
    picks: list[Accepted] = field(default_factory=list)
    rest: Observation = _NOT_TRIED
    instead: Version | None = None
    doubtful: bool = False

    @property
    def suites(self) -> tuple[Suite, ...]:
        """The accepted suites in the server's order."""
        return tuple(p.suite for p in self.picks if p.suite)


def groups_for(version: Version) -> tuple[Group, ...]:
    """The groups to offer where they are not the question."""
    return GROUPS if version == "TLSv1.3" else ELLIPTIC


def offer_order(expected: Sequence[Suite], version: Version) -> list[Suite]:
    """All suites of a version, what the policy wants last and in reverse.

    A server that enforces the policy's order then picks against the client's at every step; so
    the discovery of the set proves the order and the preference on the way.
    """
    # Up to TLS 1.2 everything is offered: old servers choose suites that came after their version.
    usable = [s for s in SUITES if s.tls13 == (version == "TLSv1.3")]
    wanted = [s for s in reversed(expected) if s.tls13 == (version == "TLSv1.3")]
    known = {*wanted}
    return [*(s for s in usable if s not in known), *wanted]


def suites(version: Version, offered: Sequence[Suite], name: str) -> Script[Discovery]:
    """Every suite of *offered* that the server accepts in *version*.

    Diffie-Hellman over finite fields is asked for apart: a server without a prime may break down
    over it where it should choose another suite, and one with a prime of its own may refuse it to
    clients that name groups of RFC 7919.
    """
    apart = [s for s in offered if s.finite_field]
    found = yield from walk(version, [s for s in offered if not s.finite_field], name)
    if not apart or found.first.seen == "inconclusive":
        return found
    other = yield from walk(version, apart, name)
    whole = _both(found, other)
    if not (found.suites and other.suites):
        return whole
    # Each walk has an order of its own; a third over what both found shows that of all.
    accepted = {*whole.suites}
    order = yield from walk(version, [s for s in offered if s in accepted], name)
    if {*order.suites} == accepted:
        whole.picks = order.picks
    else:
        words = f"the order of all could not be told: {order.rest.evidence}"
        whole.rest = Observation("inconclusive", words)
    return whole


def _both(found: Discovery, other: Discovery) -> Discovery:
    """Two walks as one: accepted if either was, refused only if both were."""
    seen = {found.first.seen: found.first, other.first.seen: other.first}
    rests = {found.rest.seen: found.rest, other.rest.seen: other.rest}
    return Discovery(
        first=seen.get("accepted") or seen.get("inconclusive") or found.first,
        picks=found.picks + other.picks,
        rest=rests.get("inconclusive") or found.rest,
        instead=found.instead or other.instead,
    )


def walk(version: Version, offered: Sequence[Suite], name: str) -> Script[Discovery]:
    """Take away what is chosen, until nothing is."""
    left, found = list(offered), Discovery()
    while True:
        heard = yield Hello(version, tuple(left), groups_for(version), name)
        last = read(heard, version)
        if isinstance(heard, Accepted) and heard.version != version:
            found.instead = heard.version
        if last.seen != "accepted" or not isinstance(heard, Accepted):
            break
        if heard.suite not in left:
            if not found.picks:
                found.picks.append(heard)
            if version != "SSLv2":
                last = Observation("inconclusive", f"chose {heard.suite}, not offered")
            break
        found.picks.append(heard)
        left.remove(heard.suite)
        if not left:
            last = Observation("refused", "nothing is left to offer")
            break
    found.rest = last
    found.first = Observation("accepted", evidence(found.picks)) if found.picks else last
    return found


def read(heard: Heard, version: Version) -> Observation:  # noqa: PLR0911 - a table
    """Whether a hello for *version* was accepted."""
    match heard:
        case Accepted(version=chosen) if chosen == version:
            return Observation("accepted", f"ServerHello {chosen}")
        case Accepted(version=None):
            return Observation("inconclusive", "ServerHello of an unknown version")
        case Accepted(version=chosen) if chosen and CODES[chosen] > CODES[version]:
            return Observation("inconclusive", f"ServerHello {chosen}, newer than offered")
        case Accepted(version=chosen):
            return Observation("refused", f"ServerHello {chosen} instead")
        case Garbage() | Unheard():
            return Observation("inconclusive", str(heard))
        case Closed():
            return Observation("refused", str(heard))
        case _:
            return Observation("refused", str(heard))


def evidence(picks: Sequence[Accepted]) -> str:
    """The first answer, in words."""
    first = picks[0]
    return f"ServerHello {first.version}" + (f" {first.suite.name}" if first.suite else "")


def preference(
    version: Version, found: Discovery, offered: Sequence[Suite], name: str
) -> Script[Preference]:
    """Whose order decides; asks once more only if the discovery did not show it."""
    accepted = found.suites
    if len(accepted) < 2:  # noqa: PLR2004 - an order takes two
        return "unknown"
    order = [s for s in offered if s in accepted]
    left = list(order)
    for pick in accepted:
        if pick not in left:
            return "unknown"  # never offered, or offered no more
        if pick != left[0]:
            return "server"
        left.remove(pick)
    again = yield Hello(version, tuple(order[::-1]), groups_for(version), name)
    if not isinstance(again, Accepted) or again.suite is None:
        return "unknown"
    return "server" if again.suite == order[0] else "client"


def chacha_first(version: Version, found: Discovery, name: str) -> Script[Observation]:
    """Whether ChaCha20 comes first for a client that wants it first, whatever else the order is.

    OpenSSL's PrioritizeChaCha: the server's order, but for clients without AES in hardware.
    """
    accepted = found.suites
    liked = [s for s in accepted if _CHACHA in s.cipher]
    if not liked or _CHACHA in accepted[0].cipher:
        return Observation("refused", "ChaCha20 is not served, or first for everybody")
    offer = (*liked, *(s for s in accepted if s not in liked))
    heard = yield Hello(version, offer, groups_for(version), name)
    seen = read(heard, version)
    if seen.seen != "accepted" or not isinstance(heard, Accepted) or heard.suite is None:
        return Observation("inconclusive", seen.evidence)
    words = f"{heard.suite.name} for a client that wants ChaCha20 first"
    return Observation("accepted" if _CHACHA in heard.suite.cipher else "refused", words)
