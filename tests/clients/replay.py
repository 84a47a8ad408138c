"""A recorded hello, said again to a real server: what the server answers is its own word.

Random, session id and key shares are drawn anew, for a recording has zeros there; all that says
what the client offers is the client's. Only the answer counts: nobody is there to go on.
"""

import os
import socket

from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from audit.clients.model import Client
from audit.wire.answer import Reader
from audit.wire.client_hello import KEY_SHARE
from audit.wire.cursor import Cursor
from audit.wire.server_hello import Accepted

_RECORD, _RANDOM = 5, slice(6, 38)  # sizes of a record's header, and the random behind a message's
_SECONDS = 20.0
_CURVES: dict[int, ec.EllipticCurve] = {23: ec.SECP256R1(), 24: ec.SECP384R1(), 25: ec.SECP521R1()}
_X25519 = 29


def fresh(client: Client) -> bytes:
    """The hello as the client would say it now."""
    record = bytes.fromhex(client.hello)
    head, message = record[:_RECORD], bytearray(record[_RECORD:])
    message[_RANDOM] = os.urandom(32)
    rest = Cursor(bytes(message), _RANDOM.stop)
    session = rest.vector(1)
    message[session.at : session.end] = os.urandom(session.end - session.at)
    for size in (2, 1):  # suites, compressions
        rest.vector(size)
    extensions = rest.vector(2) if rest else rest
    while extensions:
        kind, body = extensions.number(2), extensions.vector(2)
        shares = body.vector(2) if kind == KEY_SHARE else None
        while shares:
            group, share = shares.number(2), shares.vector(2)
            message[share.at : share.end] = _share(group, share.end - share.at)
    return head + bytes(message)


def _share(group: int, size: int) -> bytes:
    """A public key; of a group that our servers have not, anything of the size."""
    if group == _X25519:
        key = x25519.X25519PrivateKey.generate().public_key()
        return key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    if group in _CURVES:
        point = ec.generate_private_key(_CURVES[group]).public_key()
        return point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return os.urandom(size)


def replayed(client: Client, address: str, port: int) -> tuple[str, str, int | None] | str:
    """What a server answers to a client."""
    return answered(fresh(client), address, port)


def answered(hello: bytes, address: str, port: int) -> tuple[str, str, int | None] | str:
    """Version, suite and group that the server chose; its words if it refused."""
    with socket.create_connection((address, port), _SECONDS) as server:
        server.settimeout(_SECONDS)
        server.sendall(hello)
        reader = Reader("TLSv1.3")
        found = None
        while found is None:
            data = server.recv(1 << 14)
            found = reader.feed(data) if data else reader.end()
    if isinstance(found, Accepted) and found.suite is not None:
        return str(found.version), found.suite.name, found.group
    return str(found)
