"""Counts that are kept in a file, to be added to others without reading logs again."""

import zlib
from pathlib import Path

import msgspec

from audit.errors import MailsealError
from audit.traffic.stretch import Seams
from audit.traffic.tally import Tally
from audit.written import put

_HEADER = b"mailseal/tally/4\n"
_BEGINNING = b"mailseal/tally/"
_LARGEST = 1 << 30  # bytes, of what is in a file


def is_kept(path: Path) -> bool:
    """Whether a file has counts in it, of this or another version.

    Raises:
        MailsealError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(len(_BEGINNING)) == _BEGINNING
    except OSError as error:
        raise MailsealError(f"{path} cannot be read: {error.strerror}") from None


def save(tally: Tally, path: Path) -> None:
    """Keep counts, for who keeps them alone: they have names of users, as a log has.

    What is in the file is replaced when all is written.

    Raises:
        MailsealError: it cannot be written.
    """
    put(_HEADER + zlib.compress(msgspec.msgpack.encode(tally), 6), path, private=True)


def load(path: Path) -> Tally:
    """The counts in a file of `save`.

    Raises:
        MailsealError: unreadable, damaged, or of another version.
    """
    try:
        data = path.read_bytes()
        if not data.startswith(_HEADER):
            version = data[len(_BEGINNING) :].partition(b"\n")[0][:20].decode("ascii", "replace")
            raise MailsealError(f"{path}: counts of version {version}, and this reads only 4")
        unpacker = zlib.decompressobj()
        packed = unpacker.decompress(data[len(_HEADER) :], _LARGEST)
        if not unpacker.eof:
            raise MailsealError(f"{path}: these counts are not complete")
        found = msgspec.msgpack.decode(packed, type=Tally)
    except OSError as error:
        raise MailsealError(f"{path} cannot be read: {error.strerror}") from None
    except (zlib.error, msgspec.MsgspecError, RecursionError) as error:
        raise MailsealError(f"{path}: damaged counts ({error})") from None
    if any(gone.mails < 0 for gone in found.ways.values()):
        raise MailsealError(f"{path}: damaged counts (of mails, as nobody can send them)")
    if not _sound(found.seams):
        raise MailsealError(f"{path}: damaged counts (of processes, as no daemon has them)")
    return found


def _sound(seams: Seams) -> bool:
    """Whether what a cut tore apart is what `mixed` has of it."""
    if not seams:
        return True
    from audit.traffic import mixed

    return mixed.sound(seams)
