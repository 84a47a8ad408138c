"""What one observation says of the future: by the log alone, then by whatever narrows it. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from audit.clients.model import Client
from audit.forecast.negotiate import Agreed, Refused, negotiate
from audit.forecast.outcome import fate
from audit.whatif.known import PART, WHOLE, Known, Seen, learn, with_offer
from audit.whatif.needs import Kind, needs
from audit.whatif.side import Side, unknown
from audit.whatif.verdict import Judged, Verdict, judge, usual
from audit.wire.offer import Offer

Source = Literal["log", "ja3", "hello"]
Guess = Literal["", "usual", "modelled"]
# What it means if all recorded clients come to this; to neither, if that cannot be told of them.
_GUESSED: Mapping[type, Literal["keep", "break"]] = {Agreed: "keep", Refused: "break"}
_EITHER = (
    "by its hello it goes on or breaks, depending on the server's certificates (--certificates) or"
    " on which of several hellos is its"
)


class Reasoned(Struct, frozen=True):
    """What becomes of who was seen with this, and why.

    Attributes:
        verdict: proven, or unknown.
        why: the reasoning, a sentence.
        source: what the proof rests on beside the log.
        likely: of what is unknown, what it would be; "unknown" where even that cannot be said.
        guess: what that rests on: that the client does what clients usually do, or that recorded
            clients which negotiate the same come to the same.
        fits: one of the servers that are known can have negotiated it, or none is known.
    """

    verdict: Verdict
    why: str
    source: Source = "log"
    likely: Verdict = "unknown"
    guess: Guess = ""
    fits: bool = True


class Change(Struct, frozen=True):
    """A server as it was, and as the new policy makes it."""

    old: Side
    new: Side


def reason(
    found: Seen,
    changes: Sequence[Change],
    models: Iterable[tuple[Client, Offer]] = (),
    base: Known | None = None,
) -> Reasoned:
    """What the log alone says; where servers differ, what is true for each that it may be.

    Args:
        found: what was negotiated.
        changes: the servers that it may have been, one at least.
        models: recorded clients for this kind of traffic.
        base: what is known beforehand.
    """
    able = fitting(found, changes)
    known = [(learn(base or Known(), found, change.old), change.new) for change in able]
    proofs = [judge(what, new) for what, new in known]
    first = proofs[0]
    if len({proof.verdict for proof in proofs}) > 1:
        first = Judged("unknown", "the servers differ, and which of them it met is not told")
    fits = able[0].old.told or not changes[0].old.told
    reasoned = Reasoned(first.verdict, _premise(found, able) + first.why, fits=fits)
    if first.verdict != "unknown":
        return reasoned
    guesses = {usual(what, new).verdict for what, new in known}
    if guesses in ({"keep"}, {"break"}):
        return replace(reasoned, likely=guesses.pop(), guess="usual")
    modelled = _modelled(found, able, models)
    return replace(reasoned, likely=modelled, guess="modelled") if modelled else reasoned


def narrowed(
    found: Seen,
    changes: Sequence[Change],
    before: Reasoned,
    offers: Mapping[Offer, str],
    source: Literal["ja3", "hello"],
) -> Reasoned:
    """The same where hellos are known that may be this client's: proof only if all of them agree.

    Args:
        found: what was negotiated.
        changes: as for `reason`.
        before: what the log alone says.
        offers: each hello, and where it is from, for people.
        source: how complete they are.
    """
    if before.verdict != "unknown":
        return before
    kinds: frozenset[Kind] = WHOLE if source == "hello" else PART
    ends: dict[Verdict, str] = {}
    for change in fitting(found, changes):
        for offer, where in offers.items():
            if source == "hello" and not _reproduces(offer, found, change.old):
                continue
            known = with_offer(learn(Known(), found, change.old), offer, kinds)
            if not known.contradictory:
                end = judge(known, change.new)
                ends[end.verdict] = f"{where}: {end.why}"
    if not ends:
        return before
    if len(ends) == 1 and "unknown" not in ends:
        verdict, why = ends.popitem()
        return Reasoned(verdict, why, source)
    either = _premise(found, fitting(found, changes)) + _EITHER
    left = replace(before, why=ends.get("unknown", either))
    # What clients usually have is no guess about one whose hello says what it has.
    return replace(left, likely="unknown", guess="") if source == "hello" else left


def fitting(found: Seen, changes: Sequence[Change]) -> list[Change]:
    """The servers that can have negotiated this; one that is not known if none can."""
    able = [change for change in changes if _could(found, change.old)]
    return able or [Change(unknown(one.new), one.new) for one in changes]


def _could(found: Seen, side: Side) -> bool:
    server = side.server
    if not side.told or found.version not in server.versions:
        return False
    if found.suite is None:
        return True
    listed = server.suites.get(found.version, ())
    return found.suite in listed and needs(server, found.version, found.suite) is not None


def _premise(found: Seen, able: Sequence[Change]) -> str:
    """What was seen, and of which server."""
    what = f"{found.version} with {found.suite.name}" if found.suite else found.version
    group = f" and {found.group}" if found.group else ""
    where = " or ".join(dict.fromkeys(change.old.source for change in able))
    return f"{what}{group}{f' ({where})' if where else ''}: "


def _reproduces(offer: Offer, found: Seen, side: Side) -> bool:
    """Whether such a hello would have given what was seen."""
    if not side.told:
        return found.version in offer.versions and found.suite in (None, *offer.suites)
    return _same(negotiate(offer, side.server), found)


def _same(agreed: object, found: Seen) -> bool:
    return (
        isinstance(agreed, Agreed)
        and agreed.version == found.version
        and found.suite in (None, agreed.suite)
        and (not found.group or agreed.group is None or agreed.group.name == found.group)
    )


def _modelled(
    found: Seen, able: Sequence[Change], models: Iterable[tuple[Client, Offer]]
) -> Literal["keep", "break", ""]:
    """What recorded clients that negotiate the same come to, if it is one thing."""
    ends = {
        type(fate(client, offer, change.new.server))
        for client, offer in models
        for change in able
        if change.old.told and _same(fate(client, offer, change.old.server), found)
    }
    return _GUESSED.get(ends.pop(), "") if len(ends) == 1 else ""
