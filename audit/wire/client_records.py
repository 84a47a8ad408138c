"""The records that a client begins with, down to the ClientHello in them."""

from audit.iana.versions import CODES
from audit.wire.cursor import Cursor
from audit.wire.server_hello import Malformed

_CLIENT_HELLO = 1
_LARGEST_RECORD = 1 << 14
_LARGEST_HELLO = 1 << 16
_MOST_RECORDS = 64


class Truncated(Malformed):
    """What is there is the beginning of a ClientHello; more bytes may complete it."""


def handshake(stream: bytes) -> bytes:
    """The ClientHello message, with its header, out of the records at the front of a stream.

    Raises:
        Truncated: as for `client_hello`.
        Malformed: likewise.
    """
    message, at = b"", 0
    for _ in range(_MOST_RECORDS):
        head = stream[at : at + 5]
        if head[:1] not in (b"", b"\x16") or head[1:2] not in (b"", b"\x03"):
            raise Malformed("does not begin with a handshake record of TLS")
        if len(head) < 5:
            raise Truncated(f"{len(stream)} bytes of a hello")
        size = int.from_bytes(head[3:])
        if not 0 < size <= _LARGEST_RECORD:
            raise Malformed(f"a record of {size} bytes")
        message += stream[at + 5 : at + 5 + size]
        at += 5 + size
        if message[:1] not in (b"", b"\x01"):
            raise Malformed(f"handshake message {message[0]} is no ClientHello")
        whole = 4 + int.from_bytes(message[1:4]) if len(message) >= 4 else 4
        if whole > _LARGEST_HELLO:
            raise Malformed(f"a hello of {whole} bytes")
        if 4 < whole <= len(message):
            return message[:whole]
        if at > len(stream):
            raise Truncated(f"{len(stream)} bytes of a hello")
    raise Malformed(f"a hello in more than {_MOST_RECORDS} records")


def ssl2_hello(stream: bytes) -> tuple[int, tuple[int, ...]]:
    """The version and the kinds of cipher, of three bytes each, in a hello of SSLv2.

    Raises:
        Truncated: as for `client_hello`.
        Malformed: likewise.
    """
    if stream[2:3] not in (b"", bytes((_CLIENT_HELLO,))):
        raise Malformed("does not begin with a hello")
    end = 2 + (int.from_bytes(stream[:2]) & 0x7FFF)
    if len(stream) < max(end, 3):
        raise Truncated(f"{len(stream)} bytes of a hello in a record of SSLv2")
    body = Cursor(stream, 3, end)
    version, size, session, challenge = (body.number(2) for _ in range(4))
    if not size or size % 3:
        raise Malformed(f"{size} bytes of ciphers, which have three each")
    if version != CODES["SSLv2"] and version >> 8 != 3:
        raise Malformed(f"asks for version 0x{version:04x}, which is no TLS")
    kinds = tuple(body.number(3) for _ in range(size // 3))
    body.take(session + challenge)
    body.done()
    return version, kinds
