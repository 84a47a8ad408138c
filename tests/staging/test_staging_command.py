"""`mailseal staging`: what is asked for, what is done in which order, and what goes wrong."""

import errno
import fcntl
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from audit.cli import main
from audit.errors import MailsealError
from audit.rollout import events as ev
from audit.rollout.place import names
from audit.rollout.record import Record
from audit.staging import lock, play
from audit.staging.follow import Follower
from audit.staging.sides import Side, variables
from tests import commands
from tests.commands import BIN, ROOT
from tests.plugins import plugin
from tests.prospect.prospect_factories import NEW, OLD
from tests.rollout.rollout_factories import STARTED, Script, good
from tests.rollout.test_rollout_others import FIRST, held, rollout
from tests.staging.staging_factories import Cluster, hosts, inventory_of

ROLE = plugin("host/filter_plugins/mailseal_host.py")


def test_roles_and_audit_get_the_same_words(tmp_path: Path) -> None:
    """The variable of the policy, and every other one, whatever the inventory has."""
    side = Side(inventory_of(tmp_path / "i"), variables=variables("univie-2015", ["a=b"]))
    assert side.options[-4:] == ["-e", "a=b", "-e", '{"mailseal_policy": "univie-2015"}']
    assert [p.id for p in side.driver().audit.measures] == ["univie-2015"]


def test_files_are_found_from_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ansible is not where the audit is; halves of a pair are files or ids."""
    monkeypatch.chdir(tmp_path)
    Path("own.yaml").touch()
    Path("v.json").write_text("{}", encoding="ascii")
    found = variables("own.yaml+univie-2015", ["@v.json"])
    assert found == (
        f"@{tmp_path / 'v.json'}",
        json.dumps({"mailseal_policy": f"{tmp_path / 'own.yaml'}+univie-2015"}),
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("", "there is nothing to compare"),
        ("--policy nobody", "there is no policy 'nobody'"),
        ("--now-policy nobody", "there is no policy 'nobody'"),
        ("-e word", "-e word: must be NAME=VALUE, JSON or @FILE"),
        ("-e @/nowhere", "-e @/nowhere: there is no such file"),
        ("--policy mailseal-2026 -i /nowhere", "there is no inventory /nowhere"),
        ("--policy mailseal-2026 --production /nowhere", "there is no inventory /nowhere"),
        ("--policy mailseal-2026 --now-inventory /nowhere", "there is no inventory /nowhere"),
        ("--baseline latest --history none", "switched off by 'none'"),
        ("--baseline x --now-policy univie-2015", "so it goes without --now-..."),
        (
            "--policy mailseal-2026 --allow-breaking nobody",
            "--allow-breaking nobody: no client fits",
        ),
        (f"--policy mailseal-2026 --allow-breaking {'9' * 4999}", "--allow-breaking 99999"),
        ("--policy mailseal-2026 --out /dev/null/x", "/dev/null/x: cannot be made"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_touched(
    words: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence, exit code 2."""
    given = shlex.split(words)
    if "-i" not in given:
        given += ["-i", inventory_of(tmp_path / "i")]
    assert main(["staging", *given]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


def test_a_cluster_that_is_not_up_is_said_not_to_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The lab's network namespace is missing: exit code 3, and how to get it."""
    there = inventory_of(tmp_path / "i", mailseal_control_netns="ms-nowhere")
    assert main(["staging", "-i", there, "--policy", "univie-2015"]) == 3
    assert "is the lab up? mailseal lab up" in capsys.readouterr().err


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_second_staging_of_a_cluster_ends_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], elsewhere: bool
) -> None:
    """Also by another clone; of other hosts it goes its way."""
    there = inventory_of(tmp_path / ("j" if elsewhere else "i"))
    with lock.alone(hosts("imap2", "imap1")):
        assert main(["staging", "-i", there, "--policy", "univie-2015"]) == 3
    assert capsys.readouterr().err.startswith("mailseal: imap1: another staging of it is running")
    with lock.alone(hosts("imap2")), lock.alone(hosts("imap1")):
        pass  # nothing is left of those before


def test_a_rollout_and_a_staging_are_not_at_work_on_one_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever came first; what a staging rolls out itself is no other rollout."""
    record = rollout(tmp_path, FIRST, hosts=("mx1",))
    others = partial(ROLE.mailseal_others, directory=str(tmp_path), addresses=["192.0.2.1", "::1"])
    with held(record):
        sentence = f"mx1: a rollout of it is running.* mailseal rollout {record.stem} tells"
        with pytest.raises(MailsealError, match=sentence):
            lock.alone(hosts("imap1", "mx1", where=tmp_path)).__enter__()
        with lock.alone(hosts("imap1", where=tmp_path)):
            assert others("imap1") == ["a staging"]
            assert others("imap1", addresses=["198.51.100.7"]) == []
            assert others("mx1") == [f"another rollout (mailseal rollout {record.stem})"]
            monkeypatch.setenv(lock.VARIABLE, str(os.getppid()))
            assert others("imap1") == ["a staging"]
            monkeypatch.setenv(lock.VARIABLE, str(os.getpid()))
            assert others("imap1") == []
    monkeypatch.delenv(lock.VARIABLE)
    assert others("imap1") == []
    # Before and after may be recorded in two places; the host is one.
    with lock.alone(
        [*hosts("imap1", "mx1", where=tmp_path), *hosts("imap1", where=tmp_path / "x")]
    ):
        pass


def test_what_blocks_in_a_staging_is_no_other_staging() -> None:
    """The same error out of the work goes on as it is."""
    with pytest.raises(BlockingIOError, match="a pipe"), lock.alone(hosts("imap1")):
        raise BlockingIOError("a pipe")
    with lock.alone(hosts("imap1")):
        pass  # nothing is left of the one before


def test_the_lock_is_held_for_as_long_as_ansible_is_at_work(tmp_path: Path) -> None:
    """Also where the staging that began it was killed, and its own handle is gone."""
    ours = lock.alone(hosts("imap1"))
    ours.__enter__()
    with (
        (tmp_path / "log").open("wb") as out,
        play._ended(["sleep", "60"], dict(os.environ), out) as process,
    ):
        ours.__exit__(None, None, None)
        with pytest.raises(MailsealError, match="another staging of it is running"):
            lock.alone(hosts("imap1")).__enter__()
        process.kill()
        process.wait()
    with lock.alone(hosts("imap1")):
        pass


def test_a_host_that_cannot_be_locked_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on file systems that know no locks, and where there can be no file."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", refuse)
        with pytest.raises(MailsealError, match=r"imap1 192\.0\.2\.1: cannot be locked"):
            lock.alone(hosts("imap1")).__enter__()
        assert not lock.staged("imap1", ["192.0.2.1"])
    (tmp_path / "state" / "staging").rename(tmp_path / "kept")
    (tmp_path / "state" / "staging").touch()
    with pytest.raises(MailsealError, match=r"state/staging: cannot be made \(File exists\)"):
        lock.alone(hosts("imap1")).__enter__()


def test_a_result_that_could_not_be_written_ends_it_before_it_begins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A deployment takes minutes, or hours."""
    (tmp_path / "out" / "after.xml").mkdir(parents=True)
    given = ["-i", inventory_of(tmp_path / "i"), "--out", str(tmp_path / "out")]
    assert main(["staging", *given, "--policy", "univie-2015"]) == 2
    path = tmp_path / "out" / "after.xml"
    assert capsys.readouterr().err == f"mailseal: {path}: that is a directory\n"


def test_what_another_candidate_left_does_not_stay(
    tmp_path: Path, cluster: Callable[..., Cluster], capsys: pytest.CaptureFixture[str]
) -> None:
    """Its good reports would be read as those of this one, which could not be deployed."""
    out = tmp_path / "out"
    words = ["-i", inventory_of(tmp_path / "i"), "--now-policy", OLD, "--policy", NEW]
    cluster()
    assert main(["staging", *words, "--out", str(out)]) == 1
    assert {"staging.html", "before.xml", "after.xml"} <= {path.name for path in out.iterdir()}
    (out / "back.log").touch()
    cluster("d2")
    assert main(["staging", *words, "--out", str(out)]) == 1
    assert not {"after.html", "after.xml", "back.log"} & {path.name for path in out.iterdir()}
    assert "does not pass" in (out / "staging.md").read_text(encoding="utf-8")
    assert "does not pass" in capsys.readouterr().out


def test_one_file_that_cannot_be_written_costs_no_other(
    tmp_path: Path,
    cluster: Callable[..., Cluster],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nor the result on the terminal, nor the exit code of a failure; no other one is clean."""
    out = tmp_path / "out"

    def full(*_: object) -> None:
        raise MailsealError("the disk is full")

    monkeypatch.setattr("audit.report.prospect_markdown.markdown", full)
    words = ["-i", inventory_of(tmp_path / "i"), "--out", str(out), "--policy", NEW]
    for now, code in ((OLD, 1), (NEW, 2)):
        cluster()
        assert main(["staging", *words, "--now-policy", now]) == code
        said = capsys.readouterr()
        assert "mailseal: the disk is full" in said.err
        assert NEW in said.out
        assert (out / "after.xml").exists()
        assert not (out / "staging.md").exists()


def test_the_files_are_there_before_the_terminal_is_told(
    tmp_path: Path,
    cluster: Callable[..., Cluster],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever reads it may have left; a failure is still one."""
    cluster()
    monkeypatch.setattr("audit.progress.give_up", lambda _file: None)
    out = tmp_path / "out"

    def left(*_: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("audit.report.prospect_text.show", left)
    words = ["-i", inventory_of(tmp_path / "i"), "--out", str(out), "--policy", NEW]
    words += ["--now-policy", OLD]
    assert main(["staging", *words]) == 1
    assert (out / "staging.json").exists()
    assert "the result cannot be printed" in capsys.readouterr().err


def test_the_play_calls_the_command_and_fails_with_its_sentence(tmp_path: Path) -> None:
    """Its variables are the command's options."""
    there = inventory_of(tmp_path / "i", mailseal_control_netns="ms-nowhere")
    wanted = {"mailseal_candidate": "univie-2015", "mailseal_candidate_variables": {"a": [1]}}
    wanted["mailseal_staging_allow_breaking"] = ["tls10-*", "2"]
    play_ = [str(BIN / "ansible-playbook"), "-i", there, "staging.yml", "-e", json.dumps(wanted)]
    done = commands.run(*play_)
    assert done.returncode != 0
    assert "is the lab up? mailseal lab up" in done.stdout
    wanted["mailseal_candidate"] = "nobody"
    done = commands.run(*play_[:-1], json.dumps(wanted))
    assert "there is no policy 'nobody'" in done.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("-i {i} --limit imap1", "staging.yml: --limit would leave out the control host"),
        ("-i {i} --check", "staging.yml: --check would stage nothing"),
        ("-i {i} -i {e}", "staging.yml: one inventory is staged, and these are several: {i}, {e}"),
        ("-i {e} --check", "staging.yml: --check would stage nothing"),
        ("-i {e}", "there is nothing to compare"),
        ("-i {i} --limit nobody", "leaves us with no hosts to target"),
    ],
)
def test_the_play_refuses_what_would_stage_nothing_or_not_all(
    tmp_path: Path, words: str, sentence: str
) -> None:
    """No host is connected to for it: this one would not answer."""
    far = {"ansible_connection": "ssh", "ansible_host": "192.0.2.1"}
    places = {"i": inventory_of(tmp_path / "i", **far), "e": str(tmp_path / "e")}
    (tmp_path / "e").mkdir()
    (tmp_path / "e" / "hosts.json").write_text('{"all": {}}', encoding="ascii")
    done = commands.run(
        str(BIN / "ansible-playbook"), "staging.yml", *words.format(**places).split(), seconds=60
    )
    assert done.returncode != 0
    assert sentence.format(**places) in done.stdout + done.stderr
    assert "unreachable=1" not in done.stdout


PLAY = """
- name: Harden
  hosts: all
  gather_facts: false
  vars: {{mailseal_phase: change}}
  tasks:
    - block:
        - copy: {{content: "a: 2\\npassword: hunter2\\n", dest: {path}, mode: "0600"}}
        - copy:
            content: "servers = localhost/mail/{{{{ mail_db_password }}}}\\n"
            dest: {path}.servers
            mode: "0600"
        - copy:
            content: "-----BEGIN PRIVATE KEY-----\\nMIIhunter3\\n-----END PRIVATE KEY-----\\n"
            dest: {path}.key
            mode: "0600"
        - fail: {{msg: first}}
          when: {fails}
      rescue:
        - fail: {{msg: "it goes no further"}}
          when: inventory_hostname == "imap1"
    - set_fact: {{mailseal_host_state: "{{{{ 'looked' if ansible_check_mode else 'passed' }}}}"}}
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """A rollout.yml of a few tasks with our callback beside it; gives the file that it writes."""

    def make(*, fails: bool, callback: bool = True) -> Path:
        path, rollout = tmp_path / "file", tmp_path / "rollout.yml"
        path.write_text("a: 1\npassword: hunter1\n", encoding="ascii")
        rollout.write_text(PLAY.format(path=path, fails=str(fails).lower()), encoding="ascii")
        if callback:
            (tmp_path / "callback_plugins").symlink_to(ROOT / "callback_plugins")
        monkeypatch.setattr(play, "_ROLLOUT", rollout)
        return path

    return make


def test_the_record_tells_hosts_files_and_reasons(
    tmp_path: Path, site: Callable[..., Path]
) -> None:
    """A real playbook; the record stays beside the log, and neither has a secret."""
    path = site(fails=True)
    steps: list[str] = []
    out = tmp_path / "out"
    out.mkdir()
    there = inventory_of(tmp_path / "i")
    found = play.roll_out(Side(there), steps.append, out / "log")
    assert [(t.host, t.reason) for t in found.troubles] == [("imap1", "it goes no further")]
    assert (found.hosts, found.changed) == (("imap1",), ("imap1",))
    file, servers, key = found.files
    assert "+servers = localhost/mail/(not shown)" in servers.lines
    assert (file.path, key.path) == (str(path), f"{path}.key")
    assert key.lines == ("(not shown)",)
    assert {"-a: 1", "+a: 2"} <= {*file.lines}
    assert "hunter" not in "".join(file.lines)
    assert "imap1: change" in steps
    log = (out / "log").read_text(encoding="utf-8")
    assert "it goes no further" in log
    assert "+a: 2" in log
    assert "+servers = localhost/mail/(not shown)" in log
    assert "hunter" not in log
    (name,) = names(out / "rollouts")
    assert (out / "rollouts" / f"{name}.html").exists()


def test_who_is_only_asked_keeps_what_there_is(tmp_path: Path, site: Callable[..., Path]) -> None:
    """What would be replaced is told; without a log nothing is kept."""
    path = site(fails=False)
    found = play.roll_out(Side(inventory_of(tmp_path / "i")), lambda _: None, None, check=True)
    assert (found.troubles, found.changed) == ((), ("imap1",))
    assert "+a: 2" in found.files[0].lines
    assert path.read_text(encoding="ascii").startswith("a: 1")
    assert not list(tmp_path.rglob("rollouts"))


def test_a_log_that_cannot_be_kept_costs_no_deployment(
    tmp_path: Path, site: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """What came of it is known all the same."""
    site(fails=False)
    (tmp_path / "out" / "log").mkdir(parents=True)
    there = Side(inventory_of(tmp_path / "i"))
    found = play.roll_out(there, lambda _: None, tmp_path / "out" / "log")
    assert (found.troubles, found.changed) == ((), ("imap1",))
    assert "log: " in capsys.readouterr().err


def test_an_end_without_a_record_is_never_a_good_one(
    tmp_path: Path, site: Callable[..., Path]
) -> None:
    """Ansible says that all is well, and nobody has seen it."""
    site(fails=False, callback=False)
    with pytest.raises(MailsealError, match="nothing is known") as raised:
        play.roll_out(Side(inventory_of(tmp_path / "i")), lambda _: None, None)
    assert raised.value.exit_code == 3


def test_a_record_is_followed_line_by_line(tmp_path: Path) -> None:
    """Older ones are not it; half a line waits for its other half."""
    old = Record(tmp_path, STARTED)
    old.write(good())
    old.close()
    follower = Follower(tmp_path)
    assert (list(follower.steps()), follower.rollout()) == ([], None)
    record = Record(tmp_path, STARTED)
    script = Script()
    script.batch(1, ("mx1",))
    script.lines.append(ev.Phase(at=script.at(1), host="mx1", phase="look-before"))
    record.write(script.lines)
    with record.path.open("ab") as file:
        file.write(b'{"event":"phase","at":"2026-11-28T02:30:08Z","host":"mx1"')
    assert list(follower.steps()) == ["Harden the mail daemons", "mx1: look before"]
    assert list(follower.steps()) == []
    with record.path.open("ab") as file:
        file.write(b',"phase":"change"}\n')
    assert list(follower.steps()) == ["mx1: change"]
    found = follower.rollout()
    assert found is not None
    assert found.hosts[0].host == "mx1"


def test_without_a_checkout_there_is_no_staging(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence."""
    monkeypatch.setattr(play, "_ROLLOUT", tmp_path / "rollout.yml")
    with pytest.raises(MailsealError, match="staging runs from a checkout of mailseal"):
        play.roll_out(Side(inventory_of(tmp_path / "i")), lambda _: None, None)


def test_an_interrupted_deployment_is_ended_and_said(tmp_path: Path) -> None:
    """Ctrl-C while a host does not answer: exit code 130, and no Ansible is left."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        more = {
            "ansible_connection": "ssh",
            "ansible_host": "127.0.0.1",
            "ansible_port": silent.getsockname()[1],
        }
        words = ["staging", "-i", inventory_of(tmp_path / "i", **more), "--policy", "univie-2015"]
        words += ["--out", str(tmp_path / "out")]
        # Where the tests run in the background of a shell, they were told to ignore Ctrl-C.
        command = ["env", "--default-signal=INT", sys.executable, "-m", "audit", *words]
        with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
            silent.settimeout(120)
            with silent.accept()[0]:  # ssh waits for a banner now
                time.sleep(0.5)
                process.send_signal(signal.SIGINT)
                _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "the next run brings it to its end" in said
    assert "Traceback" not in said
    left = subprocess.run(["pgrep", "-f", str(tmp_path)], capture_output=True, check=False)
    assert left.stdout == b""
