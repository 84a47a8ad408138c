"""What came and went at a place, and what was not told."""

from typing import Any

import pytest
from msgspec.structs import replace

from audit.facts import EndpointFacts, Observation
from audit.prospect.places import Served, served
from audit.prospect.shift import Shift
from tests.prospect.prospect_factories import IMAPS, NEW, OLD, scene, shown

FULL, HARD = (shown(policy, "imap1", IMAPS) for policy in (OLD, NEW))
UNCLEAR = Observation("inconclusive", "timeout")


def _served(before: EndpointFacts, *after: EndpointFacts) -> Served:
    (one,) = served(scene(OLD, before), scene(NEW, *after))
    return one


@pytest.mark.parametrize("reach", ["no-answer", "refused"])
def test_of_who_is_not_reached_nothing_has_gone_nor_come(reach: str) -> None:
    """It is said not to have been open, and no more."""
    down = EndpointFacts(FULL.endpoint, reach)  # type: ignore[arg-type]
    for one in (_served(FULL, down), _served(down, FULL)):
        assert (one.versions, one.suites, one.groups) == (Shift(),) * 3
        assert "was not open" in one.untold[0]


def test_one_host_of_several_that_is_not_reached_may_have_what_has_gone() -> None:
    """What the others have now has come all the same, in the order of versions."""
    down = EndpointFacts(replace(FULL.endpoint, host="imap2"), "no-answer")
    one = _served(FULL, HARD, down)
    assert (one.versions.gone, one.suites.gone, one.groups.gone) == ((), (), ())
    assert one.versions.come == ("TLSv1.3",)
    assert _served(HARD, HARD, replace(FULL, endpoint=down.endpoint)).versions == Shift(
        come=("TLSv1.0", "TLSv1.1")
    )


@pytest.mark.parametrize("version", ["SSLv3", "TLSv1.2"])
def test_a_version_that_may_be_on_may_have_every_suite_and_group(version: str) -> None:
    """Whether it was not told or not tried; those that were refused have gone all the same."""
    known: Any = HARD.protocols
    without = {v: seen for v, seen in known.items() if v != version}
    for protocols in (without, {**without, version: UNCLEAR}):
        kept = {v: suites for v, suites in HARD.suites.items() if v != version}
        one = _served(FULL, replace(HARD, protocols=protocols, suites=kept))
        assert one.versions.gone == ("TLSv1.0", "TLSv1.1")
        assert (one.suites.gone, one.groups.gone) == ((), ())
        assert one.suites.come
        assert f"{version} could not be told" in one.untold[0]


@pytest.mark.parametrize("rest", [{}, {"TLSv1.2": UNCLEAR, "TLSv1.3": UNCLEAR}])
def test_suites_of_which_there_may_be_more_have_not_gone(rest: dict[Any, Observation]) -> None:
    """Only a refusal of all others proves that none was left out, here and before."""
    after, before = _served(FULL, replace(HARD, rest=rest)), _served(replace(HARD, rest=rest), FULL)
    assert (after.versions.gone, before.versions.come) == (("TLSv1.0", "TLSv1.1"),) * 2
    assert (after.suites.gone, before.suites.come) == ((), ())
    assert after.suites.come
    assert before.suites.gone
    oldest = replace(HARD, protocols={**HARD.protocols, "SSLv2": Observation("accepted")})
    assert _served(FULL, oldest).suites.gone  # its own are never listed


def test_groups_that_could_not_be_told_have_not_gone() -> None:
    """A server with ECDSA alone tells them in TLS 1.3 only, and there they are told."""
    few: Any = {"TLSv1.2": ("P-256",), "TLSv1.3": ("P-256",)}
    gone = set(HARD.groups["TLSv1.3"]) - {"P-256"}
    assert {*_served(HARD, replace(HARD, groups=few)).groups.gone} == gone
    for version in few:
        half = {v: names for v, names in few.items() if v != version}
        assert _served(HARD, replace(HARD, groups=half)).groups == Shift()
        assert _served(replace(HARD, groups=half), HARD).groups == Shift()
    suites = {v: tuple(n for n in names if "_RSA_" not in n) for v, names in HARD.suites.items()}
    half = {"TLSv1.3": few["TLSv1.3"]}
    one = _served(HARD, replace(HARD, suites=suites, groups=half))
    assert {*one.groups.gone} == gone
