"""A PostgreSQL of a test's own: on a socket in a directory of its own, and nowhere else."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_SECONDS = 60
_USER = "postgres"


def programs() -> Path | None:
    """Where Debian's package has put the server's programs; None if it is not there."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@contextmanager
def server() -> Iterator[Path]:
    """The directory of the socket of a running server; skips where there can be none."""
    where = programs()
    if where is None:
        pytest.skip("needs Debian's package postgresql")
    user = _USER if os.geteuid() == 0 else None  # it refuses to run as root
    home = Path(tempfile.mkdtemp(prefix="mailseal-pg-"))
    if user:
        shutil.chown(home, user, user)
    try:
        _run(user, where / "initdb", "-D", home / "data", "-U", _USER, "-A", "trust", "-N")
        options = ["-c", "listen_addresses=", "-c", "fsync=off", "-k", str(home)]
        running = subprocess.Popen(
            [where / "postgres", "-D", home / "data", *options],
            user=user,
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait(running, where, home)
            yield home
        finally:
            running.send_signal(signal.SIGINT)
            running.wait(_SECONDS)
    finally:
        shutil.rmtree(home)


def _run(user: str | None, *words: object) -> None:
    done = subprocess.run(
        [str(word) for word in words], user=user, cwd="/", capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


def _wait(running: subprocess.Popen[bytes], where: Path, home: Path) -> None:
    end = time.monotonic() + _SECONDS
    ready = [str(where / "pg_isready"), "-q", "-h", str(home)]
    while subprocess.run(ready, check=False).returncode:
        assert running.poll() is None, "the server has ended"
        assert time.monotonic() < end, "the server does not answer"
        time.sleep(0.1)
