"""One host: its layer of files over the shared root, its start, and commands run inside it."""

import os
import shutil
import subprocess
import time
from pathlib import Path

from lab import net, paths, processes
from lab.dns import Files
from lab.errors import LabError
from lab.shell import run
from lab.topology import Host, Topology

_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SSH = 22
# By then a first process has begun, even on a machine under load.
_STARTED = 5.0


def prepare(host: Host, topology: Topology, public_key: str, more: Files) -> None:
    """Write what makes a host this one: its name, the resolvers, the key that opens it.

    *more* is beyond that, path → (content, mode).
    """
    home = paths.host(host.name)
    for name in ("upper", "work", "root"):
        (home / name).mkdir(parents=True, exist_ok=True)
    servers = "".join(f"nameserver {peer.ipv4}\n" for peer in topology.group("resolver"))
    own = "".join(
        f"{address}\t{host.server_name} {host.name}\n" for address in (host.ipv4, host.ipv6)
    )
    loopback = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
    files = {
        "etc/hostname": (host.name + "\n", 0o644),
        "etc/hosts": (loopback + own, 0o644),
        "etc/mailname": (host.server_name + "\n", 0o644),
        "etc/resolv.conf": (servers, 0o644),
        "root/.ssh/authorized_keys": (public_key, 0o600),
    }
    written = {name: (text.encode(), mode) for name, (text, mode) in files.items()}
    for name, (content, mode) in (written | more).items():
        _write(home / "upper", name, content, mode)


def _write(upper: Path, name: str, content: bytes, mode: int) -> None:
    path = upper / name
    # A directory made here hides the root's own, owner and mode included: /root must stay closed.
    for parent in reversed(path.relative_to(upper).parents[:-1]):
        (upper / parent).mkdir(exist_ok=True)
        (upper / parent).chmod(0o700 if parent.parts[0] == "root" else 0o755)
    path.write_bytes(content)
    path.chmod(mode)


def start(host: Host, base: Path) -> None:
    """Start a host's first process; it outlives us and everything in it ends with it."""
    home = paths.host(host.name)
    # The launcher must leave nothing open to us, or a pipe of our caller would never end.
    with (home / "console.log").open("ab") as console:
        subprocess.run(
            [
                *("setsid", "--fork", "nsenter", f"--net={paths.NETNS / net.namespace(host.name)}"),
                *("unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child"),
                *("bash", str(paths.PACKAGE / "boot.sh"), str(base), str(home), host.name),
            ],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            cwd="/",
            check=True,
        )


def wait_for_ssh(hosts: tuple[Host, ...], seconds: float) -> None:
    """Wait until every host's sshd listens in both families.

    Raises LabError naming one that does not in time, or that ended as it started.
    """
    began = time.monotonic()
    waiting = {host.name for host in hosts}
    while waiting:
        alive = processes.inits()
        waiting -= {name for name in waiting if name in alive and answers(alive[name])}
        waited = time.monotonic() - began
        ended = waiting - processes.inhabited() if waited > _STARTED else set()
        if ended:
            raise LabError(f"{min(ended)} ended as it started: {_last_words(min(ended))}")
        if waiting and waited > seconds:
            name = min(waiting)
            raise LabError(f"{name} does not answer SSH in time; {_last_words(name)}")
        if waiting:
            time.sleep(0.05)


def _last_words(name: str) -> str:
    console = paths.host(name) / "console.log"
    lines = console.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return f"{lines[-1] if lines else 'no word from it'} ({console})"


def answers(pid: int) -> bool:
    """Whether the host of that first process listens for SSH on IPv4 and IPv6."""
    return {("ipv4", _SSH), ("ipv6", _SSH)} <= processes.listening(pid)


def require_running(name: str) -> int:
    """Return the pid of a host's first process; raises LabError when the host does not run."""
    pid = processes.inits().get(name)
    if pid is None:
        raise LabError(f"{name} does not run; `mailseal lab up` starts it")
    return pid


def enter(pid: int) -> list[str]:
    """Return the words that, put before a command, run it inside the host of that process."""
    return [
        *("nsenter", "-t", str(pid), "-m", "-p", "-u", "-i", "-n", "-r", "-w"),
        *("env", "-i", _PATH, "LC_ALL=C.UTF-8", "HOME=/root", "TERM=linux"),
    ]


def execute(name: str, argv: list[str], *, stdin: str = "", timeout: float = 60) -> str:
    """Run a command inside a host and return its output; raises LabError when it fails."""
    words = enter(require_running(name)) + argv
    return run(words, stdin=stdin, timeout=timeout, what=f"{argv[0]} on {name}")


def forget(name: str) -> None:
    """Remove what a host ever wrote."""
    shutil.rmtree(paths.host(name), ignore_errors=True)


def make_key() -> str:
    """Return the public half of the lab's SSH key, making the pair first if there is none."""
    key = paths.ssh_key()
    public = key.with_suffix(".pub")
    if not (key.exists() and public.exists()):
        key.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        key.unlink(missing_ok=True)
        public.unlink(missing_ok=True)
        comment = f"mailseal-lab@{os.uname().nodename}"
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(key)])
    return public.read_text(encoding="ascii")
