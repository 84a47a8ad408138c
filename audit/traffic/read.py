"""Log files as blocks of whole lines, whatever they are compressed with. The only I/O on logs."""

import bz2
import gzip
import lzma
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from audit.errors import MailsealError

BLOCK = 1 << 20  # bytes
_LONGEST = 1 << 24  # bytes; what has no line end for so long is no log
# What a file begins with says how it is compressed; its name may say anything.
_OPENERS: tuple[tuple[bytes, Callable[[Path], IO[bytes]]], ...] = (
    (b"\x1f\x8b", lambda path: gzip.open(path, "rb")),
    (b"\xfd7zXZ\x00", lambda path: lzma.open(path, "rb")),
    (b"BZh", lambda path: bz2.open(path, "rb")),
    (b"\x28\xb5\x2f\xfd", lambda path: _zstd(path)),
)


def blocks(path: Path) -> Iterator[list[bytes]]:
    """The lines of a file, without their ends, in lists of about a mebibyte.

    Raises:
        MailsealError: it cannot be read to its end, or is no log.
    """
    try:
        with _opened(path) as file:
            rest = b""
            while block := file.read(BLOCK):
                lines = (rest + block).split(b"\n")
                rest = lines.pop()
                if len(rest) > _LONGEST:
                    raise MailsealError(f"{path} is no log: it has a line without end")
                yield lines
            if rest:
                yield [rest]
    except (OSError, EOFError, lzma.LZMAError) as error:
        reason = getattr(error, "strerror", None) or error
        raise MailsealError(f"{path} cannot be read to its end: {reason}") from None


def _opened(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        begin = file.read(8)
    for magic, opener in _OPENERS:
        if begin.startswith(magic):
            return opener(path)
    return path.open("rb")


def _zstd(path: Path) -> IO[bytes]:
    import zstandard

    return zstandard.open(path, "rb")
