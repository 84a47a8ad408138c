"""The servers that the clients of a log have met, and what the policy makes of each. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date

from msgspec import Struct
from msgspec.structs import replace

from audit.facts import EndpointFacts
from audit.forecast.manners import Manners
from audit.forecast.server import Key, keys
from audit.iana import suite
from audit.policy.model import KEY_TYPES, KeyType, Policy, Profile, Traffic
from audit.traffic.session import session
from audit.whatif.outgoing import ours
from audit.whatif.reason import Change
from audit.whatif.side import (
    Side,
    candidate,
    distinct,
    from_policy,
    from_scan,
    unknown,
)

# What is authenticated without a certificate of ours proves nothing about them.
_OTHERS = {"any", "anon", "DSS", "PSK", "RSA_PSK"}
_SETS: tuple[tuple[KeyType, ...], ...] = (("rsa",), ("ecdsa",), KEY_TYPES)


class Before(Struct, frozen=True):
    """What is known of a server at the time of the log.

    Attributes:
        origin: what an audit saw, or what had been rolled out.
        source: where that is from, for people.
    """

    origin: EndpointFacts | Profile
    source: str


class Question(Struct, frozen=True, kw_only=True):
    """What is asked.

    Attributes:
        policy: what would come into force.
        day: the day whose levels count.
        manners: the habits of the servers' TLS library.
        others: those where a kind of traffic has another one.
        before: what the servers were, by kind of traffic.
        certificates: what the servers have; nothing if nobody says.
        verify: outgoing mail only to hosts whose certificate can be verified.
        dane: domains that mail goes to by DANE or not at all; `*` is all.
    """

    policy: Policy
    day: date
    manners: Manners
    others: Mapping[Traffic, Manners] = {}
    before: Mapping[Traffic, tuple[Before, ...]] = {}
    certificates: tuple[KeyType, ...] = ()
    verify: bool = False
    dane: tuple[str, ...] = ()


def premises(question: Question, use: Traffic, words: Iterable[str]) -> tuple[Change, ...]:
    """Every server that it may have been, one at least; none if the policy has no word about it.

    Args:
        question: what is asked.
        use: the kind of traffic.
        words: what was negotiated, as logs have it: it proves which certificates there were.
    """
    profile = question.policy.profiles.get(use)
    if profile is None:
        return ()
    question = replace(question, manners=question.others.get(use, question.manners))
    before = question.before.get(use, ())
    if use == "outgoing":
        return _outgoing(question, profile, before)
    seen = {suite(name).authentication for text in words if (name := session(text).suite)}
    found: list[Change] = []
    for having in certificates(question.certificates, seen):
        news = [(old, old.server.keys or having) for old in _olds(question, before, having)]
        made = [Change(old, _new(question, profile, able, old.prime)) for old, able in news]
        found += [change for change in made if change not in found]
        if not news:
            new = _new(question, profile, having, None)
            found.append(Change(unknown(new), new))
    return tuple(found)


def certificates(said: Iterable[KeyType], seen: Iterable[str]) -> list[tuple[Key, ...]]:
    """The sets of certificates that a server may have had.

    Args:
        said: those that it had, if somebody says so.
        seen: the authentication of what was negotiated: such certificates there were. There may
            have been others that nobody took, and with the new policy somebody may.
    """
    if told := tuple(said):
        return [keys(told)]
    proven = set(seen)
    sets = [keys(kinds) for kinds in _SETS if proven <= {kind.upper() for kind in kinds} | _OTHERS]
    return sets or [keys(KEY_TYPES)]


def _olds(question: Question, before: Iterable[Before], having: tuple[Key, ...]) -> list[Side]:
    day, manners = question.day, question.manners
    found = (
        from_scan(one.origin, manners, one.source)
        if isinstance(one.origin, EndpointFacts)
        else from_policy(one.origin, day, having, manners, one.source)
        for one in before
    )
    return [one for one in distinct(found) if one.told]


def _new(question: Question, profile: Profile, having: tuple[Key, ...], prime: int | None) -> Side:
    return candidate(profile, question.day, having, question.manners, prime)


def _outgoing(question: Question, profile: Profile, before: Iterable[Before]) -> tuple[Change, ...]:
    new = ours(profile, question.day, question.manners, "candidate")
    olds = [
        ours(one.origin, question.day, question.manners, one.source)
        for one in before
        if isinstance(one.origin, Profile)
    ]
    return tuple(Change(old, new) for old in olds) or (Change(unknown(new), new),)
