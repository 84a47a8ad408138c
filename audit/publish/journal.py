"""What a roll-over notes for whoever goes on with it, in one file that is whole at any time."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from audit import written
from audit.errors import MALFORMED, UNDETERMINED, MailsealError
from audit.publish.rollover import Journal

_NAME, _LOCK = "rollover.json", "lock"
_SCHEMA = "mailseal/rollover/1"
_PAUSE = 0.5  # seconds


class _Kept(msgspec.Struct):
    """The file."""

    schema: str
    journal: Journal


def load(directory: Path) -> Journal | None:
    """The journal of a roll-over that is under way; None if there is none.

    Raises:
        MailsealError: it cannot be read, or is none.
    """
    path = directory / _NAME
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=_Kept)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise MailsealError(f"{path}: cannot be read ({error.strerror})") from None
    except MALFORMED as error:
        raise MailsealError(f"{path}: is no journal of a roll-over: {error}") from None
    if kept.schema != _SCHEMA:
        raise MailsealError(f"{path}: is of another version ({kept.schema[:40]!r})")
    return kept.journal


def keep(directory: Path, journal: Journal) -> None:
    """Keep it, instead of the one before.

    Raises:
        MailsealError: it cannot be written.
    """
    made = msgspec.json.encode(_Kept(_SCHEMA, journal), order="deterministic")
    written.put(msgspec.json.format(made) + b"\n", directory / _NAME, private=True)


def end(directory: Path) -> None:
    """The roll-over is over."""
    (directory / _NAME).unlink(missing_ok=True)


@contextmanager
def alone(directory: Path, say: Callable[[str], None], patience: float) -> Iterator[int]:
    """One roll-over at a time; gives the lock, which whoever inherits it holds as well.

    The kernel frees it when all of them are gone.

    Raises:
        MailsealError: another is at work all the time, or the directory cannot be made.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise MailsealError(f"{directory}: cannot be used ({error.strerror})") from None
    end, told = time.monotonic() + patience, False
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                words = f"{directory}: another roll-over, or what is left of it, is at work"
                if time.monotonic() >= end:
                    raise MailsealError(words, UNDETERMINED) from None
                if not told:
                    say(f"waiting: {words}")
                told = True
                time.sleep(_PAUSE)
        yield handle
    finally:
        os.close(handle)
