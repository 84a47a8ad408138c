"""Lines in colour, for terminals that want it (ECMA-48, SGR)."""

import os
from collections.abc import Iterable
from typing import TextIO

Piece = str | tuple[str, str]  # plain text, or text and its style: "bold red"
Line = tuple[Piece, ...]

_CODES = {"bold": 1, "dim": 2, "reverse": 7, "red": 31, "green": 32}
_CODES |= {"yellow": 33, "blue": 34, "cyan": 36}
_RESET = "\x1b[0m"


def wanted(file: TextIO) -> bool:
    """Whether this is a terminal and nobody said otherwise (no-color.org)."""
    return file.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def put(lines: Iterable[Line], file: TextIO) -> None:
    """Print lines; with colours if the file is a terminal that wants them."""
    colour = wanted(file)
    text = "".join(f"{painted(line, colour=colour)}\n" for line in lines)
    encoding = file.encoding or "utf-8"
    file.write(text.encode(encoding, "replace").decode(encoding))


def painted(line: Line, *, colour: bool) -> str:
    """The line as it is written, without its end."""
    return "".join(_piece(piece, colour=colour) for piece in line)


def _piece(piece: Piece, *, colour: bool) -> str:
    text, style = (piece, "") if isinstance(piece, str) else piece
    if not (colour and text and style):
        return text
    codes = ";".join(str(_CODES[word]) for word in style.split())
    return f"\x1b[{codes}m{text}{_RESET}"
