"""A policy that comes in shadow of the one before: rolled out, met by clients, audited, ended."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import Audited, Lab, audit, lab, passes, playbook

pytestmark = [pytest.mark.lab, pytest.mark.long("rolls out in shadow, and ends it")]

BEFORE = Path(__file__).parent / "before.yaml"
# Exim on GnuTLS orders by key exchange first, so what it can have as a tail is old versions.
TAILS = {"imap1": "univie-2015", "mx1": str(BEFORE)}
PAIRS = {host: f"mailseal-2026+{tail}" for host, tail in TAILS.items()}
SENTENCE = "in shadow: would fail under mailseal-2026: "
# Offered by a client that has nothing better, by one that prefers it, and what the second must get.
IMAP_TAIL = "-tls1_2 -cipher DHE-RSA-AES256-GCM-SHA384:@SECLEVEL=0"
IMAP_BOTH = "-tls1_2 -cipher DHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0"
MX_TAIL = "-tls1 -cipher ALL:@SECLEVEL=0"
MX_BOTH = "-min_protocol TLSv1 -cipher ALL:@SECLEVEL=0"


def _rolled_out(host: str, *variables: str, gate: bool = False) -> None:
    words = [word for variable in variables for word in ("-e", variable)]
    done = playbook("--limit", host, *words, gate=gate)
    assert done.returncode == 0, done.stdout[-3000:]


def _met(host: str, port: int, options: str) -> str:
    """What an old or a new client gets."""
    starttls = "-starttls smtp" if port == 25 else ""
    client = f"openssl s_client -connect {host}.lab.test:{port} {starttls} {options}"
    # The settings of the machine must not narrow what the client offers.
    shell = f"OPENSSL_CONF=/dev/null {client} </dev/null 2>&1; true"
    done = lab("run", "--", "sh", "-c", shell)
    assert "CONNECTED(" in done.stdout
    return done.stdout


@pytest.fixture(scope="module", params=TAILS)
def shadowed(request: pytest.FixtureRequest, hardened: Lab) -> Iterator[str]:
    """A host that passed the gate in shadow, and enforces again afterwards."""
    host: str = request.param
    tail = f"mailseal_shadow_tail={TAILS[host]}"
    _rolled_out(host, "mailseal_enforcement=shadow", tail, gate=True)
    yield host
    _rolled_out(host)


def _reported(found: Audited) -> dict[str, str]:
    """What the new policy would fail, by check."""
    return {
        f["check"]: f["observed"].removeprefix(SENTENCE)
        for f in found.document["findings"]
        if f["verdict"] == "pass" and f["observed"].startswith(SENTENCE)
    }


def test_a_host_in_shadow_passes_and_the_report_says_what_has_to_go(shadowed: str) -> None:
    """Nothing fails or is unclear; each item of the tail has its sentence."""
    found = audit(shadowed, "--policy", PAIRS[shadowed])
    assert found.failed == frozenset()
    assert found.inconclusive == frozenset()
    assert found.code == 0
    reported = _reported(found)
    assert {"MT-TLS10", "MT-TLS11", "MT-CONF-EFFECTIVE"} <= set(reported)
    if shadowed == "imap1":
        assert "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384" in reported["MT-CIPHER-SET"]
    assert any(n.startswith("In shadow of ") for n in found.document["notices"])


def test_the_new_policy_alone_fails_what_was_only_reported(shadowed: str) -> None:
    """The same look, judged as if it were enforced."""
    found = audit(shadowed, "--policy", "mailseal-2026")
    assert found.code == 1
    assert {"MT-TLS10", "MT-TLS11", "MT-CONF-EFFECTIVE"} <= {check for _, check, *_ in found.failed}


def test_a_second_run_in_shadow_changes_nothing(shadowed: str) -> None:
    """The pair is compiled to the same settings."""
    tail = f"mailseal_shadow_tail={TAILS[shadowed]}"
    done = playbook("--limit", shadowed, "-e", "mailseal_enforcement=shadow", "-e", tail)
    assert done.returncode == 0
    assert "changed=0" in done.stdout


def test_who_has_the_tail_only_is_served_and_who_has_both_gets_the_new(shadowed: str) -> None:
    """So what is logged from the tail proves that the client offered nothing better."""
    if shadowed == "imap1":
        assert "Cipher is DHE-RSA-AES256-GCM-SHA384" in _met("imap1", 993, IMAP_TAIL)
        assert "Cipher is ECDHE-RSA-AES128-GCM-SHA256" in _met("imap1", 993, IMAP_BOTH)
    else:
        assert "Protocol  : TLSv1\n" in _met("mx1", 25, MX_TAIL)
        assert "New, TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384" in _met("mx1", 25, MX_BOTH)


@pytest.mark.parametrize(
    ("host", "port", "options"), [("imap1", 993, IMAP_TAIL), ("mx1", 25, MX_TAIL)]
)
def test_once_it_is_enforced_the_tail_is_refused(
    hardened: Lab, host: str, port: int, options: str
) -> None:
    """By leaving the two variables out, whatever was in shadow before."""
    _rolled_out(host, "mailseal_enforcement=shadow", f"mailseal_shadow_tail={TAILS[host]}")
    _rolled_out(host)
    assert "Cipher is (NONE)" in _met(host, port, options)
    found = audit(host)
    assert found.code == 0
    assert not _reported(found)


def test_a_shadow_without_a_tail_stops_before_anything_is_touched(hardened: Lab) -> None:
    """One sentence that names the variable; the host goes on as before."""
    done = playbook("--limit", "imap1", "-e", "mailseal_enforcement=shadow")
    assert done.returncode != 0
    assert "mailseal_enforcement: shadow wants mailseal_shadow_tail" in done.stdout
    passes("imap1")
