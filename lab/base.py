"""Debian roots, read-only once built: each is cached under a key of its inputs."""

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

import yaml

from lab import mirror, paths
from lab.errors import LabError
from lab.lock import locked
from lab.progress import say

_BUILD_LIMIT = 1800.0
# The root of every host that names no other.
COMMON = "root"
# Bump when the way of building changes what comes out of it.
_BUILDER = 1
# Nobody reads manuals in the lab, and unpacking them costs seconds.
_DPKG = (
    "force-unsafe-io",
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
)
_APT = ('APT::Install-Recommends "0"', 'Acquire::Languages "none"')
_STEPS = ("running apt-get update", "downloading", "extracting", "installing", "cleaning")


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a root contains, except the day it was built.

    `kind` is its name in the cache; only roots of one kind replace each other there. `files` are
    laid over the root by its script: path, whether it is a program, content.
    """

    suite: str
    arch: str
    packages: tuple[str, ...]
    script: str
    kind: str = COMMON
    files: tuple[tuple[str, bool, str], ...] = ()

    def key(self) -> str:
        """Return the name of the cached root: another recipe, another key."""
        inputs: list[object] = [_BUILDER, self.suite, self.arch, sorted(self.packages)]
        inputs += [self.script, _DPKG, _APT, *([self.files] if self.files else [])]
        return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()[:16]


def recipe(kind: str = COMMON) -> Recipe:
    """Return the recipe of a root that hosts of the lab stand on.

    It is lab/roots/KIND.yaml, KIND.sh and, where there is one, the directory KIND. `scripts` in the
    first names those that finish it, one after the other; by default its own.
    """
    home = paths.PACKAGE / "roots"
    data = yaml.safe_load((home / f"{kind}.yaml").read_text(encoding="utf-8"))
    names = data.get("scripts", [kind])
    script = "\n".join((home / f"{name}.sh").read_text(encoding="utf-8") for name in names)
    packages = tuple(data["packages"])
    return Recipe(data["suite"], architecture(), packages, script, kind, _files(home / kind))


def _files(home: Path) -> tuple[tuple[str, bool, str], ...]:
    # What Python compiled of them in passing is none of it.
    found = sorted(path for path in home.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return tuple(
        (str(path.relative_to(home)), os.access(path, os.X_OK), path.read_text(encoding="utf-8"))
        for path in found
    )


def kinds() -> tuple[str, ...]:
    """Return the roots that there are recipes for."""
    return tuple(sorted(path.stem for path in (paths.PACKAGE / "roots").glob("*.yaml")))


def architecture() -> str:
    """Return Debian's name for this machine's processor."""
    machine = os.uname().machine
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def cached(made: Recipe) -> Path | None:
    """Return the finished root of a recipe, or None when it has yet to be built."""
    root = _home(made) / "root"
    return root if root.is_dir() else None


def ensure(made: Recipe) -> Path:
    """Return the finished root of a recipe, building it first if need be.

    A root appears under its key by one rename, so what is there is whole; what a killed build
    left is removed by the next one. Raises LabError with the reason when the build fails.
    """
    with locked(paths.cache() / "lock"):
        root = cached(made)
        if root:
            return root
        for stale in paths.cache().glob("tmp-*"):
            shutil.rmtree(stale, ignore_errors=True)
        work = Path(tempfile.mkdtemp(prefix="tmp-", dir=paths.cache()))
        try:
            say(f"building the Debian {made.kind} (once; it is cached)")
            _build(made, work)
            # mkdtemp's 0700 would keep the daemons' own users from walking down to their files.
            work.chmod(0o755)
            for old in paths.cache().glob(f"{made.kind}-*"):
                if not _in_use(old):
                    shutil.rmtree(old, ignore_errors=True)
            work.rename(_home(made))
        finally:
            shutil.rmtree(work, ignore_errors=True)
        say(f"the Debian {made.kind} is built")
        return _home(made) / "root"


def _in_use(home: Path) -> bool:
    """Whether a host of any lab on this machine stands on a root; their mounts say so."""
    for table in Path("/proc").glob("[0-9]*/mountinfo"):
        try:
            if f"lowerdir={home}/" in table.read_text(encoding="utf-8", errors="replace"):
                return True
        except OSError:
            continue  # the process ended
    return False


def _home(made: Recipe) -> Path:
    return paths.cache() / f"{made.kind}-{made.key()}"


def _build(made: Recipe, work: Path) -> None:
    script = work / "customize.sh"
    script.write_text(made.script, encoding="utf-8")
    script.chmod(0o755)
    # Written here and not taken from the checkout, whose owners and modes are not ours to know.
    files = work / "files"
    for name, program, content in made.files:
        (files / name).parent.mkdir(parents=True, exist_ok=True)
        for parent in (files / name).relative_to(files).parents:
            (files / parent).chmod(0o755)
        (files / name).write_text(content, encoding="utf-8")
        (files / name).chmod(0o755 if program else 0o644)
    archives = work / "sources.list"
    lines = [source.line() for source in mirror.sources(made.suite)]
    archives.write_text("\n".join(lines) + "\n", encoding="utf-8")
    options = [
        *(f"--dpkgopt={option}" for option in _DPKG),
        *(f"--aptopt={option}" for option in (*_APT, *mirror.proxies())),
        f"--include={','.join(made.packages)}",
        f"--architectures={made.arch}",
        f'--customize-hook={shlex.quote(str(script))} "$1" {shlex.quote(str(files))}',
    ]
    # Its own namespaces, ended with us: a killed build leaves neither processes nor mounts.
    tied = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork"]
    tied += ["--kill-child", "--mount-proc"]
    command = ["mmdebstrap", "--mode=root", "--variant=apt", "--format=directory", *options]
    log = work / "build.log"
    with log.open("w", encoding="utf-8") as kept:
        build = subprocess.Popen(
            [*tied, *command, made.suite, str(work / "root"), str(archives)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        # A mirror that says nothing for ever must not hold us for ever.
        alarm = threading.Timer(_BUILD_LIMIT, build.kill)
        alarm.start()
        try:
            with build:
                for line in build.stdout or ():
                    kept.write(line)
                    _report(line)
        finally:
            alarm.cancel()
    if build.returncode:
        raise LabError(f"the Debian root could not be built: {_reason(log)}")


def _report(line: str) -> None:
    text = line.removeprefix("I: ").strip().rstrip(".")
    if line.startswith("I: ") and text.startswith(_STEPS):
        say(f"  {text}")


def _reason(log: Path) -> str:
    lines = log.read_text(encoding="utf-8").splitlines()
    errors = [line for line in lines if line.startswith(("E: ", "Err:", "W: Failed"))]
    return (errors or lines or ["mmdebstrap gave no reason"])[0].strip()
