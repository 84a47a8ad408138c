"""A port on loopback that leads into a network namespace: how clients here reach the lab."""

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from audit import namespace

_SECONDS = 20.0


@contextmanager
def bridge(netns: str, address: str, port: int) -> Iterator[int]:
    """Lead whoever connects to the port that is given to this address in that namespace."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_lead, args=(listener, netns, (address, port)))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(_SECONDS)


def _lead(listener: socket.socket, netns: str, where: tuple[str, int]) -> None:
    namespace.enter(netns)  # sockets that are made from now on are there
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            with client, suppress(OSError), socket.create_connection(where, _SECONDS) as server:
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
