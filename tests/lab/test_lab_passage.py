"""Real logins and real mails at the hosts of the lab, and while they are rolled out anew."""

import json
import subprocess
import sys
import time
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from tests.commands import INVENTORY, ROOT, Lab, mailseal, playbook
from tests.lab.kills import change, changed, mail_hosts, words

pytestmark = pytest.mark.lab


def passage(limit: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the document of a passage through some hosts."""
    done = mailseal("passage", "-i", INVENTORY, "--limit", limit, "--wait", "20", "--json")
    assert done.stdout, done.stderr
    assert "lab-only" not in done.stdout + done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    schema = json.loads((ROOT / "docs" / "schema" / "passage-1.json").read_text())
    jsonschema.validate(document, schema)
    return done.returncode, document


def spool(lab: Lab) -> str:
    """The mails that the MX hosts have delivered."""
    command = "cat /var/mail/mail 2>/dev/null || true"
    return "".join(lab("ssh", host, command).stdout for host in ("mx1", "mx2", "msa1"))


def arrives(lab: Lab, messages: set[str]) -> bool:
    """Whether all of them are delivered within half a minute."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        delivered = spool(lab)
        if all(message in delivered for message in messages):
            return True
        time.sleep(1)
    return False


def test_a_hardened_lab_lets_in_and_takes_mail(hardened: Lab) -> None:
    """At every endpoint in both families; mail by LMTP is seen by IMAP, mail by SMTP delivered."""
    code, document = passage("all")
    outcomes = document["outcomes"]
    assert [o for o in outcomes if o["verdict"] != "pass"] == []
    assert code == 0
    assert len(outcomes) == 2 * (2 * 6 + 1 * 2 + 2 * 1)
    assert arrives(hardened, {o["message"] for o in outcomes if o["service"] == "smtp"})


def test_a_host_whose_logins_fail_is_found(hardened: Lab) -> None:
    """Its TLS is as sound as ever: saslauthd is down."""
    stop, start = (f"/etc/init.d/saslauthd {word} >/dev/null 2>&1" for word in ("stop", "start"))
    assert hardened("ssh", "imap1", stop).returncode == 0
    try:
        code, document = passage("imap")
    finally:
        hardened("ssh", "imap1", start)
    assert code == 1
    bad = [o for o in document["outcomes"] if o["verdict"] != "pass"]
    assert {(o["host"], o["step"]) for o in bad} == {("imap1", "login")}
    assert len(bad) == 2 * 6
    assert passage("imap")[0] == 0


def test_a_stopped_daemon_fails_at_every_endpoint(hardened: Lab) -> None:
    """It may be better later, and the document says so."""
    assert hardened("ssh", "mx2", "/etc/init.d/exim4 stop >/dev/null 2>&1").returncode == 0
    try:
        code, document = passage("mx")
    finally:
        hardened("ssh", "mx2", "/etc/init.d/exim4 start >/dev/null 2>&1")
    assert code == 1
    bad = [o for o in document["outcomes"] if o["verdict"] != "pass"]
    assert {(o["host"], o["step"], o["again"]) for o in bad} == {("mx2", "connect", True)}


@pytest.mark.long("takes four hosts through the gate")
def test_mail_flows_and_users_log_in_throughout_a_rollout(hardened: Lab) -> None:
    """One of two MX and one of two IMAP hosts after the other is changed, and passes the gate."""
    command = [sys.executable, "-m", "tests.lab.load", INVENTORY]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as load:
        try:
            one_by_one = words(mailseal_batches=[1], **change(60))
            done = playbook("--limit", "mx:imap", *one_by_one, gate=True)
        finally:
            said, _ = load.communicate(timeout=300)  # the end of its input ends it
    assert done.returncode == 0, done.stdout[-3000:]
    assert all(changed(h, 60) for h in mail_hosts("small") if h.name != "msa1")
    found = json.loads(said)
    assert {"smtp 25", "imap 143", "imap 993", "pop3 995", "lmtp 24", "sieve 4190"} <= set(found)
    for name, lane in found.items():
        assert lane["done"] > 10, name
        assert lane["failed"] == [], name
        assert lane["lost"] == [], name
    assert arrives(hardened, set(found["smtp 25"]["taken"]))
    assert playbook("--limit", "mx:imap").returncode == 0
