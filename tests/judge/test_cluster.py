"""Endpoints compared: each check on endpoints that are alike, and on some that are not."""

from typing import Any, get_args

import pytest
from msgspec.structs import replace

from audit.facts import EndpointFacts, Observation
from audit.findings import Finding
from audit.judge.bench import Planned, judge, plan_group
from audit.judge.case import ClusterCase, PlannedEndpoint, PlannedGroup
from audit.judge.catalogue import CATALOGUE
from audit.judge.catalogue.check import Grouping
from audit.judge.groups import groups
from tests.judge.factories import BEHAVIOURS, CHAINS, EC_KEY, PLAIN, chain, good_endpoint

_GOOD = good_endpoint().facts


def _facts(host: str, address: str, **changes: Any) -> EndpointFacts:
    endpoint = replace(_GOOD.endpoint, host=host, address=address, name=f"{host}.example")
    return replace(_GOOD, endpoint=endpoint, **{"chains": (_own(host),), **changes})


_KEYS: dict[str, Any] = {}


def _own(host: str) -> Any:
    """A chain with a key of the host's own."""
    from cryptography.hazmat.primitives.asymmetric import ec

    if host not in _KEYS:
        _KEYS[host] = chain(ec.generate_private_key(ec.SECP256R1()))
    return _KEYS[host]


def _judged(check: str, *facts: EndpointFacts) -> Finding:
    endpoints = tuple(f.endpoint for f in facts)
    group = PlannedGroup(CATALOGUE[check].groups or "all", "imap.example", 143, "imap", endpoints)
    return judge(Planned(CATALOGUE[check], group), ClusterCase(group, facts))


def _two(**changes: Any) -> tuple[EndpointFacts, EndpointFacts]:
    return _facts("h1", "192.0.2.1"), _facts("h2", "2001:db8::2", **changes)


_SUITES = _GOOD.suites["TLSv1.2"]
_DIFFERENT: list[tuple[str, dict[str, Any]]] = [
    ("SSLv3", {"protocols": {**_GOOD.protocols, "SSLv3": Observation("accepted", "hello")}}),
    ("TLSv1.2 suites", {"suites": {**_GOOD.suites, "TLSv1.2": _SUITES[::-1]}}),
    ("TLSv1.2 order", {"preference": {**_GOOD.preference, "TLSv1.2": "client"}}),
    ("TLSv1.3 groups", {"groups": {**_GOOD.groups, "TLSv1.3": ("P-256",)}}),
    ("compression", {"compression": Observation("accepted", "DEFLATE")}),
    ("robot", {"behaviours": {**BEHAVIOURS, "robot": Observation("accepted", "differs")}}),
    ("logins in clear", {"plaintext": replace(PLAIN, auth_offered=("PLAIN",))}),
]


@pytest.mark.parametrize("check", ["MT-FAMILY-ALIKE", "MT-NODES-ALIKE"])
@pytest.mark.parametrize(("aspect", "changes"), _DIFFERENT, ids=[d[0] for d in _DIFFERENT])
@pytest.mark.breaks("MT-FAMILY-ALIKE", "MT-NODES-ALIKE")
def test_a_difference_is_named_with_both_its_sides(
    check: str, aspect: str, changes: dict[str, Any]
) -> None:
    """And nothing else is."""
    assert _judged(check, *_two()).verdict == "pass"
    found = _judged(check, *_two(**changes))
    assert found.verdict == "fail"
    assert found.observed.startswith(f"{aspect}: ")
    assert "h1 [192.0.2.1]:143" in found.observed
    assert "h2 [2001:db8::2]:143" in found.observed
    assert "; " not in found.observed


def test_what_could_not_be_told_is_neither_a_difference_nor_a_likeness() -> None:
    """An inconclusive fact is nobody's side; an endpoint that does not answer is no pass."""
    unsure = {"compression": Observation("inconclusive", "timeout")}
    found = _judged("MT-NODES-ALIKE", *_two(**unsure))
    assert found.verdict == "inconclusive"
    assert found.observed == "could not be told: compression on h2 [2001:db8::2]:143"
    both = [replace(f, **unsure) for f in _two()]
    assert _judged("MT-NODES-ALIKE", *both).verdict == "pass"
    assert _judged("MT-NODES-ALIKE", *_two(reach="no-answer")).verdict == "inconclusive"


def test_a_list_of_suites_that_was_cut_short_is_no_difference() -> None:
    """Only where everything else was refused is it known which suites there are."""
    short = {**_GOOD.suites, "TLSv1.2": _SUITES[:2]}
    lost = {**_GOOD.rest, "TLSv1.2": Observation("inconclusive", "timeout")}
    for rest in (lost, {}):
        found = _judged("MT-NODES-ALIKE", *_two(suites=short, rest=rest))
        assert found.verdict == "inconclusive"
        assert "TLSv1.2 suites on h2 [2001:db8::2]:143" in found.observed
    assert _judged("MT-NODES-ALIKE", *_two(suites=short)).verdict == "fail"


def test_long_lists_are_shown_from_where_they_differ() -> None:
    """Names that all of them have at the beginning tell nothing."""
    many = tuple(f"TLS_{'LONG' * 8}_{n}" for n in range(8))
    one, other = _two(suites={**_GOOD.suites, "TLSv1.2": many[:-1]})
    one = replace(one, suites={**_GOOD.suites, "TLSv1.2": many})
    words = _judged("MT-NODES-ALIKE", one, other).observed
    assert f"7 alike, then {many[-1]} on h1" in words
    assert "7 alike, then no more on h2" in words


@pytest.mark.breaks("MT-CERT-SAME")
def test_one_name_has_one_certificate_of_each_kind() -> None:
    """RSA and ECDSA side by side are two kinds; two ECDSA leaves are one too many."""
    both = {"chains": CHAINS}
    first, second = _facts("h1", "192.0.2.1", **both), _facts("h1", "2001:db8::1", **both)
    assert _judged("MT-CERT-SAME", first, second).verdict == "pass"
    renewed = replace(second, chains=(chain(EC_KEY, days=(-2, 90)), CHAINS[1]))
    found = _judged("MT-CERT-SAME", first, renewed)
    assert found.verdict == "fail"
    assert found.observed.startswith("ecdsa: ")
    assert "h1 [2001:db8::1]:143" in found.observed
    unseen = replace(second, chains=())
    assert _judged("MT-CERT-SAME", first, unseen).verdict == "inconclusive"


@pytest.mark.breaks("MT-KEY-REUSE")
def test_a_key_of_two_machines_is_reused_and_one_of_two_names_is_not() -> None:
    """Another certificate for the same key is the same key."""
    assert _judged("MT-KEY-REUSE", *_two()).verdict == "pass"
    again = chain(EC_KEY, days=(-2, 90))
    first, second = _facts("h1", "192.0.2.1", chains=(chain(EC_KEY),)), _facts("h2", "192.0.2.2")
    found = _judged("MT-KEY-REUSE", first, replace(second, chains=(again,)))
    assert found.verdict == "fail"
    assert "h1.example, h2.example" in found.observed
    same = replace(second, chains=(again,), endpoint=replace(second.endpoint, address="192.0.2.1"))
    assert _judged("MT-KEY-REUSE", first, same).verdict == "pass"
    for unseen in (replace(second, chains=()), replace(second, chains=(), reach="no-answer")):
        assert _judged("MT-KEY-REUSE", first, unseen).verdict == "inconclusive"


@pytest.mark.breaks("MT-DROWN-KEY")
def test_sslv2_anywhere_gives_the_key_away_everywhere() -> None:
    """DROWN needs the key, not the port."""
    weak = {**_GOOD.protocols, "SSLv2": Observation("accepted", "SERVER-HELLO")}
    first = _facts("h1", "192.0.2.1", chains=(chain(EC_KEY),))
    second = _facts("h2", "192.0.2.2", chains=(chain(EC_KEY),), protocols=weak)
    found = _judged("MT-DROWN-KEY", first, second)
    assert found.verdict == "fail"
    assert found.observed.startswith("h1 [192.0.2.1]:143 shares its key with h2")
    assert _judged("MT-DROWN-KEY", *_two()).verdict == "pass"
    blind = replace(first, protocols={})
    assert _judged("MT-DROWN-KEY", blind, _two()[1]).verdict == "inconclusive"


def _kinds(*planned: PlannedEndpoint) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for group in groups(planned):
        found.setdefault(group.kind, []).append(f"{group.common}:{group.port}")
    return found


def test_endpoints_are_grouped_by_host_by_name_and_all_together() -> None:
    """Only where there are two of them; what must be closed is compared with nothing."""
    at = _GOOD.endpoint

    def one(host: str, address: str, port: int, **changes: Any) -> PlannedEndpoint:
        endpoint = replace(at, host=host, address=address, port=port, name=f"{host}.example")
        return replace(PlannedEndpoint(endpoint, "access", names=("imap.example",)), **changes)

    alone = one("h1", "192.0.2.1", 993)
    assert _kinds(alone) == {}
    closed = one("h1", "192.0.2.1", 24, traffic=None)
    assert _kinds(alone, closed) == {}
    assert _kinds(alone, one("h1", "2001:db8::1", 993)) == {
        "family": ["h1:993"], "name": ["h1.example:0"], "all": ["cluster:0"],
    }  # fmt: skip
    nodes = _kinds(alone, one("h2", "192.0.2.2", 993), one("h2", "192.0.2.2", 143))
    assert nodes == {
        "nodes": ["imap.example:993"], "name": ["h2.example:0"], "all": ["cluster:0"],
    }  # fmt: skip


def test_every_check_of_several_endpoints_is_planned_somewhere() -> None:
    """For its kind of group."""
    kinds = [PlannedGroup(kind, "x", 0, "", ()) for kind in get_args(Grouping)]
    planned = {p.check.id for group in kinds for p in plan_group(group)}
    assert planned == {c.id for c in CATALOGUE.values() if c.scope == "cluster"}
