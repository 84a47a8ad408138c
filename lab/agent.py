"""Break and mend a host, from inside it: this file is sent to the host's own Python and run there.

So it imports nothing but the standard library, and nothing of the rest of the lab; the sender adds
the line that calls `main`. Every file is saved before its first change; mending puts all of them
back, times and owners included.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

STORE = Path("/var/lib/mailseal-lab-fault")
# For each daemon: its init script, what its processes run, and its pid file.
SERVICES = {
    "cyrus": (
        "cyrus-imapd",
        ("/usr/sbin/cyrmaster", "/usr/lib/cyrus/bin/"),
        "/run/cyrus-master.pid",
    ),
    "exim": ("exim4", ("/usr/sbin/exim4",), "/run/exim4/exim.pid"),
}
PORTS_LIMIT = 20.0
_SETTLE = 0.3
_LISTEN = "0A"


class RefusalError(Exception):
    """The host is not as the change needs it; the text is a sentence for the user."""


def main(job: dict[str, Any]) -> dict[str, Any]:
    """Do one job (break, mend or list) and return what is broken afterwards, or the error."""
    store = Store(STORE)
    try:
        if job["action"] == "break":
            _break(store, job)
        elif job["action"] == "mend":
            _mend(store)
    except RefusalError as refusal:
        return {"error": str(refusal), "faults": store.faults}
    return {"faults": store.faults}


class Store:
    """What is broken on this host and what the files were before: a manifest and copies."""

    def __init__(self, home: Path) -> None:
        """Read what an earlier job left, if anything."""
        self.home = home
        self._manifest = home / "manifest.json"
        try:
            kept = json.loads(self._manifest.read_text(encoding="utf-8"))
        except FileNotFoundError:
            kept = {}
        self.faults: list[str] = kept.get("faults", [])
        self.services: list[str] = kept.get("services", [])
        self.ports: list[tuple[str, int]] = [(f, n) for f, n in kept.get("ports", [])]
        self.saved: dict[str, bool] = kept.get("saved", {})
        self.modes: dict[str, int] = kept.get("modes", {})
        self.times: dict[str, list[int]] = kept.get("times", {})

    def write(self) -> None:
        """Put the manifest on disk; it names a file before that file is touched."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        kept = {
            "faults": self.faults,
            "services": self.services,
            "ports": sorted(self.ports),
            "saved": self.saved,
            "modes": self.modes,
            "times": self.times,
        }
        temporary = self._manifest.with_suffix(".new")
        temporary.write_text(json.dumps(kept, indent=1), encoding="utf-8")
        temporary.replace(self._manifest)

    def save(self, path: Path) -> None:
        """Keep a file as it is now, or the fact that it is not there, unless already kept."""
        absent = _topmost_missing(path)
        name = str(absent or path)
        if name in self.saved:
            return
        directory = Path(name).parent
        if str(directory) not in self.times:
            status = directory.stat()
            self.times[str(directory)] = [status.st_atime_ns, status.st_mtime_ns]
        if absent is None:
            copy = self._copy(path)
            copy.parent.mkdir(parents=True, exist_ok=True)
            _copy_exactly(path, copy)
        self.saved[name] = absent is None
        self.write()

    def save_mode(self, path: Path) -> None:
        """Keep the mode of a file or directory, unless it or its copy is already kept."""
        if str(path) not in self.saved:
            self.modes.setdefault(str(path), path.stat().st_mode & 0o7777)
            self.write()

    def restore(self) -> None:
        """Put every file back as it was, content, mode, owner and times, and remove new ones."""
        for name, existed in self.saved.items():
            path = Path(name)
            if existed:
                temporary = path.with_name(path.name + ".mending")
                _copy_exactly(self._copy(path), temporary)
                temporary.replace(path)
            elif path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        for name, mode in self.modes.items():
            Path(name).chmod(mode)
        for directory, (accessed, changed) in self.times.items():
            os.utime(directory, ns=(accessed, changed))

    def forget(self) -> None:
        """Remove the copies: the host is whole."""
        shutil.rmtree(self.home, ignore_errors=True)
        self.faults, self.services, self.ports = [], [], []
        self.saved, self.modes, self.times = {}, {}, {}

    def _copy(self, path: Path) -> Path:
        return self.home / "files" / str(path).lstrip("/")


def _break(store: Store, job: dict[str, Any]) -> None:
    name, service = job["fault"], job["service"]
    if name in store.faults:
        raise RefusalError(f"already has the fault {name}")
    if service and not pids(service):
        raise RefusalError(f"runs no {service} to break; roll out the configuration first")
    first = not store.faults
    if first:
        # What has to listen again after mending, whatever faults are heaped up until then.
        store.ports = sorted(listening())
    before = listening()
    if service and service not in store.services:
        store.services.append(service)
    store.faults.append(name)
    store.write()
    try:
        for change in job["changes"]:
            CHANGES[change["op"]](store, change)
        if service and job["restart"]:
            restart(service)
            closed, opened = set(job["closed"]), set(job["opened"])
            wait_for({one for one in before if one[1] not in closed}, opened)
    except (RefusalError, OSError) as error:
        if first:
            _mend(store)
            raise RefusalError(f"could not get the fault {name}: {error}") from None
        raise RefusalError(f"has the fault {name} only in part ({error}); mend it") from None


def _mend(store: Store) -> None:
    if not store.faults:
        raise RefusalError("has nothing to mend")
    store.restore()
    for service in store.services:
        restart(service)
    wait_for(set(store.ports), set())
    store.forget()


# The changes. Each takes the store and its parameters, and saves what it touches first.


def _write(store: Store, change: dict[str, Any]) -> None:
    path = _real(change["path"])
    store.save(path)
    _replace(path, change["content"], change.get("mode"))


def _append(store: Store, change: dict[str, Any]) -> None:
    path = _real(change["path"])
    store.save(path)
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if text and not text.endswith("\n"):
        text += "\n"
    _replace(path, text + change["text"] + "\n")


def _substitute(store: Store, change: dict[str, Any]) -> None:
    path = _real(change["path"])
    if not path.exists():
        if change.get("optional"):
            return
        raise RefusalError(f"{path} is not there")
    text, count = re.subn(
        change["pattern"],
        change["replacement"],
        path.read_text(encoding="utf-8"),
        flags=re.MULTILINE,
    )
    if not count:
        if change.get("optional"):
            return
        raise RefusalError(f"{path} has no line like {change['pattern']}")
    store.save(path)
    _replace(path, text)


def _option(store: Store, change: dict[str, Any]) -> None:
    """Set an option of imapd.conf; given twice it would be fatal, so the old line goes."""
    path = _real(change["path"])
    store.save(path)
    text = path.read_text(encoding="utf-8")
    value = change.get("value", "")
    if "base" in change:
        value = _derived(_value(path, text, change["base"]), change)
    lines = [line for line in text.splitlines() if not line.startswith(change["key"] + ":")]
    _replace(path, "\n".join([*lines, f"{change['key']}: {value}"]) + "\n")


def _copy(store: Store, change: dict[str, Any]) -> None:
    """Copy a file with its owner and mode: the daemon has to be able to read it as well."""
    source, path = _real(change["source"]), Path(change["path"])
    store.save(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _copy_exactly(source, path)


def _chmod(store: Store, change: dict[str, Any]) -> None:
    path = _real(change["path"])
    if not path.exists():
        raise RefusalError(f"{path} is not there")
    store.save_mode(path)
    path.chmod(int(change["mode"], 8))


def _twin(store: Store, change: dict[str, Any]) -> None:
    """Replace a library by its own copy, as an upgrade does: same bytes, another inode."""
    for path in _libraries(change["library"]):
        store.save(path)
        temporary = path.with_name(path.name + ".new")
        _copy_exactly(path, temporary)
        temporary.replace(path)


def _grow(store: Store, change: dict[str, Any]) -> None:
    """Put a byte behind the end of a program: it runs as before, and is not what was installed."""
    path = _real(change["path"])
    store.save(path)
    temporary = path.with_name(path.name + ".new")
    _copy_exactly(path, temporary)
    with temporary.open("ab") as program:
        program.write(b"\0")
    temporary.replace(path)


def _elsewhere(store: Store, change: dict[str, Any]) -> None:
    """Put a copy of a library into another directory, under the name that programs ask for."""
    directory = Path(change["path"])
    store.save(directory)
    directory.mkdir(parents=True, exist_ok=True)
    for name in change["libraries"]:
        for path in _libraries(name):
            shutil.copy2(path, directory / name)


CHANGES: dict[str, Callable[[Store, dict[str, Any]], None]] = {
    "write": _write,
    "append": _append,
    "substitute": _substitute,
    "option": _option,
    "copy": _copy,
    "chmod": _chmod,
    "twin": _twin,
    "grow": _grow,
    "elsewhere": _elsewhere,
}


def _value(path: Path, text: str, key: str) -> str:
    found = re.search(rf"^{re.escape(key)}:\s*(.*)$", text, flags=re.MULTILINE)
    if not found:
        raise RefusalError(f"{path} has no option {key}")
    return found[1].strip()


def _derived(value: str, change: dict[str, Any]) -> str:
    """Return a cipher list reversed or with more at its end; commands like @SECLEVEL stay last."""
    words = value.split(":")
    suites = [word for word in words if word and not word.startswith(("@", "!", "-"))]
    rest = [word for word in words if word.startswith(("@", "!", "-"))]
    if change.get("reverse"):
        suites.reverse()
    return ":".join([*suites, *rest, *change.get("add", [])])


def _libraries(name: str) -> list[Path]:
    found = sorted({one.resolve() for one in Path("/usr/lib").glob(f"*/{name}")})
    if not found:
        raise RefusalError(f"there is no {name}")
    return found


def _real(name: str) -> Path:
    return Path(os.path.realpath(name))


def _topmost_missing(path: Path) -> Path | None:
    """Return the highest part of a path that does not exist, or None when all of it does."""
    missing = None
    while not os.path.lexists(path):
        missing = path
        path = path.parent
    return missing


def _copy_exactly(source: Path, target: Path) -> None:
    words = ["cp", "--archive", "--remove-destination", str(source), str(target)]
    subprocess.run(words, check=True, capture_output=True)


def _replace(path: Path, text: str, mode: str | None = None) -> None:
    """Give a file new content at one stroke, its owner and mode kept."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".breaking")
    temporary.write_text(text, encoding="utf-8")
    if path.exists():
        status = path.stat()
        os.chown(temporary, status.st_uid, status.st_gid)
        temporary.chmod(status.st_mode & 0o7777)
    if mode:
        temporary.chmod(int(mode, 8))
    temporary.replace(path)


def pids(service: str) -> list[int]:
    """Return the processes of a daemon, children that serve somebody included."""
    found = []
    for number in _numbers():
        try:
            program = str(Path(f"/proc/{number}/exe").readlink())
        except OSError:
            continue
        if program.startswith(SERVICES[service][1]):
            found.append(number)
    return found


def _numbers() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal())


def restart(service: str) -> None:
    """Start a daemon anew and let no old process go on serving with what it read long ago."""
    script, _, pid_file = SERVICES[service]
    _init_script(script, "stop")
    deadline = time.monotonic() + 2
    while pids(service) and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in pids(service):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    # A pid file that outlives its process can name an innocent one by now.
    Path(pid_file).unlink(missing_ok=True)
    _init_script(script, "start")


def _init_script(script: str, action: str) -> None:
    try:
        done = subprocess.run(
            [f"/etc/init.d/{script}", action],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise RefusalError(f"{script} did not {action} within a minute") from None
    if done.returncode and action == "start":
        raise RefusalError(f"{script} did not start")


def wait_for(sockets: set[tuple[str, int]], opened: set[int]) -> None:
    """Wait until all these (family, port) listen again, and the new ports in any family."""
    deadline = time.monotonic() + PORTS_LIMIT
    settled = False
    while True:
        now = listening()
        missing = {port for _, port in sockets - now} | (opened - {port for _, port in now})
        if not missing:
            if settled:
                return
            # A daemon that opens its port and then finds its configuration wrong closes it again.
            settled = True
            time.sleep(_SETTLE)
            continue
        settled = False
        if time.monotonic() > deadline:
            raise RefusalError(f"nothing listens on port {min(missing)} after the change")
        time.sleep(0.05)


def listening() -> set[tuple[str, int]]:
    """Return (family, port) of every TCP socket that listens on this host."""
    found = set()
    for family, name in (("ipv4", "tcp"), ("ipv6", "tcp6")):
        for line in Path(f"/proc/net/{name}").read_text(encoding="ascii").splitlines()[1:]:
            words = line.split()
            if words[3] == _LISTEN:
                found.add((family, int(words[1].rsplit(":", 1)[1], 16)))
    return found
