"""Which checks of mail domains an audit of a part of their servers makes."""

from ipaddress import ip_address

import pytest
from msgspec.structs import replace

from audit.facts import DomainFacts
from audit.judge.domain import Part, of_part, plan
from tests.judge.domain_factories import ADDRESS, DOMAIN, FACTS, FAILED, HOST, MX, with_mx

OURS = Part(frozenset({HOST}), frozenset({ip_address(ADDRESS)}))
ANOTHER = replace(MX, host="backup.else.test", reverse={"192.0.2.99": MX.reverse[ADDRESS]})


def _made(facts: DomainFacts, part: Part = OURS) -> set[tuple[str, str]]:
    found = of_part(plan([facts], "p"), [facts], part)
    return {(one.target.place[0], one.check.id) for one in found}


def test_only_what_its_own_servers_show_is_judged() -> None:
    """Neither the other server nor what is published."""
    both = replace(FACTS, hosts=(MX, ANOTHER))
    assert _made(both) == {(HOST, "MT-DANE"), (HOST, "MT-BANNER")}
    assert not _made(both, Part(frozenset(), frozenset()))


def test_a_server_is_known_by_its_address_whatever_it_is_called() -> None:
    """Several hosts may stand behind one name."""
    nameless = replace(OURS, names=frozenset())
    assert _made(FACTS, nameless) == {(HOST, "MT-DANE"), (HOST, "MT-BANNER")}


@pytest.mark.parametrize(
    ("facts", "made"),
    [
        (replace(FACTS, mx=FAILED, hosts=()), {(DOMAIN, "MT-MX")}),
        (with_mx(addresses=(FAILED,), reverse={}), {(HOST, "MT-MX-NAME")}),
    ],
)
def test_where_nobody_can_tell_which_servers_these_are_that_is_judged(
    facts: DomainFacts, made: set[tuple[str, str]]
) -> None:
    """It is inconclusive, so the part is not fine."""
    assert _made(facts) == made


def test_a_server_of_others_that_cannot_be_found_is_not_the_parts_business() -> None:
    """Its zone may be lame for days."""
    lame = replace(ANOTHER, addresses=(FAILED,), reverse={})
    assert _made(replace(FACTS, hosts=(MX, lame))) == {(HOST, "MT-DANE"), (HOST, "MT-BANNER")}
