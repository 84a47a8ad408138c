"""Find the lab's processes by their network namespace: no pid file can be stale or missing."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from lab import net, paths
from lab.errors import LabError

_KILL_LIMIT = 10.0
_LISTEN = "0A"


@dataclass(frozen=True)
class Process:
    """A process of the lab as the real machine numbers it, and its number inside the host."""

    pid: int
    space: str
    inner: tuple[int, ...]

    @property
    def is_init(self) -> bool:
        """Whether it is the first process of a host: killing it ends the host."""
        return len(self.inner) == 1 and self.inner[0] == 1


def everyone() -> list[Process]:
    """Return every process in one of the lab's namespaces, our own and our parents' left out."""
    spaces = {}
    for name in net.spaces():
        status = (paths.NETNS / name).stat()
        spaces[status.st_dev, status.st_ino] = name
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            status = (entry / "ns" / "net").stat()
            space = spaces.get((status.st_dev, status.st_ino))
            if space:
                found.append(Process(int(entry.name), space, _inner(entry)))
        except OSError:
            continue  # it ended while we looked, or belongs to somebody above us
    ours = _ancestors()
    return [process for process in found if process.pid not in ours]


def inits() -> dict[str, int]:
    """Return host name → pid of its first process, for the hosts that run."""
    return {
        process.space.removeprefix(paths.PREFIX): process.pid
        for process in everyone()
        if process.is_init
    }


def inhabited() -> set[str]:
    """Return the hosts in which any process lives, be it one that is still starting."""
    return {process.space.removeprefix(paths.PREFIX) for process in everyone()}


def kill(victims: list[Process]) -> None:
    """Kill processes and wait until they are gone; raises LabError when one will not go."""
    for process in victims:
        _signal(process.pid)
    deadline = time.monotonic() + _KILL_LIMIT
    left = [process.pid for process in victims]
    while left:
        left = [pid for pid in left if _alive(pid)]
        if left and time.monotonic() > deadline:
            raise LabError(f"process {left[0]} of the lab does not end")
        if left:
            time.sleep(0.01)


def listening(pid: int) -> set[tuple[str, int]]:
    """Return (family, port) of every TCP socket that listens in the namespace of a process."""
    found = set()
    for family, name in (("ipv4", "tcp"), ("ipv6", "tcp6")):
        try:
            lines = Path(f"/proc/{pid}/net/{name}").read_text(encoding="ascii").splitlines()
        except (FileNotFoundError, ProcessLookupError, OSError):
            continue
        for line in lines[1:]:
            words = line.split()
            if words[3] == _LISTEN:
                found.add((family, int(words[1].rsplit(":", 1)[1], 16)))
    return found


def _inner(entry: Path) -> tuple[int, ...]:
    """Return the numbers of a process in the pid namespaces below ours."""
    for line in (entry / "status").read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("NSpid:"):
            return tuple(int(word) for word in line.split()[2:])
    return ()


def _ancestors() -> set[int]:
    pid = os.getpid()
    found = set()
    while pid > 0 and pid not in found:
        found.add(pid)
        try:
            text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            break
        pid = int(text.rsplit(")", 1)[1].split()[1])
    return found


def _signal(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _alive(pid: int) -> bool:
    """Whether a process still runs; a zombie that its parent has not read does not."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return text.rsplit(")", 1)[1].split()[0] not in "ZX"
