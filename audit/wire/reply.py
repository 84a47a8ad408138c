"""Replies of SMTP, LMTP, IMAP, POP3 and ManageSieve, read as a stream.

A reply may come split, slow, or together with the next one; `ReplyReader` takes bytes as they
come and hands out whole replies. Lines and replies are bounded: a server may be hostile.
"""

import re
from collections.abc import Callable
from typing import Literal

from msgspec import Struct

Grammar = Literal["smtp", "imap", "pop3", "pop3-list", "sieve", "greeting"]

_LONGEST_LINE = 8192  # far above the limits of RFC 5321 (512) and RFC 9051 (8192 suggested)
_MOST_LINES = 256
_SMTP = re.compile(rb"(\d{3})([ -]|$)")
_SIEVE_END = re.compile(rb"(OK|NO|BYE)\b", re.IGNORECASE)


class NotAReply(Exception):
    """What came is no reply of this protocol."""


class Reply(Struct, frozen=True):
    """One whole reply.

    Attributes:
        ok: the server agreed.
        lines: its lines without line ends, decoded leniently.
    """

    ok: bool
    lines: tuple[str, ...]

    @property
    def last(self) -> str:
        """The line that carries the verdict."""
        return self.lines[-1] if self.lines else ""

    @property
    def code(self) -> int:
        """The SMTP reply code; 0 in the other protocols."""
        head = self.last[:3]
        return int(head) if head.isdecimal() else 0


class ReplyReader:
    """Cuts the stream of one connection into replies."""

    def __init__(self) -> None:
        """Start with an empty buffer."""
        self._buffer = bytearray()
        self._lines: list[bytes] = []

    def feed(self, data: bytes) -> None:
        """Take what came."""
        self._buffer += data

    @property
    def rest(self) -> bytes:
        """What came after the last whole reply."""
        return b"".join(line + b"\n" for line in self._lines) + bytes(self._buffer)

    def take(self, grammar: Grammar, tag: str = "") -> Reply | None:
        """The next reply, or None if it is not complete yet.

        Raises:
            NotAReply: a line is too long, there are too many, or it is another protocol.
        """
        while (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[:end]).rstrip(b"\r")
            del self._buffer[: end + 1]
            if end > _LONGEST_LINE or len(self._lines) >= _MOST_LINES:
                raise NotAReply("it does not end")
            self._lines.append(line)
            ok = _VERDICTS[grammar](line, tag.encode(), len(self._lines) == 1)
            if ok is not None:
                lines = tuple(item.decode("utf-8", "replace") for item in self._lines)
                self._lines = []
                return Reply(ok, lines)
        if len(self._buffer) > _LONGEST_LINE:
            raise NotAReply("a line does not end")
        return None


def _smtp(line: bytes, _tag: bytes, _first: bool) -> bool | None:  # noqa: FBT001 - one shape
    code = _SMTP.match(line)
    if not code:
        raise NotAReply(f"not SMTP: {line[:60]!r}")
    return None if code[2] == b"-" else code[1][:1] in b"23"


def _imap(line: bytes, tag: bytes, _first: bool) -> bool | None:  # noqa: FBT001 - one shape
    words = line.upper()
    tag = tag.upper()
    if words.startswith((b"* BYE", tag + b" NO", tag + b" BAD")):
        return False
    if words.startswith((tag + b" OK", b"+")):
        return True
    if not line.startswith(b"* "):
        raise NotAReply(f"not IMAP: {line[:60]!r}")
    return None


def _greeting(line: bytes, _tag: bytes, _first: bool) -> bool:  # noqa: FBT001 - one shape
    words = line.upper()
    if not words.startswith((b"* OK", b"* PREAUTH", b"* BYE")):
        raise NotAReply(f"not IMAP: {line[:60]!r}")
    return not words.startswith(b"* BYE")


def _pop3(line: bytes, _tag: bytes, _first: bool) -> bool:  # noqa: FBT001 - one shape
    if not line.startswith((b"+", b"-ERR")):
        raise NotAReply(f"not POP3: {line[:60]!r}")
    return line.startswith(b"+")


def _pop3_list(line: bytes, tag: bytes, first: bool) -> bool | None:  # noqa: FBT001 - one shape
    if first:
        return None if _pop3(line, tag, first) else False
    return True if line == b"." else None


def _sieve(line: bytes, _tag: bytes, _first: bool) -> bool | None:  # noqa: FBT001 - one shape
    end = _SIEVE_END.match(line)
    return None if not end else end[1].upper() == b"OK"


# True or False if the line ends the reply, None if more must come.
_VERDICTS: dict[Grammar, Callable[[bytes, bytes, bool], bool | None]] = {
    "smtp": _smtp,
    "imap": _imap,
    "greeting": _greeting,
    "pop3": _pop3,
    "pop3-list": _pop3_list,
    "sieve": _sieve,
}
