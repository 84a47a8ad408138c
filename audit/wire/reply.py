"""Replies of SMTP, LMTP, IMAP, POP3 and ManageSieve, read as a stream.

A reply may come split, slow, or together with the next one; `ReplyReader` takes bytes as they
come and hands out whole replies. Lines and replies are bounded: a server may be hostile.
"""

import re
from dataclasses import dataclass
from typing import Literal

Grammar = Literal["smtp", "imap", "pop3", "pop3-list", "sieve", "greeting"]

_LONGEST_LINE = 8192  # far above the limits of RFC 5321 (512) and RFC 9051 (8192 suggested)
_MOST_LINES = 256
_SMTP = re.compile(rb"(\d{3})([ -]|$)")
_SIEVE_END = re.compile(rb"(OK|NO|BYE)\b", re.IGNORECASE)


class NotAReply(Exception):
    """What came is no reply of this protocol."""


@dataclass(frozen=True, slots=True)
class Reply:
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
        return b"".join(self._lines) + bytes(self._buffer)

    def take(self, grammar: Grammar, tag: str = "") -> Reply | None:
        """The next reply, or None if it is not complete yet.

        Raises:
            NotAReply: a line is too long, there are too many, or it is another protocol.
        """
        while (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[:end]).rstrip(b"\r")
            del self._buffer[: end + 1]
            if len(line) > _LONGEST_LINE or len(self._lines) >= _MOST_LINES:
                raise NotAReply("it does not end")
            self._lines.append(line)
            ok = _verdict(grammar, line, tag.encode(), first=len(self._lines) == 1)
            if ok is not None:
                lines = tuple(item.decode("utf-8", "replace") for item in self._lines)
                self._lines = []
                return Reply(ok, lines)
        if len(self._buffer) > _LONGEST_LINE:
            raise NotAReply("a line does not end")
        return None


def _verdict(grammar: Grammar, line: bytes, tag: bytes, *, first: bool) -> bool | None:
    """True or False if this line ends the reply, None if more must come."""
    match grammar:
        case "smtp":
            code = _SMTP.match(line)
            if not code:
                raise NotAReply(f"not SMTP: {line[:60]!r}")
            return None if code[2] == b"-" else code[1][:1] in b"23"
        case "imap":
            if line.startswith((b"* BYE", tag + b" NO", tag + b" BAD")):
                return False
            if line.startswith((tag + b" OK", b"+ ")):
                return True
            if not line.startswith(b"* "):
                raise NotAReply(f"not IMAP: {line[:60]!r}")
            return None
        case "greeting":
            return _greeting(line)
        case "pop3":
            return _pop3(line)
        case "pop3-list":
            return _pop3_list(line, first=first)
        case "sieve":
            end = _SIEVE_END.match(line)
            return None if not end else end[1].upper() == b"OK"


def _greeting(line: bytes) -> bool:
    if not line.startswith((b"* OK", b"* PREAUTH", b"* BYE")):
        raise NotAReply(f"not IMAP: {line[:60]!r}")
    return not line.startswith(b"* BYE")


def _pop3(line: bytes) -> bool:
    if not line.startswith((b"+", b"-ERR")):
        raise NotAReply(f"not POP3: {line[:60]!r}")
    return line.startswith(b"+")


def _pop3_list(line: bytes, *, first: bool) -> bool | None:
    if first:
        return None if _pop3(line) else False
    return True if line == b"." else None
