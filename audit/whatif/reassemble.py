"""The bytes that clients send, out of segments of TCP in any order, as far as a hello needs. Pure.

What is kept is bounded: so many streams, and of each so many bytes. The stream that nothing came of
for the longest time is given up first.
"""

from collections import OrderedDict
from collections.abc import Hashable

from msgspec import Struct, field

from audit.wire.client_hello import client_hello
from audit.wire.client_records import Truncated
from audit.wire.offer import Offer
from audit.wire.server_hello import Malformed

_STREAMS = 4096
_LONGEST = 1 << 16  # bytes of a stream: a dialogue in clear, and a hello
_WAITING = 64  # segments that came before what belongs in front of them
_WRAP = 1 << 32
_BEGINS = b"\x16\x03"


class _Stream(Struct):
    """One direction of a connection.

    Attributes:
        next: the sequence number that comes next.
        came: what came so far, without gaps.
        ahead: segments from beyond a gap, by number.
    """

    next: int
    came: bytearray = field(default_factory=bytearray)
    ahead: dict[int, bytes] = field(default_factory=dict)


class Streams:
    """The streams that may still bring a hello.

    Attributes:
        incomplete: streams with a hello that did not come to its end, or was no hello.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._streams: OrderedDict[Hashable, _Stream | None] = OrderedDict()
        self.incomplete = 0

    def segment(self, key: Hashable, number: int, data: bytes, *, begins: bool) -> Offer | None:
        """Take one more; the offer if a hello is complete with it.

        Args:
            key: the connection and direction.
            number: the sequence number of the first byte.
            data: the bytes.
            begins: it opens the connection (SYN): then the bytes begin one later.
        """
        if begins:
            self._streams.pop(key, None)
            number += 1
        if key not in self._streams:
            self._room()
            self._streams[key] = _Stream(number % _WRAP)
        self._streams.move_to_end(key)
        stream = self._streams[key]
        if stream is None or not data:
            return None
        _put(stream, number % _WRAP, data)
        return self._look(key, stream)

    def end(self) -> None:
        """Nothing more is to come."""
        while self._streams:
            self._given_up(self._streams.popitem(last=False)[1])

    def _look(self, key: Hashable, stream: _Stream) -> Offer | None:
        try:
            found = _hello(bytes(stream.came))
        except Malformed:
            self.incomplete += 1
            self._streams[key] = None  # known, and nothing more is wanted of it
            return None
        if found is not None or len(stream.came) >= _LONGEST:
            self._streams[key] = None
        return found

    def _room(self) -> None:
        while len(self._streams) >= _STREAMS:
            self._given_up(self._streams.popitem(last=False)[1])

    def _given_up(self, stream: _Stream | None) -> None:
        if stream is not None and _begin(bytes(stream.came)) is not None:
            self.incomplete += 1


def _put(stream: _Stream, number: int, data: bytes) -> None:
    """Where segments overlap, what came first stays."""
    if len(stream.ahead) < _WAITING:
        stream.ahead.setdefault(number, data)
    moved = True
    while moved and len(stream.came) < _LONGEST:
        moved = False
        for at in list(stream.ahead):
            behind = (stream.next - at) % _WRAP
            if behind > _WRAP // 2:  # it lies ahead of a gap
                continue
            fresh = stream.ahead.pop(at)[behind:]
            if fresh:
                stream.came += fresh
                stream.next = (stream.next + len(fresh)) % _WRAP
                moved = True


def _begin(stream: bytes) -> int | None:
    """Where a hello begins: at the start, or behind the end of a line (STARTTLS)."""
    if stream.startswith(_BEGINS):
        return 0
    found = stream.find(b"\n" + _BEGINS)
    return None if found < 0 else found + 1


def _hello(stream: bytes) -> Offer | None:
    """The hello in it; None as long as there is none, or not all of it."""
    begin = _begin(stream)
    if begin is None:
        return None
    try:
        return client_hello(stream[begin:])
    except Truncated:
        return None
