"""Counts lines as the command does: in parts, each by its own reader, put together at the end."""

from collections.abc import Container, Sequence
from datetime import UTC, datetime

from audit.traffic import mixed, silence
from audit.traffic.seams import Sink
from audit.traffic.tally import Tally

CHANGED = datetime(2026, 11, 29, 12, tzinfo=UTC)


class Counted:
    """Parts of a log, counted."""

    def __init__(self, own: Container[bytes] = (), first: bytes = b"", last: bytes = b"") -> None:
        """*own*: addresses whose mail is counted apart; *first*, *last*: the days."""
        self._first, self._last = first, last
        self.tally, self.exim = Tally(), list[tuple[bytes, bytes]]()
        self._own = own

    def part(self, lines: Sequence[bytes], number: int = 0) -> "Counted":
        """Count one part, which is the *number*-th, whenever it is read."""
        tally = Tally()
        sink = Sink(tally, self._take, self._own)
        reader = mixed.Reader(sink, CHANGED, part=number, first=self._first, last=self._last)
        half = len(lines) // 2
        for block in (lines[:half], lines[half:]):
            reader.count(b"".join(line + b"\n" for line in block))
        left = reader.end()
        self.tally.merge(tally)
        self.tally.merge(Tally(seams=left))
        return self

    def _take(self, lines: bytes, host: bytes) -> None:
        self.exim.append((host, lines))

    def finish(self) -> Tally:
        """No part is to come."""
        mixed.finish(Sink(self.tally, self._take, self._own))
        self.tally.finish()
        silence.settle(self.tally)
        return self.tally


def count(*lines: str | bytes) -> Tally:
    """What lines say, read at once."""
    return Counted().part([_bytes(line) for line in lines]).finish()


def stamped(*lines: str) -> list[bytes]:
    """Lines without a time, `tag[pid]: message`, as syslog of a host writes them."""
    return [f"Nov 29 10:07:46 mx1 {line}".encode() for line in lines]


def _bytes(line: str | bytes) -> bytes:
    return line if isinstance(line, bytes) else line.encode()
