"""The whole of it: hardened hosts pass, a broken one is caught for exactly what is broken."""

import json
import time
from datetime import datetime
from itertools import cycle
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest
from _pytest.mark import ParameterSet

from audit.inspect.parse import parse
from audit.judge.catalogue import CATALOGUE
from lab import faults, topology
from tests.commands import INVENTORY, ROOT, Lab, audit, mailseal, passes, run

pytestmark = pytest.mark.lab

HOSTS = {host.name: host for host in topology.load("small").hosts}
# The twin hosts take turns, so that the audit of one fault proves the mending of the last.
_TURNS = {"imap": cycle(["imap1", "imap2"]), "msa": cycle(["msa1"]), "mx": cycle(["mx1", "mx2"])}
# What is audited beside the broken host: all of its kind, to see that nothing else is reported.
_AROUND = {"imap": "imap", "msa": "msa:mx", "mx": "msa:mx"}
# These make something untestable, which must be said and must not be a failure.
_UNTESTABLE = {
    "port-closed",
    "no-starttls",
    "starttls-stripped",
    "foreign-library",  # no package owns it, in a place where none need be
}


def _cases() -> list[ParameterSet]:
    found = []
    for name, fault in faults.table().items():
        group = next(g for g in ("imap", "msa", "mx") if g in fault.groups)
        host = next(_TURNS[group])
        checks = {e.check for e in fault.expected(HOSTS[host])} | {c for c, _ in fault.together}
        marks = pytest.mark.breaks(*checks)
        found.append(pytest.param(host, _AROUND[group], name, id=name, marks=marks))
    return found


def test_a_hardened_lab_is_compliant(hardened: Lab) -> None:
    """Every planned check of every host is made, and passes."""
    found = audit("all")
    assert found.failed == frozenset()
    assert found.inconclusive == frozenset()
    assert found.code == 0
    assert found.document["planned"] == found.document["executed"] > 700
    schema = json.loads((ROOT / "docs" / "schema" / "run-1.json").read_text())
    jsonschema.validate(found.document, schema)


@pytest.mark.parametrize(("host", "around", "fault"), _cases())
def test_a_fault_is_found_for_exactly_what_it_is(
    hardened: Lab, host: str, around: str, fault: str
) -> None:
    """The expected checks on that host and endpoint fail, and nothing else anywhere does."""
    done = hardened("break", host, fault)
    assert done.returncode == 0, done.stderr
    try:
        found = audit(around)
    finally:
        mended = hardened("mend", host)
    expected = {
        (host, e.check, e.port, e.family) for e in faults.table()[fault].expected(HOSTS[host])
    }
    single = {row for row in found.failed if CATALOGUE[row[1]].scope != "cluster"}
    assert single == expected
    compared = {(check, port) for _, check, port, _ in found.failed - single}
    assert compared == faults.table()[fault].together
    assert found.code == 1
    assert bool(found.inconclusive) == (fault in _UNTESTABLE)
    alone = {row for row in found.inconclusive if CATALOGUE[row[1]].scope != "cluster"}
    assert {name for name, *_ in alone} <= {host}
    assert mended.returncode == 0, mended.stderr


def test_after_all_faults_everything_is_mended(hardened: Lab) -> None:
    """And the audit ends with 0."""
    passes("all")


def test_plain_pytest_runs_the_same_checks(hardened: Lab) -> None:
    """One test a check, with testinfra's own options; a failure is a failed test."""
    words = ("pytest", "audit/checks", "--hosts=imap1", f"--ansible-inventory={INVENTORY}", "-q")
    done = run(*words)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "planned checks made" in done.stdout
    hardened("break", "imap1", "world-readable-key")
    try:
        done = run(*words)
    finally:
        hardened("mend", "imap1")
    assert done.returncode == 1
    assert "1 failed" in done.stdout
    assert "imap1-MT-KEY-PERM" in done.stdout


def test_reports_are_written_and_the_page_is_the_last_line(hardened: Lab, tmp_path: Path) -> None:
    """JSON, JUnit and HTML."""
    done = mailseal("audit", "-i", INVENTORY, "--limit", "mx1", "--out", str(tmp_path / "o"))
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == str(tmp_path / "o" / "report.html")
    names = {path.name for path in (tmp_path / "o").iterdir()}
    assert names == {"report.html", "run.json", "junit.xml"}


def test_a_dead_host_costs_little_and_nobody_else_anything(hardened: Lab) -> None:
    """Its endpoints are missing, its checks undetermined, the others' results complete."""
    alive = audit("msa:mx")
    cable = ("ip", "-n", "ms-hub", "link", "set", "p-mx2")
    assert run(*cable, "down").returncode == 0
    try:
        started = time.monotonic()
        found = audit("msa:mx")
        seconds = time.monotonic() - started
    finally:
        run(*cable, "up")
    assert {host for host, *_ in found.failed} == {"mx2"}
    assert {check for _, check, *_ in found.failed} == {"MT-PORT-EXPECT"}
    alone = {row for row in found.inconclusive if CATALOGUE[row[1]].scope != "cluster"}
    # As a host, and as what takes mail for a domain.
    assert {host for host, *_ in alone} == {"mx2", "mx2.lab.test"}
    assert found.document["executed"] == alive.document["executed"]
    assert seconds < 15 + alive_seconds(alive.document)
    assert found.code == 1


def alive_seconds(document: dict[str, object]) -> float:
    """What the same audit took with the host alive, and the start of the program."""
    start, end = (datetime.fromisoformat(str(document[k])) for k in ("started", "finished"))
    return (end - start).total_seconds() + 5


def test_a_policy_that_cannot_be_met_is_a_failure_with_the_reason(hardened: Lab) -> None:
    """Exim on GnuTLS against the historical policy: the compiler's words are the finding."""
    found = audit("mx1", "--policy", "univie-2015")
    assert ("mx1", "MT-CONF-EFFECTIVE", None, None) in found.failed
    words = [f["observed"] for f in found.document["findings"] if f["check"] == "MT-CONF-EFFECTIVE"]
    assert "product of key exchanges" in words[0]


def test_a_service_that_nobody_has_used_yet_is_looked_at(hardened: Lab) -> None:
    """Cyrus without prefork has no process before its first client: the host is that client."""
    restart = "rm -f /run/cyrus-master.pid; /etc/init.d/cyrus-imapd start >/dev/null 2>&1"
    rest = "kill $(pidof imapd pop3d lmtpd timsieved) 2>/dev/null; sleep 1"
    stop = f"/etc/init.d/cyrus-imapd stop >/dev/null 2>&1; {rest}"
    lazy = "cp -p /etc/cyrus.conf /root/ && sed -i s/prefork=1/prefork=0/ /etc/cyrus.conf"
    assert hardened("ssh", "imap1", f"{stop}; {lazy}; {restart}").returncode == 0
    try:
        script = (ROOT / "audit" / "inspect" / "collect.sh").read_text(encoding="utf-8")
        facts = parse("imap1", hardened("ssh", "imap1", script).stdout)
    finally:
        hardened("ssh", "imap1", f"{stop}; cp -p /root/cyrus.conf /etc/; {restart}")
    seen = {port for p in facts.processes if p.libraries for port in p.ports}
    assert seen == set(facts.services.values()) == {24, 110, 143, 993, 995, 4190}
    assert {p.name for p in facts.processes} >= {"imapd", "pop3d", "lmtpd", "timsieved"}
    passes("imap1")
