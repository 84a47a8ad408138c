"""Files, directories and mailboxes with reports, one after the other. The only I/O on reports."""

import mailbox
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from audit.errors import MailsealError
from audit.tlsrpt.merge import Pile
from audit.tlsrpt.report import RefusedError, decode
from audit.tlsrpt.unwrap import LARGEST, Piece, kind, mail, plain, what

_LARGEST_BOX = 1 << 30  # bytes; its library keeps a line whole, however long
_START = 512  # bytes, to know what a file is


def gather(paths: Sequence[Path]) -> Pile:
    """Every report that there is below some paths.

    Raises:
        MailsealError: a path that was named cannot be read.
    """
    pile = Pile()
    for path in paths:
        for name, named in _files(path, pile):
            _take(pile, name, named=named)
    return pile


def _files(path: Path, pile: Pile) -> Iterator[tuple[Path, bool]]:
    """The files below a path, and whether it was named itself."""
    if not path.is_dir():
        yield path, True
        return

    def failed(error: OSError) -> None:
        if error.filename == str(path):
            raise MailsealError(f"{path} cannot be read: {error.strerror}")
        pile.refused.append((error.filename, f"cannot be read ({error.strerror})"))

    for top, folders, files in os.walk(path, onerror=failed):
        folders.sort()
        if {"cur", "new", "tmp"} <= set(folders):  # what is being delivered to a maildir
            folders.remove("tmp")
        for name in sorted(files):
            yield Path(top, name), False


def _take(pile: Pile, path: Path, *, named: bool) -> None:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            if named:
                raise MailsealError(f"{path} is no file and no directory")
            pile.others += 1
            return
        with path.open("rb") as file:
            start = file.read(_START)
            found = kind(start)
            content = b"" if found in ("", "mbox") else start + file.read(LARGEST + 1 - len(start))
        if found:
            pieces = list(_mbox(path)) if found == "mbox" else list(_pieces(path, found, content))
        else:
            pieces = [Piece(str(path), trouble=what(start))] if named else []
            pile.others += not named
    except OSError as error:
        if named:
            raise MailsealError(f"{path} cannot be read: {error.strerror}") from None
        pieces = [Piece(str(path), trouble=f"cannot be read ({error.strerror})")]
    else:
        pile.without += found in ("mail", "mbox") and not pieces
    for piece in pieces:
        _add(pile, piece)


def _add(pile: Pile, piece: Piece) -> None:
    trouble = piece.trouble
    if not trouble:
        try:
            pile.add(decode(piece.content), piece.domain)
        except RefusedError as error:
            trouble = str(error)
    if trouble:
        pile.refused.append((piece.name, trouble))


def _pieces(path: Path, found: str, content: bytes) -> Iterator[Piece]:
    if len(content) > LARGEST:
        yield Piece(str(path), trouble=f"more than {LARGEST:,} bytes")
    elif found == "mail":
        yield from mail(str(path), content)
    else:
        yield plain(str(path), content)


def _mbox(path: Path) -> Iterator[Piece]:
    if path.stat().st_size > _LARGEST_BOX:
        yield Piece(str(path), trouble=f"a mailbox of more than {_LARGEST_BOX:,} bytes")
        return
    box = mailbox.mbox(path, create=False)
    try:
        for number, key in enumerate(box.keys(), 1):
            with box.get_file(key) as file:
                content = file.read(LARGEST + 1)
            name = f"{path}: mail {number}"
            if len(content) > LARGEST:
                yield Piece(name, trouble=f"more than {LARGEST:,} bytes")
            else:
                yield from mail(name, content)
    finally:
        box.close()
