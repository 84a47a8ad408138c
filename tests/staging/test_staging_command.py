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
from typing import Any

import pytest
from msgspec.structs import replace

from audit import runner
from audit.cli import main
from audit.errors import MailsealError
from audit.findings import Run
from audit.inventory import Host
from audit.prospect.deployment import Deployment, Replaced, Trouble
from audit.rollout import events as ev
from audit.rollout.place import names
from audit.rollout.record import Record
from audit.staging import flow, lock, play
from audit.staging.flow import Baseline, Order
from audit.staging.follow import Follower
from audit.staging.sides import Side, variables
from tests import commands
from tests.commands import BIN, ROOT
from tests.plugins import plugin
from tests.prospect.prospect_factories import IMAP, IMAPS, NEW, OLD, run, shown
from tests.rollout.rollout_factories import STARTED, Script, good
from tests.rollout.test_rollout_others import FIRST, held, rollout

ROLE = plugin("host/filter_plugins/mailseal_host.py")

HOST = {
    "ansible_connection": "local",
    "ansible_python_interpreter": sys.executable,
    "mailseal_addresses": ["192.0.2.1"],
    "mailseal_server_name": "imap1.example",
    "mailseal_daemon": "cyrus",
    "mailseal_closed_ports": False,
    "mailseal_endpoints": [
        {"port": 143, "service": "imap", "mode": "starttls", "profile": "access"},
        {"port": 993, "service": "imap", "mode": "implicit", "profile": "access"},
    ],
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks of their own: other tests stage hosts of the same names."""
    monkeypatch.setattr("audit.state.directory", lambda: tmp_path / "state")


def hosts(*names: str, where: Path | None = None) -> list[Host]:
    """As the inventory of these tests has them."""
    return [
        Host(name=n, addresses=("192.0.2.1",), rollout_directory=str(where or "")) for n in names
    ]


def _inventory(folder: Path, name: str = "imap1", **more: Any) -> str:
    folder.mkdir(exist_ok=True)
    hosts = {"all": {"children": {"imap": {"hosts": {name: {**HOST, **more}}}}}}
    (folder / "hosts.json").write_text(json.dumps(hosts), encoding="utf-8")
    return str(folder)


def _audited(policy: str) -> Run:
    return run(policy, [shown(policy, "imap1", IMAP), shown(policy, "imap1", IMAPS)])


class Cluster:
    """Stands for the staging cluster: what is deployed there is what an audit sees."""

    def __init__(self, *fails: str) -> None:
        """The deployments that fail, by number: d1, d2, ..."""
        self.fails = fails
        self.done: list[str] = []
        self.policy = ""

    def roll_out(self, side: Side, step: object, log: object, *, check: bool = False) -> Deployment:
        """Deploy."""
        policy = json.loads(side.variables[-1])["mailseal_policy"] if side.variables else NEW
        self.done.append(f"{'check' if check else 'deploy'} {Path(side.inventory).name} {policy}")
        number = sum(one.startswith("deploy") for one in self.done)
        if f"d{number}" in self.fails:
            return Deployment(hosts=("imap1",), troubles=(Trouble("imap1", "does not pass"),))
        if not check:
            self.policy = policy
        file = Replaced("imap1", "/etc/imapd.conf", ("@@", "-a", "+b"))
        return Deployment(hosts=("imap1",), changed=("imap1",), files=(file,))

    def audit(self, driver: runner.Driver) -> Run:
        """See, and judge; a cluster that was deployed to passes."""
        self.done.append(f"audit {self.policy}")
        found = driver.audit.rejudged(_audited(self.policy))
        fine = tuple(replace(f, verdict="pass", observed="as expected") for f in found.findings)
        return replace(found, findings=fine)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Cluster]:
    """One that takes every deployment, but for those that are named."""

    def make(*fails: str) -> Cluster:
        made = Cluster(*fails)
        monkeypatch.setattr(flow, "roll_out", made.roll_out)
        monkeypatch.setattr(runner, "run", made.audit)
        return made

    return make


def _order(folder: Path, **more: Any) -> Order:
    there = _inventory(folder / "staging")
    now, candidate = (Side(there, variables=variables(policy, ())) for policy in (OLD, NEW))
    return Order(**{"now": now, "candidate": candidate, **more})


def test_what_there_is_is_deployed_first_then_the_candidate(
    tmp_path: Path, cluster: Callable[..., Cluster]
) -> None:
    """Each is audited, and the wire of both decides."""
    there = cluster()
    seen = flow.stage(_order(tmp_path))
    assert there.done == [
        f"deploy staging {OLD}", f"audit {OLD}", f"deploy staging {NEW}", f"audit {NEW}",
    ]  # fmt: skip
    assert seen.staged.outcome == "breaks"
    assert "tls10-ecdhe" in {t.client for t in seen.staged.lost}
    fixed = {c.finding.check for c in seen.staged.changes if c.kind == "fixed"}
    assert {"MT-TLS10", "MT-TLS13"} <= fixed  # the old state was judged by the candidate


def test_a_candidate_that_cannot_be_deployed_leaves_what_there_was(
    tmp_path: Path, cluster: Callable[..., Cluster]
) -> None:
    """The reason of the host, exit code 1, and what there was is deployed again."""
    there = cluster("d2")
    staged = flow.stage(_order(tmp_path)).staged
    assert there.done[-1] == f"deploy staging {OLD}"
    assert (staged.outcome, staged.exit_code) == ("fails", 1)
    assert staged.reasons == ("the candidate could not be deployed on imap1: does not pass",)
    assert staged.notices == ("the staging cluster has again what there was",)


def test_if_that_fails_too_it_is_said(tmp_path: Path, cluster: Callable[..., Cluster]) -> None:
    """In capitals."""
    cluster("d2", "d3")
    (notice,) = flow.stage(_order(tmp_path)).staged.notices
    assert notice.startswith("the staging cluster does NOT have again what there was: ")


def test_where_what_there_is_cannot_be_had_the_candidate_is_not_tried(
    tmp_path: Path, cluster: Callable[..., Cluster]
) -> None:
    """Nothing is known of it, and that is exit code 3."""
    there = cluster("d1")
    staged = flow.stage(_order(tmp_path)).staged
    assert len(there.done) == 1
    assert (staged.outcome, staged.exit_code) == ("undetermined", 3)


def test_a_run_stands_for_what_there_is(tmp_path: Path, cluster: Callable[..., Cluster]) -> None:
    """Nothing of the old state is deployed; production's own hosts are compared port by port."""
    there = cluster()
    production = _inventory(tmp_path / "production", "mail7")
    old = run(OLD, [shown(OLD, "mail7", IMAP), shown(OLD, "mail7", IMAPS)])
    baseline = Baseline(run=old, inventory=production)
    staged = flow.stage(_order(tmp_path, baseline=baseline, production=production)).staged
    assert there.done == [f"deploy staging {NEW}", f"audit {NEW}", f"check production {NEW}"]
    assert "tls10-ecdhe" in {t.client for t in staged.lost}
    changes = {(c.kind, c.finding.host, c.finding.check) for c in staged.changes}
    assert ("fixed", "any host", "MT-TLS10") in changes
    assert staged.now.source == "run"


def test_a_run_whose_inventory_is_gone_is_compared_by_its_ports(
    tmp_path: Path, cluster: Callable[..., Cluster]
) -> None:
    """Clients and services are; its findings are not, and that is said."""
    cluster()
    old = run(OLD, [shown(OLD, "mail7", IMAP), shown(OLD, "mail7", IMAPS)])
    baseline = Baseline(run=old, inventory=str(tmp_path / "gone"))
    staged = flow.stage(_order(tmp_path, baseline=baseline)).staged
    assert "tls10-ecdhe" in {t.client for t in staged.lost}
    assert staged.changes == ()
    assert "findings are not compared" in staged.notices[0]


def test_a_candidate_that_changes_nothing_is_said_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cluster: Callable[..., Cluster]
) -> None:
    """The same twice holds."""
    there = cluster()
    monkeypatch.setattr(
        flow,
        "roll_out",
        lambda *words, **more: replace(there.roll_out(*words, **more), changed=(), files=()),
    )
    order = _order(tmp_path)
    staged = flow.stage(replace(order, now=order.candidate)).staged
    assert staged.exit_code == 0, staged.reasons
    assert "the candidate changes nothing on the staging cluster" in staged.notices


def test_roles_and_audit_get_the_same_words(tmp_path: Path) -> None:
    """The variable of the policy, and every other one, whatever the inventory has."""
    side = Side(_inventory(tmp_path / "i"), variables=variables("univie-2015", ["a=b"]))
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
        given += ["-i", _inventory(tmp_path / "i")]
    assert main(["staging", *given]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


def test_a_cluster_that_is_not_up_is_said_not_to_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The lab's network namespace is missing: exit code 3, and how to get it."""
    there = _inventory(tmp_path / "i", mailseal_control_netns="ms-nowhere")
    assert main(["staging", "-i", there, "--policy", "univie-2015"]) == 3
    assert "is the lab up? mailseal lab up" in capsys.readouterr().err


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_second_staging_of_a_cluster_ends_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], elsewhere: bool
) -> None:
    """Also by another clone; of other hosts it goes its way."""
    there = _inventory(tmp_path / ("j" if elsewhere else "i"))
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
    given = ["-i", _inventory(tmp_path / "i"), "--out", str(tmp_path / "out")]
    assert main(["staging", *given, "--policy", "univie-2015"]) == 2
    path = tmp_path / "out" / "after.xml"
    assert capsys.readouterr().err == f"mailseal: {path}: that is a directory\n"


def test_the_play_calls_the_command_and_fails_with_its_sentence(tmp_path: Path) -> None:
    """Its variables are the command's options."""
    there = _inventory(tmp_path / "i", mailseal_control_netns="ms-nowhere")
    wanted = {"mailseal_candidate": "univie-2015", "mailseal_candidate_variables": {"a": [1]}}
    wanted["mailseal_staging_allow_breaking"] = ["tls10-*", "2"]
    play_ = [str(BIN / "ansible-playbook"), "-i", there, "staging.yml", "-e", json.dumps(wanted)]
    done = commands.run(*play_)
    assert done.returncode != 0
    assert "is the lab up? mailseal lab up" in done.stdout
    wanted["mailseal_candidate"] = "nobody"
    done = commands.run(*play_[:-1], json.dumps(wanted))
    assert "there is no policy 'nobody'" in done.stdout


PLAY = """
- name: Harden
  hosts: all
  gather_facts: false
  vars: {{mailseal_phase: change}}
  tasks:
    - block:
        - copy: {{content: "a: 2\\npassword: hunter2\\n", dest: {path}, mode: "0600"}}
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
    found = play.roll_out(Side(_inventory(tmp_path / "i")), steps.append, out / "log")
    assert [(t.host, t.reason) for t in found.troubles] == [("imap1", "it goes no further")]
    assert (found.hosts, found.changed) == (("imap1",), ("imap1",))
    file, key = found.files
    assert (file.path, key.path) == (str(path), f"{path}.key")
    assert key.lines == ("(not shown)",)
    assert {"-a: 1", "+a: 2"} <= {*file.lines}
    assert "hunter" not in "".join(file.lines)
    assert "imap1: change" in steps
    log = (out / "log").read_text(encoding="utf-8")
    assert "it goes no further" in log
    assert "+a: 2" in log
    assert "hunter" not in log
    (name,) = names(out / "rollouts")
    assert (out / "rollouts" / f"{name}.html").exists()


def test_who_is_only_asked_keeps_what_there_is(tmp_path: Path, site: Callable[..., Path]) -> None:
    """What would be replaced is told; without a log nothing is kept."""
    path = site(fails=False)
    found = play.roll_out(Side(_inventory(tmp_path / "i")), lambda _: None, None, check=True)
    assert (found.troubles, found.changed) == ((), ("imap1",))
    assert "+a: 2" in found.files[0].lines
    assert path.read_text(encoding="ascii").startswith("a: 1")
    assert not list(tmp_path.rglob("rollouts"))


def test_an_end_without_a_record_is_never_a_good_one(
    tmp_path: Path, site: Callable[..., Path]
) -> None:
    """Ansible says that all is well, and nobody has seen it."""
    site(fails=False, callback=False)
    with pytest.raises(MailsealError, match="nothing is known") as raised:
        play.roll_out(Side(_inventory(tmp_path / "i")), lambda _: None, None)
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
        play.roll_out(Side(_inventory(tmp_path / "i")), lambda _: None, None)


def test_an_interrupted_deployment_is_ended_and_said(tmp_path: Path) -> None:
    """Ctrl-C while a host does not answer: exit code 130, and no Ansible is left."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        more = {
            "ansible_connection": "ssh",
            "ansible_host": "127.0.0.1",
            "ansible_port": silent.getsockname()[1],
        }
        words = ["staging", "-i", _inventory(tmp_path / "i", **more), "--policy", "univie-2015"]
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
