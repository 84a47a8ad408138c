"""A port on loopback that leads into a network namespace: how clients here reach the lab."""

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial

from audit import namespace
from tests.clients.relay import Opening

_SECONDS = 20.0
# What is said in clear up to the start of TLS, and how the last line of each answer begins.
_CLEAR: dict[Opening, tuple[tuple[bytes, bytes], ...]] = {
    "tls": (),
    "smtp": ((b"", b"220 "), (b"EHLO client.example\r\n", b"250 "), (b"STARTTLS\r\n", b"220 ")),
}


@dataclass
class Bridge:
    """One that is open.

    Attributes:
        port: where it begins.
        led: connections that the server took, up to where TLS begins.
    """

    port: int
    led: int = 0


@contextmanager
def bridge(
    netns: str, address: str, port: int, opening: Opening = "tls", source: str = ""
) -> Iterator[Bridge]:
    """Lead whoever connects to the port that is given to this address in that namespace.

    With an *opening* the clear text before STARTTLS is spoken first, so that a client which knows
    TLS alone can be led to any service. *source* is an address of that namespace to come from.
    """
    connect = partial(_connect, (address, port), opening, source)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = Bridge(listener.getsockname()[1])
        thread = threading.Thread(target=_lead, args=(listener, netns, connect, found))
        thread.start()
        try:
            yield found
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(_SECONDS)


def _connect(where: tuple[str, int], opening: Opening, source: str) -> socket.socket:
    server = socket.create_connection(where, _SECONDS, (source, 0) if source else None)
    try:
        for said, expected in _CLEAR[opening]:
            server.sendall(said)
            _await(server, expected)
    except OSError:
        server.close()
        raise
    return server


def _await(server: socket.socket, expected: bytes) -> None:
    """An answer to its last line, which has a blank behind its number (RFC 5321, section 4.2.1)."""
    line = b""
    while line[3:4] != b" ":
        line = _line(server)
    if not line.startswith(expected):
        raise ConnectionError(f"the server does not begin TLS: {line!r}")


def _line(server: socket.socket) -> bytes:
    """One line, and no byte of what comes after it."""
    line = b""
    while not line.endswith(b"\n"):
        if not (byte := server.recv(1)):
            raise ConnectionError(f"the server hung up after {line!r}")
        line += byte
    return line


def _lead(
    listener: socket.socket, netns: str, connect: "partial[socket.socket]", found: Bridge
) -> None:
    namespace.enter(netns)  # sockets that are made from now on are there
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            with client, suppress(OSError), connect() as server:
                found.led += 1
                _pass(client, server)


def _pass(client: socket.socket, server: socket.socket) -> None:
    other = {client: server, server: client}
    with selectors.DefaultSelector() as both:
        for one in other:
            both.register(one, selectors.EVENT_READ)
        while ready := both.select(_SECONDS):
            for key, _ in ready:
                whence = key.fileobj
                assert isinstance(whence, socket.socket)
                if not (data := whence.recv(1 << 14)):
                    return
                other[whence].sendall(data)
