"""The servers that the clients of a log have met, and what the policy makes of each. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date

from msgspec import Struct

from audit.facts import EndpointFacts
from audit.forecast.manners import Manners
from audit.iana import suite
from audit.policy.model import Policy, Profile, Traffic
from audit.traffic.session import session
from audit.whatif.outgoing import ours
from audit.whatif.reason import Change
from audit.whatif.side import (
    Side,
    candidate,
    distinct,
    from_policy,
    from_scan,
    proven,
    unknown,
)


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
        before: what the servers were, by kind of traffic.
        verify: outgoing mail only to hosts whose certificate can be verified.
    """

    policy: Policy
    day: date
    manners: Manners
    before: Mapping[Traffic, tuple[Before, ...]] = {}
    verify: bool = False


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
    before = question.before.get(use, ())
    if use == "outgoing":
        return _outgoing(question, profile, before)
    names = {session(text).suite for text in words} - {""}
    having = proven({suite(name).authentication for name in names})
    day, manners = question.day, question.manners
    olds = [
        from_scan(one.origin, manners, one.source)
        if isinstance(one.origin, EndpointFacts)
        else from_policy(one.origin, day, having, manners, one.source)
        for one in before
    ]

    def changed(old: Side) -> Change:
        return Change(old, candidate(profile, day, old.server.keys or having, manners, old.prime))

    found = tuple(changed(old) for old in distinct(olds) if old.told)
    if found:
        return found
    new = candidate(profile, day, having, manners, None)
    return (Change(unknown(new), new),)


def _outgoing(question: Question, profile: Profile, before: Iterable[Before]) -> tuple[Change, ...]:
    new = ours(profile, question.day, question.manners, "candidate")
    olds = [
        ours(one.origin, question.day, question.manners, one.source)
        for one in before
        if isinstance(one.origin, Profile)
    ]
    return tuple(Change(old, new) for old in olds) or (Change(unknown(new), new),)
