"""The peers, in places of their own outside the repository: a Debian root and a virtualenv."""

import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from lab import base, paths

_SSLYZE = "6.3.1"
_PACKAGES = ("nmap", "openssl", "procps", "sslscan", "testssl.sh")
_SCRIPT = """#!/bin/sh
set -eu
rm -f "$1/etc/resolv.conf" "$1/etc/hostname" "$1/etc/machine-id"
"""
_CLONE_NEWNS = 0x00020000  # unshare(2)
_ASKED = ("nmap", "sslscan", "testssl.sh")


@dataclass(frozen=True)
class Peers:
    """Where they are.

    Attributes:
        root: a Debian root with nmap, sslscan and testssl.sh.
        venv: a virtualenv with sslyze.
        versions: by name, as their packages say.
    """

    root: Path
    venv: Path
    versions: dict[str, str]

    def inside(self, *words: str) -> list[str]:
        """A command of the root."""
        clean = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "HOME=/tmp"]
        return ["chroot", str(self.root), *clean, "TERM=dumb", *words]

    @property
    def sslyze(self) -> str:
        """The program."""
        return str(self.venv / "bin" / "sslyze")

    @property
    def tmp(self) -> Path:
        """A directory that both we and the root's programs see; theirs is /tmp."""
        return self.root / "tmp"


def install() -> Peers:
    """Whatever is not there yet. What is mounted for it goes with this process."""
    root = base.ensure(base.Recipe("bookworm", base.architecture(), _PACKAGES, _SCRIPT, "peers"))
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNS) != 0:
        sys.exit(f"mount namespace: {os.strerror(ctypes.get_errno())} (this needs root)")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    for kind in ("dev", "proc"):
        subprocess.run(["mount", "--rbind", f"/{kind}", root / kind], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", root / "tmp"], check=True)
    versions = {"sslyze": _SSLYZE}
    for name in _ASKED:
        command = ["dpkg-query", f"--root={root}", "-W", "-f", "${Version}", name]
        versions[name] = subprocess.run(
            command, capture_output=True, text=True, check=True
        ).stdout.strip()
    return Peers(root, _sslyze(), versions)


def _sslyze() -> Path:
    key = hashlib.sha256(f"{_SSLYZE} {sys.version} {os.uname().machine}".encode())
    venv = paths.cache() / f"sslyze-{key.hexdigest()[:16]}"
    done = venv / "complete"
    if not done.exists():
        print("installing sslyze (once; it is cached)", flush=True)
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        pip = [str(venv / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, f"sslyze=={_SSLYZE}"], check=True)
        done.touch()
    return venv
