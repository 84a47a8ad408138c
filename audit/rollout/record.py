"""The record of a rollout while it is written: whole lines, only ever added."""

import fcntl
import os
import shutil
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import msgspec

from audit.errors import MailsealError
from audit.rollout.events import LASTING, Event
from audit.rollout.place import PAGE, RECORD, events_of, held, homes, names

_ENCODER = msgspec.json.Encoder()
_TRIES = 100  # rollouts that begin in one second


class Record:
    """One file, locked as long as the process that writes it lives.

    The lock tells a rollout that is running from one that was killed. It is this process's alone:
    children that outlive it do not hold it. It also falls when this process closes the file after
    reading it, so it must not.
    """

    def __init__(self, directory: Path, now: datetime) -> None:
        """Begin it.

        Raises:
            OSError: there can be no such file.
        """
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        stamp = f"{now:%Y%m%dT%H%M%SZ}"
        for number in range(1, _TRIES):
            self.id = stamp if number == 1 else f"{stamp}-{number}"
            self.path = directory / f"{self.id}{RECORD}"
            flags = os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC
            try:
                self._file = os.open(self.path, flags, 0o600)
            except FileExistsError:
                continue
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            return
        raise FileExistsError(f"{directory} has {_TRIES} records of this second")

    def write(self, events: Iterable[Event]) -> None:
        """Add lines.

        Raises:
            OSError: the disk is full, for instance; nothing must be added any more.
        """
        found = list(events)
        if not found:
            return
        lines = b"".join(_ENCODER.encode(event) + b"\n" for event in found)
        if os.write(self._file, lines) != len(lines):
            raise OSError(f"{self.path} was written in part only")
        if any(isinstance(event, LASTING) for event in found):
            os.fsync(self._file)

    def close(self) -> None:
        """Nothing is added any more."""
        os.close(self._file)


def forget(directory: Path, most: int) -> None:
    """Keep the newest records; with the others go their pages and what the gate saw then.

    What an older record and a newer one both name stays: a host may still have to go back to it.
    So does the record of a rollout that is running, by which others know of it. To be asked before
    this process has a record of its own: reading would end its lock.

    Raises:
        OSError: something cannot be removed, or read.
    """
    known = names(directory)
    least = max(0, len(known) - max(0, most))
    old = [name for name in known[:least] if not held(directory, name)]
    kept = [name for name in known if name not in old]
    needed = {place for name in kept for place in _noted(directory, name)} if old else set()
    for name in old:
        for place in _noted(directory, name) - needed:
            shutil.rmtree(place, ignore_errors=True)
        for suffix in (PAGE, RECORD):
            (directory / f"{name}{suffix}").unlink(missing_ok=True)


def _noted(directory: Path, name: str) -> set[Path]:
    """What the gate saw in one rollout; nothing where its record cannot be read."""
    try:
        return set(homes(directory, events_of(directory, name)[0]).values())
    except MailsealError:
        return set()
