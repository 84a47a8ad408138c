"""What a host keeps of what is replaced, and the gate's filters."""

import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import msgspec
import pytest
from ansible.template import trust_as_template

from tests.plugins import plugin

SNAPSHOT: ModuleType = plugin("snapshot/library/mailseal_snapshot.py")
GATE: ModuleType = plugin("gate/filter_plugins/mailseal_gate.py")


class Killed(BaseException):
    """The run was ended here."""


class Host:
    """A host of a few files, with its snapshots."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.etc = home / "etc"
        self.etc.mkdir()
        self.write("a.conf", "old a\n")
        self.write("b.conf", "old b\n")
        (self.etc / "link").symlink_to("a.conf")
        self.paths = [str(self.etc / name) for name in ("a.conf", "b.conf", "link", "new.conf")]

    def write(self, name: str, text: str) -> None:
        (self.etc / name).write_text(text)

    def task(self, **params: object) -> Any:
        known = {"directory": str(self.home / "snapshots"), "rollout": "", "facts": {}, "most": 10}
        known.update(paths=self.paths, snapshot=None)
        return SNAPSHOT.Task({**known, **params}, check_mode=False)

    def replace(self) -> None:
        """What a rollout does."""
        self.write("a.conf", "new a\n")
        (self.etc / "link").unlink()
        self.write("link", "no link any more\n")
        self.write("new.conf", "new\n")

    def state(self) -> dict[str, str]:
        return {
            path.name: f"-> {path.readlink()}" if path.is_symlink() else path.read_text()
            for path in sorted(self.etc.iterdir())
        }


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_what_was_replaced_comes_back(host: Host) -> None:
    """Bytes, modes and links; what was not there goes."""
    before = host.state()
    (host.etc / "b.conf").chmod(0o640)
    host.task().noted()
    host.replace()
    (host.etc / "b.conf").chmod(0o600)
    changed = host.task().previous()["paths"]
    assert host.state() == before
    assert (host.etc / "b.conf").stat().st_mode & 0o777 == 0o640
    assert sorted(changed) == sorted(host.paths)
    assert host.task().previous()["paths"] == []
    host.task().dropped()
    assert host.task().read()["pending"] == {}


def test_it_is_noted_which_packages_there_were(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wholly installed, also where somebody holds it in its version."""
    rows = ["installed|mailseal-exim|4.96-1", "half-configured|mailseal-cyrus|3.6"]
    said = SimpleNamespace(stdout="".join(f"{row}\n" for row in rows))
    monkeypatch.setattr(SNAPSHOT.shutil, "which", lambda _name: "/usr/bin/dpkg-query")
    monkeypatch.setattr(SNAPSHOT.subprocess, "run", lambda *_argv, **_words: said)
    host.task().noted()
    assert host.task().read()["pending"]["packages"] == {"mailseal-exim": "4.96-1"}


def test_what_is_noted_first_stays(host: Host) -> None:
    """A second run after one that was ended in between does not take the new for the old."""
    before = host.state()
    host.task(rollout="1", facts={"ports": [25]}).noted()
    host.replace()
    note = host.task(rollout="2", facts={"ports": [26], "serving": True}).noted()["pending"]
    assert note["rollout"] == "1"
    assert note["facts"] == {"ports": [25], "serving": True}
    host.task().previous()
    assert host.state() == before


def test_further_files_are_noted_beside_the_first(host: Host) -> None:
    """Each role names its own."""
    host.task(paths=host.paths[:1]).noted()
    host.task(paths=[str(host.etc)]).noted()
    assert host.task().read()["pending"]["files"] == sorted(host.paths[:3])


def test_a_run_that_is_ended_at_any_step_leaves_what_it_had(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was noted is whole, and what a later run puts back is what was there."""
    before = host.state()
    rename, steps = os.rename, 0

    def dying(limit: int) -> Callable[[str, str], None]:
        count = iter(range(limit))

        def step(source: str, target: str) -> None:
            if next(count, None) is None:
                raise Killed
            rename(source, target)

        return step

    for steps in range(20):
        monkeypatch.setattr(os, "rename", dying(steps))
        try:
            host.task(rollout="killed").noted()
        except Killed:
            ended = False
        else:
            ended = True
        monkeypatch.setattr(os, "rename", rename)
        host.task(rollout="next").noted()
        host.replace()
        host.task().previous()
        assert host.state() == before
        host.task().dropped()
        if ended:
            break
    assert steps == 5  # three files and twice the note


def test_going_back_that_was_ended_goes_on(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stays pending until somebody says that the old state serves."""
    before = host.state()
    host.task().noted()
    host.replace()

    def die(_source: str, _target: str) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", die)
        with pytest.raises(Killed):
            host.task().previous()
    host.task().previous()
    assert host.state() == before


def test_what_cannot_be_put_back_keeps_nothing_else_from_it(host: Host) -> None:
    """And is named."""
    host.task().noted()
    host.replace()
    (host.etc / "a.conf").unlink()
    (host.etc / "a.conf").mkdir()
    with pytest.raises(SNAPSHOT.Failed, match=r"a\.conf is NOT back"):
        host.task().previous()
    assert (host.etc / "link").is_symlink()
    assert not (host.etc / "new.conf").exists()


def test_the_newest_are_kept_and_can_be_gone_back_to(host: Host) -> None:
    """By name; what was there then is noted, so that this can be taken back as well."""
    for number in range(4):
        host.write("a.conf", f"state {number}\n")
        host.task().noted()
        host.task(most=3).kept()
    names = host.task().read()["kept"]
    assert len(names) == 3
    host.write("a.conf", "now\n")
    host.task(snapshot=names[-1]).restored()
    assert (host.etc / "a.conf").read_text() == "state 1\n"
    host.task().previous()
    assert (host.etc / "a.conf").read_text() == "now\n"
    with pytest.raises(SNAPSHOT.Failed, match=r"there is no snapshot 'x' in .*; there are 20"):
        host.task(snapshot="x").restored()


def test_going_back_goes_through_what_was_replaced_since(host: Host) -> None:
    """A snapshot has only what its own rollout replaced."""
    for number, name in enumerate(("a.conf", "b.conf", "c.conf"), 1):
        host.task(paths=[str(host.etc / name)]).noted()
        host.write(name, f"state {number}\n")
        host.task().kept()
    newest, _, oldest = host.task().read()["kept"]
    replaced = host.state()
    result = host.task(snapshot=oldest).restored()
    assert [Path(path).name for path in result["paths"]] == ["c.conf", "b.conf", "a.conf"]
    assert host.state() == {"a.conf": "old a\n", "b.conf": "old b\n", "link": "-> a.conf"}
    host.task().previous()
    assert host.state() == replaced
    host.task().dropped()
    host.task(snapshot=newest).restored()
    assert host.state() == {k: v for k, v in replaced.items() if k != "c.conf"}


def test_a_directory_that_was_not_there_goes_away_again(host: Host) -> None:
    """With what was put into it."""
    made = host.etc / "tls"
    host.task(paths=[str(made)]).noted()
    made.mkdir()
    (made / "rsa.key").write_text("key")
    assert str(made) in host.task().previous()["paths"]
    assert not made.exists()


def test_a_note_that_cannot_be_read_stops(host: Host) -> None:
    """It is not taken for none."""
    host.task().noted()
    (host.home / "snapshots" / "pending" / "note.json").write_text("{")
    with pytest.raises(SNAPSHOT.Failed, match=r"note\.json cannot be read"):
        host.task().read()


def _document(*findings: tuple[str, str, str]) -> str:
    rows = [
        {
            "check": check,
            "host": "mx1",
            "address": "192.0.2.1",
            "port": 25,
            "service": "smtp",
            "verdict": verdict,
            "severity": "high",
            "observed": observed,
            "expected": "refused",
            "evidence": "",
            "item": "",
            "policy": "mailseal-2026",
            # As run.json has it.
            "waiver": {"owner": "postmaster", "reason": "x", "expires": "2027-01-01", "ticket": ""}
            if verdict == "waived"
            else None,
        }
        for check, verdict, observed in findings
    ]
    text = msgspec.json.encode({"schema": "mailseal/run/1", "findings": rows}).decode()
    tagged: str = trust_as_template(text)  # as filters get them
    return tagged


def test_the_gate_names_what_is_wrong_the_failures_first() -> None:
    """What could not be told does not pass either; what is waived does."""
    document = _document(
        ("MT-A", "pass", "good"),
        ("MT-B", "inconclusive", "could not be tested"),
        ("MT-C", "fail", "accepted"),
        ("MT-D", "waived", "accepted"),
    )
    assert GATE.mailseal_gate_wrong(document) == [
        "MT-C on port 25 of 192.0.2.1: accepted (fail)",
        "MT-B on port 25 of 192.0.2.1: could not be tested (inconclusive)",
    ]


def test_the_gate_says_how_many_more_there_are() -> None:
    """A host on which all is wrong is one sentence that can be read."""
    wrong = GATE.mailseal_gate_wrong(_document(*((f"MT-{n}", "fail", "x") for n in range(9))))
    assert len(wrong) == 6
    assert wrong[-1] == "and 4 more"


def test_the_gate_compares_with_what_was_before() -> None:
    """A failure that was there before is none of the rollout's."""
    before = _document(("MT-A", "fail", "x"), ("MT-B", "pass", "y"))
    assert GATE.mailseal_gate_differences(before, before) == []
    after = _document(("MT-A", "fail", "x"), ("MT-B", "fail", "z"))
    assert GATE.mailseal_gate_differences(before, after) == [
        "new: MT-B on port 25 of 192.0.2.1: z (fail)"
    ]


def test_the_gate_takes_no_secret_along() -> None:
    """What the auditor reads, and how the host is reached; no password of anybody."""
    variables = {
        "mailseal_policy": "mailseal-2026",
        "mailseal_exim_users": {"tester": "hash"},
        "mailseal_exim_options": {"mysql_servers": "h/db/user/pw"},
        "mailseal_nightly_webhook_secret": "x",
        "mailseal_test_account": {"user": "tester", "password": "x"},
        "ansible_host": "192.0.2.1",
        "ansible_become_password": "x",
        "ansible_ssh_pass": "x",
        "ansible_facts": {},
        "site_variable": 1,
    }
    found = GATE.mailseal_gate_inventory({"mx1": variables}, "mx1")
    assert found["all"]["hosts"] == {
        "mx1": {"mailseal_policy": "mailseal-2026", "ansible_host": "192.0.2.1"}
    }


def test_the_gate_takes_along_where_the_mail_of_its_account_is_looked_for() -> None:
    """That host without a password; one that there is not is the auditor's to complain of."""
    account = {"user": "tester", "password": "x", "mailbox": "imap1"}
    hosts = {
        "mx1": {"mailseal_daemon": "exim", "mailseal_test_account": account},
        "imap1": {"mailseal_daemon": "cyrus", "mailseal_test_account": account},
        "imap2": {"mailseal_daemon": "cyrus"},
    }
    found = GATE.mailseal_gate_inventory(hosts, "mx1", account=True)["all"]["hosts"]
    assert found == {
        "mx1": {"mailseal_daemon": "exim", "mailseal_test_account": account},
        "imap1": {"mailseal_daemon": "cyrus"},
    }
    account["mailbox"] = "nowhere"
    assert [*GATE.mailseal_gate_inventory(hosts, "mx1", account=True)["all"]["hosts"]] == ["mx1"]
    assert [*GATE.mailseal_gate_inventory(hosts, "imap2", account=True)["all"]["hosts"]] == [
        "imap2"
    ]
