"""What must hold of the reading of answers to a hello, whatever the server sends."""

import struct
from collections.abc import Iterable

from audit.iana import VERSIONS, Version
from audit.probe.connection import BUSY
from audit.wire.answer import (
    _MOST_BYTES,
    Alert,
    Answer,
    Closed,
    Garbage,
    Reader,
)
from audit.wire.server_hello import Accepted, Malformed, server_hello
from tests.fuzz.streams import cut, fill, single

_DONE = b"\x0e\0\0\0"


def reader(data: bytes) -> None:
    """The same answer however the bytes were split, and never one that makes no sense."""
    pieces, stream = cut(data)
    for offered in VERSIONS:
        whole, warning = _read(offered, [stream])
        _sound(whole, stream)
        assert (whole == Closed()) == (not stream), "silence is no bytes, and only that"
        for parts in (pieces, single(stream)):
            split, split_warning = _read(offered, parts)
            assert _comparable(split, whole) == _comparable(whole, split)
            assert split_warning == warning
            assert _busy(split) == _busy(whole), "a busy server is not seen when it speaks slowly"


def endless(data: bytes) -> None:
    """Whatever comes without end, an answer comes within the bound, and the same however split."""
    piece, stream = fill(data, _MOST_BYTES)
    for offered in ("SSLv2", "TLSv1.2"):
        whole = Reader(offered)
        answer = whole.feed(stream + stream)
        assert answer is not None
        assert len(whole._raw) + len(whole._handshake) <= _MOST_BYTES, "it keeps too much"
        _sound(answer, stream + stream)
        split = Reader(offered)
        for at in range(0, len(stream), piece):
            split.feed(stream[at : at + piece])
        assert split.answer is not None
        assert _comparable(split.answer, answer) == _comparable(answer, split.answer)


def hello(data: bytes) -> None:
    """A ServerHello tells the same alone and in its record; or it is malformed in both."""
    found: Answer | None
    try:
        found = server_hello(data)
    except (Malformed, struct.error, IndexError):
        found = None
    _sound(found, data)
    if len(data) > 1 << 14:
        return
    message = b"\x02" + len(data).to_bytes(3) + data + _DONE
    read = Reader("TLSv1.2").feed(struct.pack("!BHH", 22, 0x0303, len(message)) + message)
    assert read == found if found else isinstance(read, Garbage)


def _read(offered: Version, parts: Iterable[bytes]) -> tuple[Answer | None, Alert | None]:
    """What the prober would be told if the parts came one by one and the peer then closed."""
    one = Reader(offered)
    for part in parts:
        if one.feed(part):
            break
    answer = one.end()
    assert one.feed(b"\x15\x03\x03\x00\x02\x02\x28") is answer
    assert one.end() is answer, "an answer is never taken back"
    return answer, one.warning


def _busy(answer: Answer | None) -> bool:
    return isinstance(answer, Garbage) and answer.start.startswith(BUSY)


def _comparable(answer: Answer | None, other: Answer | None) -> object:
    """The answer; of garbage only as much as both saw of it."""
    if isinstance(answer, Garbage) and isinstance(other, Garbage):
        return Garbage(answer.start[: len(other.start)])
    return answer


def _sound(answer: Answer | None, stream: bytes) -> None:
    assert str(answer).isprintable()
    match answer:
        case Accepted():
            assert answer.version in (*VERSIONS, None)
            assert answer.compression in range(256)
            assert answer.group is None or answer.group in range(1 << 16)
            assert answer.prime.bit_length() <= 8 * len(stream)
            assert sum(map(len, answer.chain)) <= len(stream)
        case Alert():
            assert answer.code in range(1 << 16)
        case Garbage():
            assert answer.start
            assert stream.startswith(answer.start), "the evidence is what came first"
