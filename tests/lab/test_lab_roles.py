"""The roles on real hosts: safe, idempotent, and honest in check mode."""

import json
import re

import pytest

from tests.commands import Done, Lab, passes, playbook

pytestmark = pytest.mark.lab

CNF = """openssl_conf = mailseal
[mailseal]
ssl_conf = mailseal_ssl
[mailseal_ssl]
system_default = mailseal_tls
[mailseal_tls]
Groups = X25519:NOSUCHGROUP:P-384
"""
# Host, what is broken, the variables that break it, and what the message must name.
_CYRUS, _EXIM = "mailseal_cyrus_override_options", "mailseal_exim_override_options"
BROKEN = [
    ("imap1", "cipher string", {_CYRUS: {"tls_ciphers": "NOSUCH"}}, "cannot load cipher list"),
    ("imap1", "group", {"mailseal_cyrus_override_openssl_cnf": CNF}, "should be refused"),
    ("imap1", "DH file", {_CYRUS: {"tls_server_dhparam": "/etc/hosts"}}, "tls_server_dhparam"),
    ("imap1", "missing key", {_CYRUS: {"tls_server_key": "/no,/no"}}, "handshake"),
    ("imap1", "word for a version", {_CYRUS: {"tls_versions": "tls1.2"}}, "port 143"),
    ("msa1", "priority string", {_EXIM: {"tls_require_ciphers": "NOSUCH"}}, "tls_require_ciphers"),
    ("msa1", "DH file", {_EXIM: {"tls_dhparam": "/etc/hosts"}}, "gnutls_dh_params_import"),
    ("msa1", "certificate", {_EXIM: {"tls_certificate": "/etc/hosts"}}, "port 465"),
    ("msa1", "option", {"mailseal_exim_options": {"no_such_option": "1"}}, "no_such_option"),
]
_LIVE = {
    "imap1": "cat /etc/imapd.conf /etc/cyrus.conf /etc/mailseal/openssl.cnf; pgrep -xo cyrmaster",
    "msa1": "cat /etc/exim4/exim4.conf /etc/default/exim4; pgrep -xo exim4",
}


def _recap(done: Done) -> dict[str, dict[str, int]]:
    """The play recap: host to its counts."""
    lines = re.findall(r"^(\w+)\s+: (ok=.*)$", done.stdout, re.MULTILINE)
    return {h: {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", counts)} for h, counts in lines}


def _live(lab: Lab, host: str) -> str:
    """The live configuration and the process that serves it."""
    done = lab("ssh", host, _LIVE[host])
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("host", "what", "variables", "named"), BROKEN, ids=[f"{b[0]} {b[1]}" for b in BROKEN]
)
def test_a_broken_candidate_never_reaches_the_running_daemon(
    hardened: Lab, host: str, what: str, variables: dict[str, object], named: str
) -> None:
    """The role stops with a clear message; files and process are the ones from before."""
    before = _live(hardened, host)
    done = playbook("--limit", host, "-e", json.dumps(variables))
    assert done.returncode != 0, what
    assert "the live one stays in force" in done.stdout
    assert named in done.stdout
    assert _live(hardened, host) == before


def test_after_broken_candidates_the_hosts_are_compliant(hardened: Lab) -> None:
    """Nothing is left behind: no trial process, no stray file, no finding."""
    passes("imap1,msa1")
    for host in ("imap1", "msa1"):
        done = hardened("ssh", host, "ls -d /run/mailseal-trial-* 2>/dev/null; true")
        assert done.stdout == ""


def test_a_second_run_changes_nothing(hardened: Lab) -> None:
    """changed=0 on every host."""
    recap = _recap(playbook())
    assert len(recap) == 6
    assert {counts["changed"] for counts in recap.values()} == {0}
    assert {counts["failed"] for counts in recap.values()} == {0}


def test_a_changed_file_is_put_right_and_the_daemon_restarted(hardened: Lab) -> None:
    """What somebody did by hand is undone, and the processes are new ones."""
    hardened("ssh", "imap2", "sed -i 's/^tls_versions: .*/tls_versions: tls1_0/' /etc/imapd.conf")
    before = hardened("ssh", "imap2", "pgrep -xo cyrmaster").stdout
    done = playbook("--limit", "imap2")
    assert done.returncode == 0
    assert _recap(done)["imap2"]["changed"] > 0
    assert hardened("ssh", "imap2", "pgrep -xo cyrmaster").stdout != before
    passes("imap2")


def test_nothing_secret_is_printed(hardened: Lab) -> None:
    """Neither keys nor passwords, even with diffs and at the highest verbosity."""
    hardened("ssh", "imap2", "rm /etc/mailseal/tls/rsa.key")
    done = playbook("--limit", "imap2", "--diff", "-vvv")
    assert done.returncode == 0
    assert "PRIVATE KEY" not in done.stdout
    assert "lab-only" not in done.stdout


def test_check_mode_on_a_fresh_lab_shows_and_changes_nothing(lab: Lab) -> None:
    """The diff of what would be written, and not one file touched."""
    lab("down")
    assert lab("up").returncode == 0
    listing = "find / -xdev -newer /tmp/mark -type f -not -path '/proc/*' -not -path '/var/log/*'"
    hosts = ("mx1", "msa1", "imap1")
    for host in hosts:
        lab("ssh", host, "touch /tmp/mark; sleep 1")
    done = playbook("--check", "--diff")
    assert done.returncode == 0, done.stdout[-3000:]
    assert "+tls_required: yes" in done.stdout
    assert "+auth_advertise_hosts" in done.stdout
    assert {counts["failed"] for counts in _recap(done).values()} == {0}
    for host in hosts:
        touched = lab("ssh", host, listing).stdout.split()
        watched = ("/etc/", "/usr/", "/var/spool/", "/opt/")
        assert [t for t in touched if t.startswith(watched) and t != "/etc/resolv.conf"] == []
        assert lab("ssh", host, "pgrep -x 'exim4|cyrmaster'").stdout == ""
