"""Files that always hold what they held before, or all that is new."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from audit.errors import MailsealError

# What names a file for as long as it is written; of a long name its beginning is enough.
_STEM = 50
_ENDING = ".tmp"


def writable(path: Path, name: str = "") -> None:
    """See that a file could be written; what is in it stays.

    Args:
        path: the file.
        name: what messages call it, if not by its path.

    Raises:
        MailsealError: it could not. A disk that is full now may have room when the work is done.
    """
    said = name or path
    try:
        if is_a_device(path):
            return
        if path.is_dir():
            raise MailsealError(f"{said}: that is a directory")
        if not path.parent.is_dir():
            raise MailsealError(f"{said}: there is no directory {path.parent}")
        with _beside(Path(os.path.realpath(path)), 0o600):
            pass
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise MailsealError(f"{said}: cannot be written ({error.strerror})") from None


def put(report: bytes, path: Path, *, private: bool = False) -> None:
    """Have a file hold this, or what it held before.

    Args:
        report: all of it.
        path: the file.
        private: for its owner alone, whatever the umask says.

    Raises:
        MailsealError: it cannot be written.
    """
    try:
        if is_a_device(path):
            path.write_bytes(report)
            return
        real = Path(os.path.realpath(path))
        if real.is_dir():  # / has no name of which another could be made
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        with _beside(real, 0o600 if private else 0o666) as (beside, file):
            file.write(report)
            file.flush()
            os.fsync(file)  # a new name must not outlive a power cut without what it names
            beside.replace(real)
    except OSError as error:
        raise MailsealError(f"{path}: cannot be written ({error.strerror or error})") from None


def is_a_device(path: Path) -> bool:
    """True for /dev/stdout, pipes and the like, which must be written to and never replaced."""
    return path.is_relative_to("/dev") or (
        path.exists() and not path.is_file() and not path.is_dir()
    )


@contextmanager
def _beside(path: Path, mode: int) -> Iterator[tuple[Path, BinaryIO]]:
    """A new file beside another, gone at the end if it has not taken its place.

    The umask has its say on the mode.
    """
    name = f".{path.name[:_STEM]}."
    with suppress(OSError):
        _tidy(path.parent, name)
    beside = path.with_name(f"{name}{os.getpid()}{_ENDING}")
    beside.unlink(missing_ok=True)  # of a process that had our number
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
    try:
        with open(os.open(beside, flags, mode), "wb") as file:  # noqa: PTH123 - for the mode
            yield beside, file
    finally:
        beside.unlink(missing_ok=True)


def _tidy(folder: Path, name: str) -> None:
    """Remove what writers have left that were killed: each file has the number of its process."""
    for left in folder.iterdir():
        writer = left.name.removeprefix(name).removesuffix(_ENDING)
        if left.name == f"{name}{writer}{_ENDING}" and writer.isdecimal() and not _lives(writer):
            left.unlink(missing_ok=True)


def _lives(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True
