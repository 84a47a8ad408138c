"""Bytes read from the front, as TLS lays them out: numbers, and vectors behind their length."""

from audit.wire.server_hello import Malformed


class Cursor:
    """A place in bytes, and where they end. Reading beyond the end is an error.

    Attributes:
        data: all of the bytes; a cursor inside of a vector shares them.
        at: the place of the next byte.
        end: where the bytes end that may be read.
    """

    def __init__(self, data: bytes, at: int = 0, end: int | None = None) -> None:
        """Stand at *at*, and read no further than *end*."""
        self.data = data
        self.at = at
        self.end = len(data) if end is None else end

    def __bool__(self) -> bool:
        """Whether anything is left."""
        return self.at < self.end

    def take(self, size: int) -> bytes:
        """The next *size* bytes."""
        start = self.at
        self.at += size
        if self.at > self.end:
            raise Malformed(f"ends after {self.end} bytes, in the middle of a field")
        return self.data[start : self.at]

    def number(self, size: int) -> int:
        """The next *size* bytes as a number, the most significant first."""
        return int.from_bytes(self.take(size))

    def vector(self, size: int) -> "Cursor":
        """What follows behind a length of *size* bytes (RFC 8446, section 3.4)."""
        length = self.number(size)
        start = self.at
        self.take(length)
        return Cursor(self.data, start, self.at)

    def words(self) -> tuple[int, ...]:
        """All that is left, as numbers of two bytes; there must be one at least."""
        if not self or (self.end - self.at) % 2:
            raise Malformed("a list of codes is empty, or half a code is left over")
        return tuple(self.number(2) for _ in range((self.end - self.at) // 2))

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(self.end - self.at)

    def done(self) -> None:
        """Nothing may be left."""
        if self:
            raise Malformed(f"{self.end - self.at} bytes are left over")
