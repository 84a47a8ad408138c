"""One command at a time may change the lab or its cache; a dead command holds no lock."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.errors import LabError
from lab.progress import say

PATIENCE = 600.0


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file while the block runs; the kernel frees it when the process dies.

    Raises LabError when another command keeps it for longer than ten minutes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _wait(handle)
        yield
    finally:
        os.close(handle)


def _wait(handle: int) -> None:
    deadline = time.monotonic() + PATIENCE
    told = False
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not told:
                say("waiting for another mailseal lab command to finish")
                told = True
            if time.monotonic() > deadline:
                raise LabError(
                    "another mailseal lab command has been at work for 10 minutes"
                ) from None
            time.sleep(0.1)
        else:
            return
