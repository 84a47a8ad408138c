"""The prober, the configuration and `openssl s_client` agree about real daemons."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from audit.facts import EndpointFacts
from audit.iana import VERSIONS, Suite, Version, suite
from audit.probe.run import probe_all
from tests.daemons.cell import inside
from tests.daemons.settings import Tls, Truth, truth
from tests.daemons.table import CASES, Case
from tests.daemons.witness import Witness, ask
from tests.servers import Pki

pytestmark = [pytest.mark.daemons, pytest.mark.usefixtures("namespaces")]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_facts_are_the_configuration_and_what_openssl_sees(
    case: Case, pki: Pki, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Versions, suites, their order, groups, Diffie-Hellman and certificates; in both modes."""
    right = truth(case.tls)
    told = {version: tuple(map(suite, names)) for version, names in right.suites.items()}
    with case.daemon(pki, tmp_path / "cell", case.tls) as server, inside(server.netns):
        endpoints = {e.mode: e for e in server.endpoints("daemon", *list(server.ports)[:2])}
        # One is found out about without a hint, the other as the auditor does, who expects much.
        expected: dict[str, dict[Version, tuple[Suite, ...]]] = {"implicit": {}, "starttls": told}
        found = probe_all(endpoints.values(), lambda e: expected[e.mode])
        witness = ask(endpoints[case.witnessed])
    _assert_witnessed(case.tls, right, witness)
    if case.fault:  # the prober's; the witness has just shown that the rest is right
        request.applymarker(pytest.mark.xfail(reason=case.fault, strict=True))
    for facts in found:
        _assert_seen(case.tls, right, facts)


def _assert_seen(tls: Tls, right: Truth, facts: EndpointFacts) -> None:
    assert facts.errors == ()
    assert {v: o.seen for v, o in facts.protocols.items()} == {
        v: "accepted" if v in tls.versions else "refused" for v in VERSIONS
    }
    assert _ordered(tls, facts.suites) == _ordered(tls, right.suites)
    assert {v: o.seen for v, o in facts.rest.items()} == dict.fromkeys(tls.versions, "refused")
    assert facts.preference == right.preference
    assert _ordered(tls, facts.groups) == _ordered(tls, right.groups)
    assert facts.dh_bits == right.dh_bits
    assert tuple(chain[0].key_type for chain in facts.chains) == right.keys
    assert facts.handshake.seen == "accepted"


def _assert_witnessed(tls: Tls, right: Truth, witness: Witness) -> None:
    assert _ordered(tls, witness.suites) == _ordered(tls, right.suites)
    assert witness.preference == right.preference
    assert witness.groups == {v: set(names) for v, names in right.groups.items()}
    assert witness.dh_bits == right.dh_bits
    assert witness.keys == set(right.keys)


def _ordered(tls: Tls, names: Mapping[Version, Sequence[str]]) -> dict[Version, list[str]]:
    """By version; where the client decides, the order is its own and says nothing."""
    arrange = list if tls.prefer == "server" else sorted
    return {version: arrange(some) for version, some in names.items()}
