"""Policy hosts of many domains on one address, told apart by SNI."""

import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from tests.servers import listening


@contextmanager
def policy_hosts(
    at: tuple[str, int], contexts: Mapping[str, ssl.SSLContext], pages: Mapping[str, bytes]
) -> Iterator[list[str]]:
    """Serve the pages of hosts by name; gives the names that were asked for, in order."""
    asked: list[str] = []
    guard = threading.Lock()

    def choose(link: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        link.context = contexts.get(name or "", context)

    front = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    front.sni_callback = choose

    def one(client: socket.socket) -> None:
        with suppress(OSError), front.wrap_socket(client, server_side=True) as link:
            request = link.recv(4096).decode()
            name = request.partition("Host: ")[2].partition("\r\n")[0]
            with guard:
                asked.append(name)
            body = pages[name]
            head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}"
            link.sendall(head.encode() + b"\r\n\r\n" + body)

    with listening(one, at):
        yield asked
