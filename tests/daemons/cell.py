"""A place for one daemon: a Debian root with its own layer, and namespaces that end with us."""

import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from socket import create_connection

from audit.errors import MailsealError
from audit.facts import Endpoint, Mode, Service
from audit.namespace import enter
from lab import paths
from tests.daemons import roots

_CELL = Path(__file__).with_name("cell.sh")
_ADDRESS = "192.0.2.1"  # as in cell.sh; RFC 5737, never a real one
_SECONDS = 30.0
# A shell stays the first process: one that gains privileges as it starts, as Exim does, would
# lose the tie to its parent (prctl(2), PR_SET_PDEATHSIG), and live on.
_FIRST = ("/bin/sh", "-c", "/bin/sh /start; exit $?")

Ports = Mapping[int, tuple[Service, Mode]]


@dataclass(frozen=True)
class Server:
    """A daemon that listens.

    Attributes:
        address: where it listens.
        ports: what each port speaks.
        netns: the namespace to ask it from.
        own_netns: the namespace it is in, for the kernel's counters.
        logs: the directory it logs to.
    """

    address: str
    ports: Ports
    netns: Path
    own_netns: Path
    logs: Path

    def endpoints(self, host: str, *ports: int) -> list[Endpoint]:
        """These ports, or all of them, as the prober takes them."""
        return [
            Endpoint(host, self.address, port, *self.ports[port], "localhost")
            for port in ports or self.ports
        ]


@contextmanager
def inside(netns: Path) -> Iterator[None]:
    """Be in a network namespace, this thread and what it starts; afterwards back where it was."""
    with Path("/proc/thread-self/ns/net").open(encoding="ascii") as home:
        enter(str(netns))
        try:
            yield
        finally:
            enter(f"/proc/self/fd/{home.fileno()}")


@contextmanager
def cell(
    root: str, folder: Path, files: Mapping[str, str | bytes], start: str, ports: Ports
) -> Iterator[Server]:
    """Run a shell script over a root; it becomes the daemon.

    *folder* takes what the daemon writes. Must be entered by the main thread: the kernel ends the
    daemon when the thread that started it ends, so that not even a killed run leaves it behind.

    Raises:
        RuntimeError: the daemon ended, or does not listen in time; with its last words.
    """
    base = roots.root(root)
    for name in ("upper", "work", "root"):
        (folder / name).mkdir(parents=True)
        (folder / name).chmod(0o755)
    for name, content in {**files, "start": f"set -eu\n{start}"}.items():
        _write(base, folder / "upper", name, content)
    console = folder / "console"
    words = ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "bash", str(_CELL), "clients"]
    words += [str(paths.PACKAGE / "boot.sh"), str(base), str(folder), root, *_FIRST]
    with (
        console.open("wb") as out,
        subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd="/") as held,
    ):
        try:
            netns = Path(f"/proc/{held.pid}/ns/net")
            _wait(held, netns, ports, console)
            own = Path(f"/proc/{_children(held.pid)[0]}/ns/net")
            yield Server(_ADDRESS, ports, netns, own, folder / "upper/var/log")
        finally:
            _end(held)
            for name in ("work", "root"):  # the kernel's, and of no use to who looks at the rest
                shutil.rmtree(folder / name)


def _write(base: Path, upper: Path, name: str, content: str | bytes) -> None:
    path = upper / name
    # A directory made here stands before the root's own: it must have the same owner and mode.
    for parent in reversed(Path(name).parents[:-1]):
        if not (upper / parent).exists():
            (upper / parent).mkdir()
            (upper / parent).chmod(0o755)
            if (base / parent).is_dir():
                shutil.copystat(base / parent, upper / parent)
                owner = (base / parent).stat()
                os.chown(upper / parent, owner.st_uid, owner.st_gid)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(0o644)


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(word) for word in listed.split()]


def _end(held: "subprocess.Popen[bytes]") -> None:
    """End the first process by its parent, and wait until all that it started has gone with it."""
    with suppress(OSError):  # it ended by itself
        first = [os.pidfd_open(pid) for pid in _children(held.pid)]
        held.kill()
        for descriptor in first:
            select.select([descriptor], [], [], _SECONDS)
            os.close(descriptor)
    held.kill()


def _wait(held: "subprocess.Popen[bytes]", netns: Path, ports: Ports, console: Path) -> None:
    end = time.monotonic() + _SECONDS
    ours = Path("/proc/self/ns/net").readlink()
    waiting = set(ports)
    while waiting and time.monotonic() < end and held.poll() is None:
        # An end between two looks takes the namespace along: the loop's condition sees it next.
        with suppress(OSError, MailsealError):
            if netns.readlink() != ours:
                with inside(netns):
                    for port in sorted(waiting):
                        create_connection((_ADDRESS, port), 1).close()
                        waiting.discard(port)
        time.sleep(0.05)
    if waiting:
        words = console.read_text(encoding="utf-8", errors="replace")
        raise RuntimeError(f"nothing listens on {sorted(waiting)}: {words[-2000:]}")
