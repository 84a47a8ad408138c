"""A recorded ClientHello without what its client drew by chance: two recordings are then equal."""

import struct

from audit.wire.client_hello import KEY_SHARE, client_hello
from audit.wire.client_records import handshake
from audit.wire.cursor import Cursor

_RANDOM = slice(6, 38)  # behind the message's header and the version


def normal(stream: bytes) -> bytes:
    """The hello in one record, with zeros for its random, session id and key shares.

    Lengths stay, and so does all that says what the client offers.

    Raises:
        Truncated: more bytes may complete the hello.
        Malformed: it is none, or one in a record of SSLv2.
    """
    message = bytearray(handshake(stream))
    client_hello(stream)  # what is malformed further on is not recorded either
    message[_RANDOM] = bytes(32)
    rest = Cursor(bytes(message), _RANDOM.stop)
    _blank(message, rest.vector(1))
    for size in (2, 1):  # suites, compressions
        rest.vector(size)
    extensions = rest.vector(2) if rest else rest
    while extensions:
        kind, body = extensions.number(2), extensions.vector(2)
        if kind == KEY_SHARE:
            shares = body.vector(2)
            while shares:
                shares.take(2)
                _blank(message, shares.vector(2))
    return struct.pack("!B2sH", stream[0], stream[1:3], len(message)) + message


def _blank(message: bytearray, part: Cursor) -> None:
    message[part.at : part.end] = bytes(part.end - part.at)
