"""Fuzzed bytes as a stream that comes in fuzzed pieces."""

from collections.abc import Iterator
from itertools import cycle

_MOST_SIZES = 8


def cut(data: bytes) -> tuple[list[bytes], bytes]:
    """The pieces and the stream that *data* holds: a count, as many sizes, the stream."""
    count = data[0] % _MOST_SIZES if data else 0
    stream = data[1 + count :]
    return list(_pieces(stream, data[1 : 1 + count])), stream


def single(stream: bytes) -> list[bytes]:
    """The stream byte by byte."""
    return [stream[at : at + 1] for at in range(len(stream))]


def fill(data: bytes, size: int) -> tuple[int, bytes]:
    """A size of pieces, and *size* bytes of a head and then one thing again and again."""
    piece, length = (1 + data[0] * 64, data[1]) if len(data) > 1 else (1, 0)
    head, unit = data[2 : 2 + length], data[2 + length :] or b"\0"
    return piece, (head + unit * (size // len(unit) + 1))[:size]


def _pieces(stream: bytes, sizes: bytes) -> Iterator[bytes]:
    at = 0
    for size in cycle(sizes or b"\1"):
        if at >= len(stream):
            return
        yield stream[at : at + max(1, size)]
        at += max(1, size)
