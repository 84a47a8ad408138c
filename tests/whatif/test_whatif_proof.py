"""The heart: what is foreseen of a client, from one thing seen of it, is what becomes of it."""

from random import Random

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from audit.forecast.negotiate import Agreed, negotiate
from audit.iana import VERSIONS
from audit.whatif.known import Known, learn
from audit.whatif.needs import looked_at, meets, needs
from audit.whatif.reason import Change, Reasoned, narrowed, reason
from tests.whatif.strategies import MEETINGS, Meeting, ja3, meeting, person, side

_MANY = settings(max_examples=300, deadline=None)


@_MANY
@given(st.integers(0, 1 << 64))
def test_the_conditions_are_those_of_a_negotiation(seed: int) -> None:
    """The first suite is chosen that can be, and comes about exactly if all its needs are met."""
    random = Random(seed)  # noqa: S311 - nobody is to be surprised
    offer, server = person(random).offer, side(random).server
    shared = [v for v in server.versions if v in offer.versions]
    assume(shared)
    found = negotiate(offer, server)
    version = max(shared, key=VERSIONS.index)
    suites = server.suites[version]
    if version in server.client_order:
        suites = tuple(s for s in offer.suites if s in suites)
    able = (
        s
        for s in suites
        if (choice := looked_at(server, version, s)) is not None
        and all(meets(offer, one) for one in choice)
    )
    chosen = next(able, None)
    if chosen is not None and not all(
        meets(offer, one) for one in needs(server, version, chosen) or ()
    ):
        chosen = None
    assert (found.suite if isinstance(found, Agreed) else None) == chosen
    event(f"negotiated: {chosen is not None}")


def _holds(found: Reasoned, met: Meeting) -> None:
    event(found.verdict)
    after = met.person.meets(met.new)
    assert found.verdict != "keep" or after is not None, found.why
    assert found.verdict != "break" or after is None, found.why


@_MANY
@given(MEETINGS)
def test_what_is_certain_comes_true(met: Meeting) -> None:
    """Every keep connects and every break fails, whatever the client, the server and the policy."""
    assert not learn(Known(), met.seen, met.old).contradictory
    _holds(reason(met.seen, [Change(met.old, met.new)]), met)


@_MANY
@given(MEETINGS)
def test_which_of_several_servers_it_was_need_not_be_known(met: Meeting) -> None:
    """What is said holds although the client may have met another server."""
    several = [Change(replace(met.other, source="other"), met.new), Change(met.old, met.new)]
    _holds(reason(met.seen, several), met)


@_MANY
@given(MEETINGS)
def test_a_hello_decides_all_but_what_clients_keep_to_themselves(met: Meeting) -> None:
    """What is left is a prime or a curve it may not take, and versions it may not complete."""
    seen, pair = replace(met.seen, group=""), [Change(met.old, met.new)]
    first = reason(seen, pair)
    found = narrowed(seen, pair, first, {met.person.offer: "captured"}, "hello")
    _holds(found, met)
    assert found == first or first.verdict == "unknown"
    dhe = any(s.key_exchange == "DHE" for s in met.person.offer.suites)
    minds = not met.new.server.manners.own_curve
    ecdsa = minds and any(s.authentication == "ECDSA" for s in met.person.offer.suites)
    older = VERSIONS.index(met.new.server.versions[0]) < VERSIONS.index(seen.version)
    assert found.verdict != "unknown" or dhe or ecdsa or older, found.why


@_MANY
@given(MEETINGS)
def test_a_ja3_decides_more_and_nothing_wrongly(met: Meeting) -> None:
    """It has no signatures and no list of versions."""
    seen, pair = met.seen, [Change(met.old, met.new)]
    first = reason(seen, pair)
    offer = ja3(met.person.offer)
    assume(offer)
    assert offer is not None
    found = narrowed(seen, pair, first, {offer: "ja3"}, "ja3")
    _holds(found, met)
    assert found == first or first.verdict == "unknown"


def test_the_proof_would_fail_if_the_order_were_not_the_servers() -> None:
    """The counterpart: with a wrong premise, some break connects."""
    wrong = 0
    for seed in range(1000):
        met = meeting(seed)
        if not met.old.server.client_order:
            continue
        old = replace(met.old, order=frozenset(met.old.server.versions))
        found = reason(met.seen, [Change(old, met.new)])
        wrong += found.verdict == "break" and met.person.meets(met.new) is not None
    assert wrong
