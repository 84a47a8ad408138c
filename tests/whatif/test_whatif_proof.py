"""The heart: what is foreseen of a client, from one thing seen of it, is what becomes of it."""

from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from audit.forecast.negotiate import Agreed, negotiate
from audit.iana import VERSIONS
from audit.whatif.known import Known, from_hello, learn
from audit.whatif.needs import meets, needs
from audit.whatif.side import Side
from audit.whatif.verdict import judge
from tests.whatif.strategies import Person, changes, people, sides, told

_MANY = settings(max_examples=600, deadline=None)


@_MANY
@given(people(), sides())
def test_the_conditions_are_those_of_a_negotiation(person: Person, side: Side) -> None:
    """A suite is possible exactly if all of its needs are met, and the first possible is chosen."""
    shared = [v for v in side.server.versions if v in person.offer.versions]
    found = negotiate(person.offer, side.server)
    if not shared:
        assert not isinstance(found, Agreed)
        return
    version = max(shared, key=VERSIONS.index)
    suites = side.server.suites[version]
    if version in side.server.client_order:
        suites = tuple(s for s in person.offer.suites if s in suites)
    able = (s for s in suites if (w := needs(side.server, version, s)) is not None
            and all(meets(person.offer, one) for one in w))
    expected = next(able, None)
    assert (found.suite if isinstance(found, Agreed) else None) == expected
    event(f"negotiated: {expected is not None}")


@_MANY
@given(people(), changes(), st.booleans())
def test_what_is_certain_comes_true(person: Person, change: tuple[Side, Side], named: bool) -> None:
    """Every keep connects and every break fails, whatever the client, the server and the policy."""
    old, new = change
    before = person.meets(old)
    if before is None:
        return
    known = learn(Known(), told(before, group=named), old)
    assert not known.contradictory
    found = judge(known, new)
    event(found.verdict)
    after = person.meets(new)
    assert found.verdict != "keep" or after is not None, found.why
    assert found.verdict != "break" or after is None, found.why
