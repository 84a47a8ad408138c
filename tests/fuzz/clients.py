"""What must hold of the reading of a ClientHello, whatever a client sends."""

import struct

from audit.wire.client_hello import client_hello
from audit.wire.client_records import Truncated, handshake
from audit.wire.normal import normal
from audit.wire.offer import Offer
from audit.wire.server_hello import Malformed

_MOST_EXTENSIONS = 1 << 14


def hello(data: bytes) -> None:
    """The same offer whole, in pieces and without chance; no beginning of it is taken for it."""
    found = _read(data)
    if not isinstance(found, Offer):
        _refused(data, found)
        return
    assert _read(data + b"\x16\x03\x01") == found, "what follows is not looked at"
    size = len(data)
    while isinstance(_read(data[: size - 1]), Offer):
        size -= 1
    for cut in {size - 1, size // 2, 5, 1, 0}:
        assert isinstance(_read(data[:cut]), Truncated), "a beginning is no hello"
    assert len(found.suites) <= size // 2, "suites out of nothing"
    assert len(found.extensions) == len(set(found.extensions)) <= _MOST_EXTENSIONS
    assert all(code.to_bytes(2) in data for code in found.extensions), "extensions out of nothing"
    assert all(one.code.to_bytes(2) in data for one in found.suites), "suites out of nothing"
    assert set(found.versions) <= {"SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"}
    assert found.name.isascii(), "a name that is none"
    if not found.ssl2:
        _again(data, found)


def _again(data: bytes, found: Offer) -> None:
    message = handshake(data)
    kept = normal(data)
    assert _read(kept) == found, "a kept hello offers something else"
    assert normal(kept) == kept, "what is kept is not yet kept"
    step = max(1, len(message) // 7)
    pieces = [message[at : at + step] for at in range(0, len(message), step)]
    records = b"".join(struct.pack("!BHH", 22, 0x0301, len(p)) + p for p in pieces)
    assert _read(records) == found, "another offer in several records"


def _refused(data: bytes, why: Malformed) -> None:
    assert str(why), "a refusal without a reason"
    if not isinstance(why, Truncated):
        again = _read(data + bytes(64))
        assert isinstance(again, Malformed), "malformed, and then it was not"
        assert not isinstance(again, Truncated), "malformed, and then more was wanted"


def _read(data: bytes) -> Offer | Malformed:
    try:
        return client_hello(data)
    except Malformed as error:
        return error
