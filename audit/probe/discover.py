"""Pick, remove, repeat: which suites and groups a server accepts, and in whose order."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from audit.facts import Observation, Preference
from audit.iana import GROUPS, SUITES, Group, Suite, Version, group, suite
from audit.iana.versions import CODES
from audit.probe.connection import Connection, ProbeError
from audit.probe.guest import Guest
from audit.wire.answer import Accepted, Answer, Garbage
from audit.wire.hello import Hello

# Cheap groups only where a server may compute with them before it answers (up to TLS 1.2).
_CHEAP = tuple(g for g in GROUPS if g.tls12 and (not g.finite_field or g.name == "ffdhe2048"))
_ELLIPTIC = tuple(g for g in GROUPS if g.tls12 and not g.finite_field)

_CLASSIC_VERSIONS: tuple[Version, ...] = ("SSLv3", "TLSv1.0", "TLSv1.1")
_CLASSIC = tuple(suite(code) for code in (0xC013, 0xC014, 0x002F, 0x0035, 0x000A, 0x0005))
_CLASSIC_GROUPS = tuple(group(code) for code in (0x0017, 0x0018))
_NOT_TRIED = Observation("inconclusive", "not tried")


@dataclass(slots=True)
class Discovery:
    """What one version accepts.

    Attributes:
        first: the version itself.
        picks: the answers, in the order the server gave them.
        rest: the last hello, with everything that was not picked.
        instead: an older version that the server chose for a hello of this one.
        primes: the answers to hellos that asked for the Diffie-Hellman prime only.
    """

    first: Observation
    picks: list[Accepted] = field(default_factory=list)
    rest: Observation = _NOT_TRIED
    instead: Version | None = None
    primes: list[Accepted] = field(default_factory=list)

    @property
    def suites(self) -> tuple[Suite, ...]:
        """The accepted suites in the server's order."""
        return tuple(p.suite for p in self.picks if p.suite)


def greet(guest: Guest, hello: Hello) -> Answer | None:
    """The answer to one hello on a connection of its own; None if the server just closed.

    Raises:
        ProbeError: it was not answered.
    """

    def question(connection: Connection) -> Answer | None:
        connection.to_tls()
        return connection.hello(hello)

    answer = guest.ask(question)
    # A close without a word may be about too many connections at once: so once more, alone.
    return guest.ask(question, alone=True) if answer is None else answer


def groups_for(version: Version) -> tuple[Group, ...]:
    """The groups to offer where they are not the question."""
    return GROUPS if version == "TLSv1.3" else _CHEAP


def offer_order(expected: Sequence[Suite], version: Version) -> list[Suite]:
    """All suites of a version, what the policy wants last and in reverse.

    A server that enforces the policy's order then picks against the client's at every step; so
    the discovery of the set proves the order and the preference on the way.
    """
    # Up to TLS 1.2 everything is offered: old servers choose suites that came after their version.
    usable = [s for s in SUITES if s.tls13 == (version == "TLSv1.3")]
    wanted = [s for s in reversed(expected) if s in usable]
    return [*(s for s in usable if s not in wanted), *wanted]


def suites(guest: Guest, version: Version, expected: Sequence[Suite]) -> Discovery:
    """Every suite the server accepts in *version*."""
    offered = offer_order(expected, version)
    found, last = Discovery(_NOT_TRIED), _NOT_TRIED
    while True:
        try:
            hello = Hello(version, offered, groups_for(version), guest.endpoint.name)
            answer = greet(guest, hello)
        except ProbeError as error:
            last = Observation("inconclusive", str(error))
        else:
            last = read(answer, version)
            if isinstance(answer, Accepted) and answer.version != version:
                found.instead = answer.version
            if last.seen == "accepted" and isinstance(answer, Accepted):
                found.picks.append(answer)
                if answer.suite in offered:
                    offered.remove(answer.suite)
                    if offered:
                        continue
                    last = Observation("refused", "nothing is left to offer")
                elif version != "SSLv2":
                    last = Observation("inconclusive", f"chose {answer.suite}, never offered")
        break
    if not found.picks and last.seen == "refused" and version in _CLASSIC_VERSIONS:
        last = _classic(guest, version, found, last)
    found.rest = last
    found.first = Observation("accepted", _evidence(found.picks)) if found.picks else last
    return found


def _classic(guest: Guest, version: Version, found: Discovery, last: Observation) -> Observation:
    """A short hello of old suites, for servers that choke on long ones before they refuse."""
    hello = Hello(version, _CLASSIC, _CLASSIC_GROUPS, guest.endpoint.name)
    try:
        answer = greet(guest, hello)
    except ProbeError as error:
        return Observation("inconclusive", str(error))
    seen = read(answer, version)
    if seen.seen == "accepted" and isinstance(answer, Accepted):
        found.picks.append(answer)
        return Observation("inconclusive", "it answers short hellos only")
    return last if seen.seen == "refused" else seen


def read(answer: Answer | None, version: Version) -> Observation:  # noqa: PLR0911 - a table
    """Whether a hello for *version* was accepted."""
    match answer:
        case Accepted(version=chosen) if chosen == version:
            return Observation("accepted", f"ServerHello {chosen}")
        case Accepted(version=None):
            return Observation("inconclusive", "ServerHello of an unknown version")
        case Accepted(version=chosen) if chosen and CODES[chosen] > CODES[version]:
            return Observation("inconclusive", f"ServerHello {chosen}, newer than offered")
        case Accepted(version=chosen):
            return Observation("refused", f"ServerHello {chosen} instead")
        case Garbage():
            return Observation("inconclusive", str(answer))
        case None:
            return Observation("refused", "closed without a word")
        case _:
            return Observation("refused", str(answer))


def _evidence(picks: Sequence[Accepted]) -> str:
    first = picks[0]
    return f"ServerHello {first.version}" + (f" {first.suite.name}" if first.suite else "")


def preference(
    guest: Guest, version: Version, found: Discovery, expected: Sequence[Suite]
) -> Preference:
    """Whose order decides; asks once more only if the discovery did not show it."""
    accepted = found.suites
    if len(accepted) < 2:  # noqa: PLR2004 - an order takes two
        return "unknown"
    order = [s for s in offer_order(expected, version) if s in accepted]
    left = list(order)
    for pick in accepted:
        if pick not in left:
            return "unknown"  # never offered, or offered no more
        if pick != left[0]:
            return "server"
        left.remove(pick)
    try:
        hello = Hello(version, order[::-1], groups_for(version), guest.endpoint.name)
        again = greet(guest, hello)
    except ProbeError:
        return "unknown"
    if not isinstance(again, Accepted) or again.suite is None:
        return "unknown"
    return "server" if again.suite == order[0] else "client"


def own_prime(guest: Guest, version: Version, found: Discovery) -> str:
    """See the server's own Diffie-Hellman prime too; why not, if that fails.

    A server may take a group of RFC 7919 where one is offered and its own prime where none is.
    """
    usable = [s for s in found.suites if s.key_exchange == "DHE"]
    if not usable:
        return ""
    try:
        answer = greet(guest, Hello(version, usable, _ELLIPTIC, guest.endpoint.name))
    except ProbeError as error:
        return str(error)
    if isinstance(answer, Accepted):
        found.primes.append(answer)
    return "" if read(answer, version).seen != "inconclusive" else f"Diffie-Hellman: {answer}"


def groups(guest: Guest, version: Version, accepted: Sequence[Suite]) -> tuple[str, ...] | None:
    """The groups the server uses in *version*, in its order; None if that cannot be told.

    Up to TLS 1.2 only suites with an RSA certificate tell: with an ECDSA certificate OpenSSL
    insists on the certificate's own curve being offered, and then may choose it.
    """
    if version == "TLSv1.3":
        offered, usable = list(GROUPS), list(accepted)
    else:
        offered = list(_ELLIPTIC)
        usable = [s for s in accepted if s.key_exchange == "ECDHE" and s.authentication == "RSA"]
    picked: list[Group] = []
    while usable and offered:
        try:
            answer = greet(guest, Hello(version, usable, offered, guest.endpoint.name))
        except ProbeError:
            return None
        seen = read(answer, version)
        if seen.seen == "inconclusive":
            return None
        if seen.seen == "refused" or not isinstance(answer, Accepted):
            break
        if answer.group is None:
            return None  # explicit parameters instead of a named group
        chosen = group(answer.group)
        if chosen not in offered:
            return None
        picked.append(chosen)
        offered.remove(chosen)
    return tuple(g.name for g in picked) if usable else None
