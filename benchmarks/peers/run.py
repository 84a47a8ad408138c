"""One command, bounded in time: how long it took, how much memory, how many connections."""

import os
import resource
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.daemons.cell import inside

_SETTLE = 3.0
_PLAIN = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"}


@dataclass(frozen=True)
class Ran:
    """What came of a command.

    Attributes:
        seconds: wall time, from its start to its end.
        peak: MiB that its largest process had; see `mebibytes`.
        connections: what the counter says more than before.
        code: its exit code.
        late: whether it had to be ended.
        output, errors: what it said.
    """

    seconds: float
    peak: float
    connections: int
    code: int
    late: bool
    output: str
    errors: str


def run(  # noqa: PLR0913 - each of them is one fact about the run
    words: Sequence[str],
    netns: Path,
    *,
    limit: float,
    count: Callable[[], int],
    environment: Mapping[str, str] = _PLAIN,
    cwd: Path = Path("/"),
) -> Ran:
    """Run it in a network namespace; whoever called must be the main thread."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        before = count()
        with inside(netns):
            start = time.monotonic()
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
                start_new_session=True,
                env=environment,
                cwd=cwd,
            )
            late = threading.Event()
            alarm = threading.Timer(limit, _end, (process.pid, late))
            alarm.start()
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.monotonic() - start
        alarm.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        texts = []
        for file in (out, errors):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
        peak = usage.ru_maxrss / 1024
        connections = count() - before
        return Ran(seconds, peak, connections, process.returncode, late.is_set(), *texts)


def mebibytes(peak: float) -> str:
    """A peak in words: Linux counts what we had when we started a process as the process's own."""
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return f"{peak:.0f}" if peak > ours + 1 else f"under {ours:.0f}"


def settle(still_open: Callable[[], int]) -> None:
    """Wait until a server is done with whoever asked it last."""
    end = time.monotonic() + _SETTLE
    while still_open() and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(0.2)


def _end(group: int, late: threading.Event) -> None:
    late.set()
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
