"""What was counted in logs, weighed by another policy: the verdict on everybody who was seen. Pure.

Each session that was logged is judged by itself. Two that differ, under one configuration, are of
two offers, for a negotiation leaves nothing to chance: behind one address are several clients then,
and what one of them proves says nothing of the others.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache

from msgspec import Struct, field
from msgspec.structs import replace

from audit.clients.model import Client
from audit.policy.model import Profile, Traffic
from audit.traffic.seen import Seen
from audit.traffic.session import session
from audit.traffic.tally import UNLOGGED, UNNAMED, Tally, text
from audit.whatif.document import SendingDocument, WhatIfDocument
from audit.whatif.ja3 import Sight
from audit.whatif.known import seen
from audit.whatif.ledger import Ledger, Who
from audit.whatif.outgoing import peer
from audit.whatif.premises import Question, premises
from audit.whatif.reason import Change, Reasoned, narrowed, reason
from audit.whatif.sending import sending
from audit.wire.offer import Offer

USES: tuple[Traffic, ...] = ("mx", "submission", "access")
_NO_WORD = Reasoned("unknown", "the policy has no word about this kind of traffic")
_UNNAMED = Reasoned("unknown", "the log does not say which TLS it was")
_UNLOGGED = Reasoned("unknown", "the log does not say whether it uses TLS")
_PLAIN_KEPT = Reasoned("keep", "it uses no TLS, and the policy does not require it")
_PLAIN = Reasoned("unknown", "it uses no TLS, which the policy requires; it was never seen to try")
_CLEAR_LOGIN = Reasoned(
    "unknown",
    "it logs in without TLS, which the policy forbids; it was never seen to try with it",
)
_STARTTLS = "whether it came by STARTTLS, which the policy forbids, is not logged"


class Narrowing(Struct, frozen=True):
    """What is known of offers beside the log.

    Attributes:
        hellos: those that were captured, by kind of traffic and address, and where they are from.
        ja3: those that Dovecot logged, by what they were logged with.
        models: recorded clients.
    """

    hellos: Mapping[tuple[Traffic, str], Mapping[Offer, str]] = field(default_factory=dict)
    ja3: Mapping[Sight, Mapping[Offer, str]] = field(default_factory=dict)
    models: tuple[tuple[Client, Offer], ...] = ()


def weigh(
    tally: Tally,
    question: Question,
    narrowing: Narrowing,
    name: Callable[[str], str] | None = None,
) -> WhatIfDocument:
    """Who the policy would hurt.

    Args:
        tally: what the logs have.
        question: what is asked.
        narrowing: what is known beside them.
        name: makes another name of a user's; None to leave it.
    """
    found = Ledger(question.policy, name)
    sights = [(key, one) for key, one in tally.clients.items() if key[0] != "own"]
    for use in USES:
        mine = [(key, one) for key, one in sights if key[0] == use]
        if mine:
            changes = premises(question, use, {text(key[3]) for key, _ in mine})
            found.begin(use, changes)
            _clients(found, use, mine, changes, narrowing)
    if tally.ways:
        _hosts(found, tally, question)
    served = {(use, ip) for (use, ip, _, x), _ in sights if x}
    found.already(tally, served)
    days = sorted(text(day) for day, count in tally.days.items() if day and count)
    return replace(found.document(days), sending=list(_rules(tally, question)))


def _rules(tally: Tally, question: Question) -> Iterator[SendingDocument]:
    if question.dane:
        yield sending(tally, "dane", question.dane)
    if question.verify:
        yield sending(tally, "verified", ("*",))


def _clients(
    found: Ledger,
    use: Traffic,
    sights: Sequence[tuple[Sight, Seen]],
    changes: tuple[Change, ...],
    narrowing: Narrowing,
) -> None:
    clear = {ip for (_, ip, _, x), _ in sights if not x}
    models = [(one, offer) for one, offer in narrowing.models if use in one.uses]
    profile = found.policy.profiles.get(use)

    @cache  # a log has millions of lines and some hundred kinds of session
    def by_log(x: bytes, *, logs_in: bool) -> Reasoned:
        return _by_log(x, changes, profile, models, logs_in=logs_in)

    for key, one in sights:
        _, ip, login, x = key
        reasoned = by_log(x, logs_in=use == "access" or bool(login))
        if reasoned.verdict == "unknown" and changes:
            reasoned = _narrow(reasoned, use, key, changes, narrowing)
        if reasoned.verdict == "keep" and x and profile and profile.starttls == "forbidden":
            reasoned = Reasoned("unknown", _STARTTLS)
        if use == "mx" and ip in clear:
            reasoned = _clear_before(reasoned)
        found.add(Who(use, text(ip), text(login), plain=not x), reasoned, one)


def _by_log(
    x: bytes,
    changes: tuple[Change, ...],
    profile: Profile | None,
    models: list[tuple[Client, Offer]],
    *,
    logs_in: bool = False,
) -> Reasoned:
    if profile is None:
        return _NO_WORD
    if x == UNLOGGED:
        return _UNLOGGED
    if not x:
        if profile.tls == "required":
            return _PLAIN
        return _CLEAR_LOGIN if logs_in and profile.clear_logins == "forbidden" else _PLAIN_KEPT
    told = None if x == UNNAMED else seen(session(text(x)))
    return _UNNAMED if told is None else reason(told, changes, models)


def _narrow(
    reasoned: Reasoned,
    use: Traffic,
    key: Sight,
    changes: tuple[Change, ...],
    narrowing: Narrowing,
) -> Reasoned:
    told = seen(session(text(key[3])))
    if told is None:
        return reasoned
    if offers := narrowing.ja3.get(key):
        reasoned = narrowed(told, changes, reasoned, offers, "ja3")
    if offers := narrowing.hellos.get((use, text(key[1]))):
        reasoned = narrowed(told, changes, reasoned, offers, "hello")
    return reasoned


def _hosts(found: Ledger, tally: Tally, question: Question) -> None:
    changes = premises(question, "outgoing", ())
    found.begin("outgoing", changes)
    profile = found.policy.profiles.get("outgoing")
    clear = {name for _, _, name, _, x, _, _ in tally.ways if not x}

    @cache
    def by_log(x: bytes, cv: bytes) -> Reasoned:
        if profile is None or x in (b"", UNLOGGED, UNNAMED):
            return _by_log(x, changes, profile, [])
        told = seen(session(text(x)))
        return _UNNAMED if told is None else peer(told, changes, text(cv), verify=question.verify)

    for (_, _, name, _, x, cv, _), gone in tally.ways.items():
        if not gone.mails:  # copies of mails that went otherwise
            continue
        reasoned = by_log(x, cv)
        if name in clear:
            reasoned = _clear_before(reasoned)
        found.add(Who("outgoing", text(name), plain=not x), reasoned, Seen(gone.mails, gone.last))


def _clear_before(reasoned: Reasoned) -> Reasoned:
    """What adds to the evidence of a break: that it goes on in clear text is no guess."""
    if reasoned.verdict != "break":
        return reasoned
    return replace(reasoned, why=f"{reasoned.why}; it was seen in clear text before")
