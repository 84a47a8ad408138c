"""`mailseal audit` as it runs at night: who is told of what, in which order, and what it costs."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from audit import runner
from audit.cli import main
from audit.errors import UNDETERMINED, MailsealError
from audit.findings import Run
from audit.runner import Driver
from audit.session import Audit
from tests.commands import BIN, ROOT
from tests.notify.notify_factories import Hook, hooking, trust
from tests.report.report_factories import make_finding, make_run
from tests.servers import Pki, free_port, listening
from tests.test_session import HOST

Capture = pytest.CaptureFixture[str]
GOOD = make_run(make_finding(verdict="pass", observed="refused"))
BAD = make_run(make_finding(verdict="fail", observed="accepted"))
DOUBT = make_run(make_finding(verdict="inconclusive", observed="421"))
INVENTORY = """
all:
  hosts:
    slow:
      mailseal_addresses: [127.0.0.1]
      mailseal_server_name: slow.example
      mailseal_closed_ports: false
      mailseal_endpoints:
        - {port: %d, service: imap, mode: starttls, profile: access}
"""


class Nights:
    """Audits of one inventory, which find what a test says.

    Attributes:
        where: the history.
        post: who is told.
    """

    def __init__(self, where: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.where, self._patch = where, monkeypatch
        self.post: list[str] = []
        monkeypatch.setattr(Driver, "read", lambda *_: Driver(Audit("", [HOST])))

    def __call__(self, run: Run | MailsealError, *words: str) -> int:
        """One night; the exit code."""

        def found(_: Driver) -> Run:
            if isinstance(run, MailsealError):
                raise run
            return run

        self._patch.setattr(runner, "run", found)
        notify = [word for target in self.post for word in ("--notify", target)]
        return main(["audit", "-i", "/i", "--history", str(self.where), *notify, *words])


@pytest.fixture
def nights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pki: Pki) -> Nights:
    """With the tests' root as the system's."""
    trust(pki, monkeypatch)
    return Nights(tmp_path / "h.db", monkeypatch)


@pytest.fixture
def hook(nights: Nights, pki: Pki) -> Iterator[Hook]:
    """A web server that is told."""
    with hooking(pki) as made:
        nights.post = [made.target.url]
        yield made


def reasons(hook: Hook) -> list[list[str]]:
    """Why it was told, each time."""
    return [document["reasons"] for document in hook.documents]


def test_only_what_changed_is_told(nights: Nights, hook: Hook, capfd: Capture) -> None:
    """A fault once, its mending once, and not a word on the nights between."""
    codes = [nights(run) for run in (GOOD, GOOD, BAD, BAD, BAD, GOOD, GOOD)]
    assert codes == [0, 0, 1, 1, 1, 0, 0]
    assert reasons(hook) == [["changes"], ["changes"]]
    kinds = [[c["kind"] for c in d["changes"]] for d in hook.documents]
    assert kinds == [["new"], ["fixed"]]
    assert capfd.readouterr().err == ""


def test_a_first_night_with_failures_is_told(nights: Nights, hook: Hook) -> None:
    """And the second, on which they are the same, is not."""
    assert [nights(BAD), nights(BAD)] == [1, 1]
    assert reasons(hook) == [["first"]]


def test_nobody_there_costs_the_night_nothing_and_is_told_later(
    nights: Nights, pki: Pki, capfd: Capture
) -> None:
    """A sentence, the report, the history, 2 instead of 0; what is owed comes when it can."""
    with hooking(pki) as gone:
        nights.post = [gone.target.url]
    assert nights(BAD) == 1  # a failure stays one
    said = capfd.readouterr()
    assert "1 failed" in said.out
    assert said.err == (
        f"mailseal: https://localhost:{gone.port}: was not told: Connection refused\n"
    )
    assert nights(GOOD) == 2
    assert nights(GOOD) == 2  # nothing new, but something is owed
    assert capfd.readouterr().err.count("was not told") == 2
    main(["history", "--history", str(nights.where)])
    assert capfd.readouterr().out.count("passed") == 3
    with hooking(pki) as back:
        # The same URL: the port is another one, and so it is moved to where it was.
        _redirected(nights, gone, back)
        assert nights(GOOD) == 0
        assert reasons(back) == [["changes"], ["first"]]
        assert nights(GOOD) == 0
        assert len(back.documents) == 2


def _redirected(nights: Nights, old: Hook, new: Hook) -> None:
    real = socket.getaddrinfo

    def resolve(host: Any, port: Any, *words: Any, **more: Any) -> Any:
        return real(host, new.port if port == old.port else port, *words, **more)

    nights._patch.setattr(socket, "getaddrinfo", resolve)


def test_no_run_that_nobody_hears_of_is_no_mere_doubt(
    nights: Nights, pki: Pki, tmp_path: Path, capfd: Capture
) -> None:
    """2 instead of 3: where somebody cannot be told, and where nothing can be kept."""
    blind = MailsealError("the prober is blind", UNDETERMINED)
    with hooking(pki) as gone:
        nights.post = [gone.target.url]
    assert nights(blind) == 2
    said = capfd.readouterr().err
    assert "was not told" in said
    assert said.endswith("mailseal: the prober is blind\n")
    (tmp_path / "a file").touch()
    nights.post, nights.where = [], tmp_path / "a file" / "h.db"
    assert nights(MailsealError("the prober is blind", UNDETERMINED)) == 2
    first, last = capfd.readouterr().err.splitlines()
    assert "the history cannot be written or reached" in first
    assert last == "mailseal: the prober is blind"


def test_a_night_without_a_run_is_told(nights: Nights, hook: Hook, capfd: Capture) -> None:
    """Why, with its own exit code; the next one says that nothing is known of it."""
    assert nights(GOOD) == 0
    assert nights(MailsealError("the prober is blind", UNDETERMINED)) == 3
    assert capfd.readouterr().err == "mailseal: the prober is blind\n"
    assert nights(GOOD) == 0
    assert reasons(hook) == [["failed"], ["notices"]]
    assert hook.documents[0]["error"] == "the prober is blind"
    assert "did not come to its end" in hook.documents[1]["notices"][0]
    nights._patch.setattr(Driver, "read", _unreadable)
    assert nights(GOOD) == 2
    assert reasons(hook)[2:] == [["failed"]]
    assert hook.documents[2]["error"] == "/i: is missing"


def _unreadable(*_: object) -> Driver:
    raise MailsealError("/i: is missing")


def test_a_report_that_cannot_be_written_is_told(
    nights: Nights, hook: Hook, tmp_path: Path, capfd: Capture
) -> None:
    """The run is kept, and is no clean one; the other report is there, a failure stays one."""
    words = ["--report", "json=/dev/full", "--report", f"json={tmp_path / 'x.json'}"]
    assert nights(GOOD, *words) == 2
    assert capfd.readouterr().err == (
        "mailseal: /dev/full: cannot be written (No space left on device)\n"
    )
    assert json.loads((tmp_path / "x.json").read_text())["planned"] == 1
    assert reasons(hook) == [["trouble"]]
    assert nights(GOOD) == 0  # compared with it, so it was kept
    assert len(hook.documents) == 1
    assert nights(BAD, *words) == 1


def test_a_report_that_could_never_be_written_is_told(
    nights: Nights, hook: Hook, tmp_path: Path, capfd: Capture
) -> None:
    """Before anything is looked at, and whoever is told of nights without a run hears of it."""
    long = f"html={tmp_path}/{'x' * 300}"
    assert nights(BAD, "--report", long) == 2
    said = capfd.readouterr()
    assert (said.out, said.err) == (
        "",
        f"mailseal: --report {long}: cannot be written (File name too long)\n",
    )
    assert reasons(hook) == [["failed"]]


def test_a_log_that_is_full_costs_no_result(tmp_path: Path) -> None:
    """Neither the exit code nor the report; and what is closed is not taken for the result."""
    missing = [str(BIN / "mailseal"), "history", "--history", str(tmp_path / "none.db")]
    with Path("/dev/full").open("w") as full:
        assert subprocess.run(missing, stderr=full, check=False).returncode == 2
    closed = ["sh", "-c", 'exec "$@" 2>&-', "sh", *missing]
    done = subprocess.run(closed, stdout=subprocess.PIPE, check=False)
    assert (done.returncode, done.stdout) == (2, b"")


def _full() -> int:
    return os.open("/dev/full", os.O_WRONLY)


def _left() -> int:
    reader, writer = os.pipe()
    os.close(reader)
    return writer


@pytest.mark.parametrize("words", [[], ["--json"]])
@pytest.mark.parametrize(("gone", "why"), [(_full, "No space left on"), (_left, "Broken pipe")])
def test_a_terminal_that_is_gone_costs_no_report(
    nights: Nights, hook: Hook, tmp_path: Path, capfd: Capture,
    gone: Callable[[], int], why: str, words: list[str],
) -> None:  # fmt: skip
    """Nor the run its place in the history, nor a failure its exit code; and it is told."""
    for run, code in ((BAD, 1), (GOOD, 2)):
        with nights._patch.context() as patched, open(gone(), "w") as out:  # noqa: PTH123
            patched.setattr(sys, "stdout", out)
            assert nights(run, "--out", str(tmp_path / "out"), *words) == code
        said = capfd.readouterr().err
        assert said.startswith(f"mailseal: the result cannot be printed ({why}")
        assert said.count("\n") == 1
    assert {p.name for p in (tmp_path / "out").iterdir()} == {
        *("report.html", "run.json", "junit.xml"),
    }
    assert [document["reasons"][-1] for document in hook.documents] == ["trouble", "trouble"]
    assert nights(GOOD) == 0
    assert main(["diff", "--history", str(nights.where)]) == 0


def test_an_inventory_that_leads_to_itself_is_one_sentence(tmp_path: Path, capfd: Capture) -> None:
    """As one that is not there."""
    (tmp_path / "loop").symlink_to("loop")
    assert main(["audit", "-i", str(tmp_path / "loop"), "--history", "none"]) == 2
    assert capfd.readouterr().err == f"mailseal: there is no inventory {tmp_path / 'loop'}\n"


def test_a_history_that_cannot_be_written_is_told(
    nights: Nights, hook: Hook, tmp_path: Path
) -> None:
    """The result as well, for nobody can look it up."""
    (tmp_path / "file").touch()
    nights.where = tmp_path / "file" / "h.db"
    assert nights(BAD) == 1
    assert reasons(hook) == [["trouble"]]
    assert "1 failed" in hook.documents[0]["text"]


@pytest.mark.parametrize(
    "damage", ["started = '\x1b[2J'", "run = '\x1b[2J', content = x'00'", "untold = 5"]
)
def test_a_damaged_row_costs_neither_the_result_nor_the_news(
    nights: Nights, hook: Hook, capfd: Capture, damage: str
) -> None:
    """Nor does what stands in it reach the terminal."""
    assert nights(GOOD) == 0
    with sqlite3.connect(nights.where) as database:
        database.execute(f"UPDATE mailseal_run SET {damage}")  # noqa: S608 - it is above
    assert nights(BAD, "--keep", "400") == 1
    said = capfd.readouterr()
    assert "1 failed" in said.out
    assert "\x1b" not in said.out + said.err
    assert "1 failed" in hook.documents[0]["text"]
    assert main(["history", "--history", str(nights.where)]) == (2 if "started" in damage else 0)
    assert "\x1b" not in capfd.readouterr().out


def test_a_time_that_was_over_is_told_each_night(nights: Nights, hook: Hook) -> None:
    """Nobody has looked at everything."""
    late = Audit("", [HOST])
    late.late = True
    nights._patch.setattr(Driver, "read", lambda *_: Driver(late))
    assert [nights(DOUBT), nights(DOUBT)] == [3, 3]
    assert reasons(hook) == [["first", "incomplete"], ["incomplete"]]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--notify", "mailto:root", "--history", "none"], "--notify needs a history"),
        (["--notify", "https://h:x/hunter2"], "--notify: the URL cannot be read"),
        (["--mail-relay", "localhost"], "--mail-relay: must be"),
        (["--webhook-secret", "/nonexistent"], "--webhook-secret: /nonexistent: cannot be read"),
        (["--notify", "mailto:root", "--mail-from", "x"], "--mail-from: 'x' is no mail address"),
    ],
)
def test_wrong_words_end_it_before_it_begins(
    nights: Nights, capfd: Capture, words: list[str], sentence: str
) -> None:
    """One sentence, 2, and nothing was looked at."""
    assert nights(BAD, *words) == 2
    said = capfd.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert said.err.startswith(f"mailseal: {sentence}")
    assert "hunter2" not in said.err


@pytest.mark.parametrize("minutes", ["0", "-1", "1441", "x", "1.5", "9" * 30, "\u0663"])
def test_minutes_that_are_none_are_wrong_usage(minutes: str, capfd: Capture) -> None:
    """A day is the most."""
    with pytest.raises(SystemExit) as ended:
        main(["audit", "-i", "/i", f"--within={minutes}"])
    assert ended.value.code == 2
    assert "is no number of minutes from 1 to 1440" in capfd.readouterr().err


@pytest.fixture
def tarpit(tmp_path: Path) -> Iterator[Path]:
    """The inventory of a host that takes every connection and never says a word."""

    def silent(link: socket.socket) -> None:
        link.recv(1)
        time.sleep(20)

    with listening(silent) as port:
        path = tmp_path / "slow.yaml"
        path.write_text(INVENTORY % port)
        yield path


def audit_of(inventory: Path, seconds: float) -> tuple[int, Run, Audit]:
    """An audit with so much time, looked at from inside."""
    driver = Driver.read(str(inventory))
    driver.audit.until = time.monotonic() + seconds
    run = runner.run(driver)
    return driver.audit.steps, run, driver.audit


def test_what_was_not_asked_in_time_is_inconclusive(tarpit: Path) -> None:
    """No check passes, none fails, none is missing, and the run says that it is not whole."""
    _, run, audit = audit_of(tarpit, 0.0)
    assert audit.late
    assert {f.verdict for f in run.findings} == {"inconclusive"}
    assert run.executed == run.planned > 0
    assert {e.reach for e in run.endpoints} == {"not-asked"}
    assert "The time for this audit was over" in run.notices[0]
    assert "1 of 1 endpoints" in run.notices[0]


def test_a_host_that_hangs_does_not_stretch_the_time(tarpit: Path) -> None:
    """One connection more, at most."""
    started = time.monotonic()
    _, run, audit = audit_of(tarpit, 2.0)
    assert time.monotonic() - started < 60  # without an end it takes minutes
    assert audit.late
    assert "pass" not in {f.verdict for f in run.findings}


def test_enough_time_is_not_noticed(tarpit: Path) -> None:
    """Where all was looked at, nothing is said."""
    run = GOOD
    audit = Audit("", [HOST])
    audit.until = time.monotonic() + 3600
    assert (audit.late, audit.run().notices) == (False, ())
    assert run.notices == ()


@pytest.fixture
def held(tmp_path: Path, tarpit: Path) -> Iterator[Callable[[], "subprocess.Popen[str]"]]:
    """Starts an audit that takes long, and waits until it has begun."""
    running: list[subprocess.Popen[str]] = []

    def start() -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [str(BIN / "mailseal"), *_words(tarpit, tmp_path, "--pace", "slow")],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        end = time.monotonic() + 60
        while not any(p.stat().st_size for p in tmp_path.glob("*.lock")):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < end
            time.sleep(0.05)
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


def _words(inventory: Path, home: Path, *more: str) -> list[str]:
    return ["audit", "-i", str(inventory), "--history", str(home / "h.db"), *more]


def test_a_second_audit_says_who_the_first_is_and_a_killed_one_holds_nothing(
    held: Callable[[], "subprocess.Popen[str]"], tarpit: Path, tmp_path: Path, capfd: Capture
) -> None:
    """It ends with 2 and tells whom it should; after kill -9 the next goes on at once."""
    first = held()
    done = subprocess.run(
        [str(BIN / "mailseal"), *_words(tarpit, tmp_path, "--notify", "mailto:root",
                                        "--mail-relay", "smtp://127.0.0.1:1")],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    told, failed = done.stderr.splitlines()
    assert told == "mailseal: mailto:root: was not told: smtp://127.0.0.1:1: Connection refused"
    assert f"another audit of it is running (process {first.pid} of " in failed
    first.send_signal(signal.SIGKILL)
    first.wait(30)
    tarpit.write_text(INVENTORY % free_port())  # nobody waits for a closed port
    code = main(_words(tarpit, tmp_path, "--json"))
    document = json.loads(capfd.readouterr().out)
    assert code in (1, 3)
    assert any("did not come to its end" in notice for notice in document["notices"])
