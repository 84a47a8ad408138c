"""What the lab needs of the real machine, and the one sentence that says what is missing."""

import os
import shutil
import subprocess
from pathlib import Path

from lab.errors import LabError

# Program -> Debian package. The Makefile's set-up installs the packages.
PROGRAMS = {
    "ip": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "setpriv": "util-linux",
    "mount": "mount",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "nc": "netcat-openbsd",
}
BUILD_PROGRAMS = {"mmdebstrap": "mmdebstrap"}
WITHOUT = "`mailseal scan HOST` works without the lab"


def packages() -> tuple[str, ...]:
    """Return every Debian package that the lab needs on the real machine."""
    return tuple(sorted({*PROGRAMS.values(), *BUILD_PROGRAMS.values()}))


def missing(*, build: bool) -> tuple[str, ...]:
    """Return the programs that are not installed; `build` asks for those of the base root too."""
    wanted = {**PROGRAMS, **(BUILD_PROGRAMS if build else {})}
    return tuple(name for name in wanted if shutil.which(name) is None)


def require_root() -> None:
    """Raise LabError unless the command runs as root."""
    if os.geteuid() != 0:
        raise LabError(f"the lab needs root, for namespaces and mounts; {WITHOUT}")


def require(state: Path, *, build: bool) -> None:
    """Raise LabError with everything that keeps this machine from running the lab.

    `state` must be on a file system that can carry the writable layers of the hosts.
    """
    require_root()
    absent = missing(build=build)
    if absent:
        known = {**PROGRAMS, **BUILD_PROGRAMS}
        wanted = " ".join(sorted({known[name] for name in absent}))
        raise LabError(f"the lab needs {', '.join(absent)}: apt-get install {wanted}; {WITHOUT}")
    if not Path("/proc/sys/net/ipv6/conf").is_dir():
        raise LabError(f"the lab needs IPv6, which this kernel has switched off; {WITHOUT}")
    _require_namespaces(state)


def _require_namespaces(state: Path) -> None:
    """Try the real thing once: namespaces, and an overlay on the state's file system."""
    trial = state / "trial"
    for name in ("lower", "upper", "work", "root"):
        (trial / name).mkdir(parents=True, exist_ok=True)
    script = (
        "mount --make-rprivate / && mount -t overlay trial -o "
        f"lowerdir={trial}/lower,upperdir={trial}/upper,workdir={trial}/work {trial}/root"
    )
    namespaces = ["--mount", "--net", "--pid", "--uts", "--ipc", "--fork"]
    try:
        done = subprocess.run(
            ["unshare", *namespaces, "sh", "-c", script],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    finally:
        shutil.rmtree(trial, ignore_errors=True)
    if done.returncode:
        words = done.stderr.strip().splitlines() or ["no reason given"]
        raise LabError(
            f"this machine cannot make the lab's namespaces or overlay mounts under {state} "
            f"({words[-1]}); MAILSEAL_LAB_STATE can name another directory; {WITHOUT}"
        )
