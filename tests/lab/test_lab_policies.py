"""Another policy on the same hosts: rolled out, audited against itself and against the first."""

from collections.abc import Iterator

import pytest

from tests.commands import Lab, audit, passes, playbook

pytestmark = pytest.mark.lab

HISTORICAL = "mailseal_policy=univie-2015"


@pytest.fixture(scope="module")
def historical(hardened: Lab) -> Iterator[Lab]:
    """The Cyrus hosts on the policy of 2015, and back again afterwards."""
    done = playbook("-e", HISTORICAL, "--limit", "imap")
    assert done.returncode == 0, done.stdout[-3000:]
    yield hardened
    done = playbook("--limit", "imap")
    assert done.returncode == 0, done.stdout[-3000:]


def test_the_historical_policy_holds_against_itself(historical: Lab) -> None:
    """TLS 1.0 to 1.2, DHE of 2048 bits, its own order and groups: every check passes."""
    found = audit("imap", "--policy", "univie-2015")
    assert found.code == 0
    assert not found.failed
    assert not found.inconclusive


def test_the_historical_policy_fails_against_the_current_one(historical: Lab) -> None:
    """Old versions served, TLS 1.3 missing, other suites and groups, other settings."""
    found = audit("imap", "--policy", "mailseal-2026")
    assert found.code == 1
    assert {check for _, check, *_ in found.failed} == {
        "MT-TLS10", "MT-TLS11", "MT-TLS13", "MT-CIPHER-SET", "MT-CURVES", "MT-CONF-EFFECTIVE",
        "MT-SIGALG",
    }  # fmt: skip
    places = {(host, port) for host, check, port, _ in found.failed if check == "MT-TLS10"}
    assert places == {(h, p) for h in ("imap1", "imap2") for p in (24, 110, 143, 993, 995, 4190)}


def test_the_current_policy_fails_against_the_historical_one(hardened: Lab) -> None:
    """The other way round, on the hosts that were not touched."""
    found = audit("msa1", "--policy", "univie-2015")
    assert found.code == 1
    checks = {check for _, check, *_ in found.failed}
    assert {"MT-TLS10", "MT-TLS11", "MT-TLS13", "MT-CIPHER-SET", "MT-CONF-EFFECTIVE"} <= checks


def test_exim_on_gnutls_refuses_the_historical_policy_with_the_reason(hardened: Lab) -> None:
    """One sentence, and the host goes on as before."""
    done = playbook("-e", HISTORICAL, "--limit", "msa1")
    assert done.returncode != 0
    assert "univie-2015 cannot be compiled for Exim" in done.stdout
    assert "TLS_DHE_RSA_WITH_AES_256_CBC_SHA comes with them" in done.stdout
    passes("msa1")
