"""Log files as blocks of whole lines, whatever they are compressed with. The only I/O on logs."""

import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, NamedTuple

from audit.errors import MailsealError
from audit.traffic.packed import opener

BLOCK = 1 << 16  # bytes: what becomes of them fits a processor's cache
_LONGEST = 1 << 24  # bytes; what has no line end for so long is no log
_PART = 1 << 29  # bytes of a file that one process reads at a time, at most
# Seconds: the calendar of Python's, less a day for who adds one.
_FIRST = datetime(1, 1, 2, tzinfo=UTC).timestamp()
_LAST = datetime(9999, 12, 30, tzinfo=UTC).timestamp()
_LITTLE = 1 << 22  # bytes that are not worth a process


class Part(NamedTuple):
    """Lines of a file.

    Attributes:
        path: the file.
        begin, end: the bytes in which they begin; None: all that follow.
        place: of this part among all that are read.
        node: whose log it is.
    """

    path: Path
    begin: int = 0
    end: int | None = None
    place: int = 0
    node: bytes = b""


def changed(path: Path) -> datetime:
    """When a file was written to for the last time, as far as years of four digits go.

    Raises:
        MailsealError: it is gone.
    """
    with _reading(path):
        seconds = path.stat().st_mtime
    return datetime.fromtimestamp(min(max(seconds, _FIRST), _LAST), tz=UTC)


def look(path: Path) -> None:
    """See that it is a file: who opens a pipe waits for somebody to write to it.

    Raises:
        MailsealError: it is none, or is not there.
    """
    with _reading(path):
        if not stat.S_ISREG(path.stat().st_mode):
            raise MailsealError(f"{path} is no log: it is no regular file")


def parts(path: Path, jobs: int = 1) -> list[Part]:
    """What can be read of a file at the same time: only one that is not compressed can be cut.

    Args:
        path: the file.
        jobs: how many read; all of them get as much.

    Raises:
        MailsealError: it cannot be opened, or is no file.
    """
    look(path)
    with _reading(path):
        status = path.stat()
        if opener(path):
            return [Part(path)]
    number = max(-(-status.st_size // _PART), 1)
    if status.st_size > jobs * _LITTLE:
        number = -(-number // jobs) * jobs
    cuts = [status.st_size * cut // number for cut in range(number)]
    ends: list[int | None] = [*cuts[1:], None]
    return [Part(path, begin, end) for begin, end in zip(cuts, ends, strict=True)]


def blocks(part: Part) -> Iterator[bytes]:
    """The whole lines of a part, each with its end, in blocks of about `BLOCK` bytes.

    Raises:
        MailsealError: it cannot be read to its end, or is no log.
    """
    path, begin, end, *_ = part
    try:
        with (opener(path) or _plain)(path) as file:
            if begin:  # the line that this falls into belongs to the part before
                file.seek(begin - 1)
                begin += len(_line(file, path)) - 1
            while (end is None or begin < end) and (block := file.read(_until(begin, end))):
                if not block.endswith(b"\n"):
                    block += _line(file, path)
                begin += len(block)
                yield block if block.endswith(b"\n") else block + b"\n"
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise MailsealError(f"{path} cannot be read to its end: {reason}") from None


def _until(begin: int, end: int | None) -> int:
    return BLOCK if end is None else min(BLOCK, end - begin)


def _line(file: IO[bytes], path: Path) -> bytes:
    """The rest of a line, with its end, if the file does not end before."""
    line = file.readline(_LONGEST)
    if len(line) == _LONGEST:
        raise MailsealError(f"{path} is no log: it has a line without end")
    return line


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise MailsealError(f"{path} cannot be read: {error.strerror}") from None


def _plain(path: Path) -> IO[bytes]:
    return path.open("rb")
