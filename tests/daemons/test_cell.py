"""What runs a daemon takes everything away again, however the run ends."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.daemons.cell import Server, cell
from tests.daemons.dovecot import PORTS
from tests.daemons.settings import Tls
from tests.daemons.table import CASES, Daemon
from tests.servers import Pki

pytestmark = [pytest.mark.daemons, pytest.mark.usefixtures("namespaces")]
ROOT = Path(__file__).parents[2]
# Every daemon once: each starts processes, and drops or gains privileges, in its own way.
DAEMONS = sorted({case.daemon for case in CASES}, key=lambda daemon: daemon.__name__)
_KILLED = """
import sys, time
from pathlib import Path
from tests.daemons import table
from tests.daemons.settings import Tls
from tests.servers import make_pki
folder = Path(sys.argv[1])
with getattr(table, sys.argv[2])(make_pki(folder), folder / "cell", Tls()) as server:
    print(server.netns.readlink(), server.own_netns.readlink(), flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("daemon", DAEMONS)
def test_a_failed_test_leaves_nothing_behind(daemon: Daemon, pki: Pki, tmp_path: Path) -> None:
    """No process in either namespace, no mount; what it said stays to be read."""
    spaces: set[str] = set()

    def fail(server: Server) -> None:
        spaces.update(map(str, (server.netns.readlink(), server.own_netns.readlink())))
        raise ValueError("the test")

    with pytest.raises(ValueError, match="the test"), daemon(pki, tmp_path / "cell", Tls()) as s:
        fail(s)
    assert len(spaces) == 2
    assert _inhabitants(spaces) == set()
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text(encoding="utf-8")
    assert (tmp_path / "cell/console").exists()
    assert not (tmp_path / "cell/work").exists()


@pytest.mark.parametrize("daemon", DAEMONS)
def test_a_killed_run_leaves_nothing_behind(daemon: Daemon, tmp_path: Path) -> None:
    """The kernel ends what nobody is left to end."""
    command = [sys.executable, "-c", _KILLED, str(tmp_path), daemon.__name__]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as run:
        spaces = set(run.stdout.readline().split()) if run.stdout else set()
        assert len(_inhabitants(spaces)) > 2
        run.send_signal(signal.SIGKILL)
    end = time.monotonic() + 10
    while _inhabitants(spaces) and time.monotonic() < end:
        time.sleep(0.05)
    assert _inhabitants(spaces) == set()


def test_a_daemon_that_does_not_start_says_why(tmp_path: Path) -> None:
    """Its last words are in the error, and nothing of it is left."""
    start = "echo no such daemon >&2; exit 1"
    with (
        pytest.raises(RuntimeError, match="no such daemon"),
        cell("dovecot-postfix", tmp_path / "cell", {}, start, PORTS),
    ):
        pass
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text(encoding="utf-8")


def _inhabitants(spaces: set[str]) -> set[int]:
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str((process / "ns/net").readlink()) in spaces:
                found.add(int(process.name))
        except OSError:
            continue  # it ended
    return found
