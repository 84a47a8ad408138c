"""Compressed files as what is in them, to their very end."""

import bz2
import io
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_AHEAD = 1 << 18  # bytes that are inflated at a time, while what came before is counted
_CHUNK = 1 << 16  # bytes of a file that are given to a decompressor
_BEGINNING = 8  # bytes that tell how a file is compressed


class _Stream(Protocol):
    """What the decompressors of bz2, lzma and zstd have in common."""

    @property
    def eof(self) -> bool:
        """Whether it is over."""

    @property
    def needs_input(self) -> bool:
        """Whether it gives nothing more without more of the file."""

    @property
    def unused_data(self) -> bytes:
        """What stands behind it."""

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes:
        """So much of what is in it, at most."""


class _Packed(io.RawIOBase):
    """One stream after the other.

    Python's own files for bz2 and xz take whatever cannot be read behind a stream for its end, so
    a log whose second half is damaged would be one that is over.
    """

    def __init__(self, path: Path, new: Callable[[], _Stream], wrong: type[Exception]) -> None:
        """Open a file; *new* makes a decompressor, which raises *wrong*."""
        self._file = path.open("rb")
        self._new, self._wrong = new, wrong
        self._stream = new()

    def readable(self) -> bool:
        """It can only be read."""
        return True

    def close(self) -> None:
        """Close the file as well."""
        self._file.close()
        super().close()

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Read some more; 0 at the end.

        Raises:
            OSError: it is damaged, or something else stands behind a stream.
            EOFError: it ends within a stream.
        """
        room = memoryview(buffer).cast("B")
        data = b""
        while not data:
            given = self._given()
            if given is None:
                return 0
            try:
                data = self._stream.decompress(given, len(room))
            except self._wrong as error:
                raise OSError(str(error)) from None
        room[: len(data)] = data
        return len(data)

    def _given(self) -> bytes | None:
        """What the decompressor gets next; None at the end."""
        if not self._stream.eof:
            data = self._file.read(_CHUNK) if self._stream.needs_input else b""
            if self._stream.needs_input and not data:
                raise EOFError("it ends in the middle of what is compressed")
            return data
        rest = self._stream.unused_data or self._file.read(_CHUNK)
        while rest and not rest.strip(b"\0"):  # xz and tapes fill up with these
            rest = self._file.read(_CHUNK)
        self._stream = self._new() if rest else self._stream
        return rest.lstrip(b"\0") or None


def _gz(path: Path) -> IO[bytes]:
    from isal import igzip_threaded

    # A thread inflates what is read next while this one is counted.
    return cast("IO[bytes]", igzip_threaded.open(path, block_size=_AHEAD))  # type: ignore[no-untyped-call]


def _xz(path: Path) -> IO[bytes]:
    return io.BufferedReader(_Packed(path, lzma.LZMADecompressor, lzma.LZMAError), _AHEAD)


def _bz2(path: Path) -> IO[bytes]:
    return io.BufferedReader(_Packed(path, bz2.BZ2Decompressor, OSError), _AHEAD)


def _zst(path: Path) -> IO[bytes]:
    from backports import zstd

    return io.BufferedReader(_Packed(path, zstd.ZstdDecompressor, zstd.ZstdError), _AHEAD)


# What a file begins with says how it is compressed; its name may say anything.
_OPENERS: tuple[tuple[bytes, Callable[[Path], IO[bytes]]], ...] = (
    (b"\x1f\x8b", _gz),
    (b"\xfd7zXZ\x00", _xz),
    (b"BZh", _bz2),
    (b"\x28\xb5\x2f\xfd", _zst),
)


def opener(path: Path) -> Callable[[Path], IO[bytes]] | None:
    """What opens the file; None if it is not compressed.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        first = file.read(_BEGINNING)
    return next((opens for magic, opens in _OPENERS if first.startswith(magic)), None)
