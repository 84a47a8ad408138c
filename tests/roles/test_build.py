"""How a build is started, watched and ended: the shell of mailseal_build, and run.py."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.commands import ROOT
from tests.plugins import plugin

ROLE = ROOT / "roles" / "package"
RELEASE = "1.0123abcd"


PLUGIN = plugin("package/action_plugins/mailseal_build.py")


class Host:
    """A directory to build in, and what the plugin does there."""

    def __init__(self, home: Path) -> None:
        """Prepare it as the role does."""
        self.home = home
        (home / "tools").mkdir()
        shutil.copy(ROLE / "files" / "run.py", home / "tools")
        self.told("true")

    def told(self, script: str, release: str = RELEASE) -> None:
        step = {"name": "compile", "script": script, "tick": "", "count": ""}
        plan = {"release": release, "sources": {}, "environment": {}, "steps": [step]}
        (self.home / "plan.json").write_text(json.dumps(plan), encoding="utf-8")

    def shell(self, script: str) -> str:
        command = script.format(home=shlex.quote(str(self.home)))
        done = subprocess.run(
            ["sh", "-c", command], capture_output=True, text=True, check=False, timeout=60
        )
        return done.stdout

    def start(self) -> str:
        return self.shell(PLUGIN.START)

    def look(self) -> dict[str, str]:
        found: dict[str, str] = PLUGIN.read(self.shell(PLUGIN.LOOK))
        return found

    def ended(self, release: str = RELEASE) -> dict[str, Any] | None:
        end: dict[str, Any] | None = PLUGIN.ended(self.look(), release)
        return end

    def pid(self) -> int:
        until(lambda: (self.home / "pid").exists() and (self.home / "status").exists())
        return int((self.home / "pid").read_text(encoding="ascii"))


def until(what: Callable[[], Any]) -> Any:
    """Wait for it, and return what it gave."""
    for _ in range(300):
        if found := what():
            return found
        time.sleep(0.1)
    raise AssertionError("it never came to that")


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """With a blank in its name; what still runs at the end is ended."""
    home = tmp_path / "a place"
    home.mkdir()
    made = Host(home)
    yield made
    made.shell(PLUGIN.STOP)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not Path(f"/proc/{pid}/stat").read_text().split(")")[1].startswith(" Z")


def test_a_build_is_watched_to_its_end(host: Host) -> None:
    """While it runs there is no end, and it is never taken for gone."""
    host.told("mkdir product; echo x >product/x@y.deb; sleep 2")
    assert PLUGIN.read_busy(host.start()) == ""
    assert host.ended() is None
    end = until(host.ended)
    assert end["failed"] == ""
    assert list(end["products"]) == ["x@y.deb"]
    assert not (host.home / "pid").exists()


def test_what_is_built_has_the_modes_that_hosts_need(host: Host) -> None:
    """Whatever root's umask is on the host that builds."""
    host.told("mkdir product; umask >product/umask")
    before = os.umask(0o077)
    try:
        host.start()
    finally:
        os.umask(before)
    assert until(host.ended)["failed"] == ""
    assert (host.home / "product" / "umask").read_text() == "0022\n"


def test_lines_of_a_compiler_do_not_end_a_sentence(host: Host) -> None:
    """Whatever signs they have."""
    host.told(
        "echo 'x.c:1: error: stray @ in program'; echo @; printf 'gone\\nresult {}\\n'; false"
    )
    host.start()
    end = until(host.ended)
    assert end["failed"] == "compile"
    assert end["words"] == ["x.c:1: error: stray @ in program", "@", "gone", "result {}"]


def test_a_second_run_says_who_builds(host: Host) -> None:
    """And touches nothing of it."""
    host.told("sleep 30")
    host.start()
    pid = host.pid()
    said = PLUGIN.read_busy(host.start())
    assert said == (
        f"process {pid} builds it on this host already, now at: compile; wait for it, or end it"
        f" (kill -- -{pid})"
    )
    assert _lives(pid)
    assert host.ended() is None


def test_what_takes_too_long_is_ended_with_all_that_it_started(host: Host) -> None:
    """The next one can begin at once."""
    host.told("sleep 30 & echo $! >child; wait")
    host.start()
    pid = host.pid()
    child = int(until(lambda: (host.home / "child").exists() and (host.home / "child").read_text()))
    host.shell(PLUGIN.STOP)
    until(lambda: not _lives(pid) and not _lives(child))
    assert PLUGIN.ended(host.look(), RELEASE)["words"] == ["it was ended from outside"]
    host.told("true")
    assert PLUGIN.read_busy(host.start()) == ""
    assert until(host.ended)["failed"] == ""


def test_a_stranger_with_an_old_number_is_left_alone(host: Host) -> None:
    """After a restart of the host the number may be anybody's, even a build's elsewhere."""
    stranger = subprocess.Popen(["sleep", "30"], start_new_session=True, cwd=host.home)
    elsewhere = host.home / "elsewhere"
    elsewhere.mkdir()
    other = Host(elsewhere)
    other.told("sleep 30")
    other.start()
    try:
        for pid in (stranger.pid, other.pid()):
            (host.home / "pid").write_text(f"{pid}\n", encoding="ascii")
            host.shell(PLUGIN.STOP)
            assert _lives(pid)
    finally:
        other.shell(PLUGIN.STOP)
        stranger.kill()
        stranger.wait()


def test_the_result_of_another_build_is_not_taken(host: Host) -> None:
    """Two runs prepared the place, and one of them was faster."""
    host.told("true", release="1.ffffffff")
    host.start()
    end = until(host.ended)
    assert end["failed"]
    assert end["words"] == [f"another run builds 1.ffffffff there, and this one wants {RELEASE}"]


def test_one_that_is_gone_is_said_to_be(host: Host) -> None:
    """Killed, or never begun: there is a sentence in any case."""
    host.told("sleep 30")
    host.start()
    os.killpg(host.pid(), signal.SIGKILL)
    assert until(host.ended)["words"] == ["it was ended from outside"]
    (host.home / "tools" / "run.py").write_text("raise SystemExit('no such luck')")
    host.start()
    assert until(host.ended)["words"] == ["it was ended from outside: no such luck"]
    shutil.rmtree(host.home)
    assert host.ended() is not None
    host.home.mkdir()


def test_a_result_that_cannot_be_read_is_a_failure() -> None:
    """And no exception of the plugin's."""
    end = PLUGIN.ended({"status": "compile", "result": '{"failed": "'}, RELEASE)
    assert end == {"failed": "compile", "words": ["its result cannot be read"]}
