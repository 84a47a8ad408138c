"""A relay on loopback between one mail client and, if there is one, a TLS server.

It speaks the clear text before STARTTLS, and keeps what either side says from the first byte of
TLS on. Without a server it takes the hello and hangs up: that is how clients are recorded.
"""

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

from audit.wire.client_records import Truncated, handshake
from audit.wire.server_hello import Malformed

Opening = Literal["tls", "smtp", "imap", "pop3"]

_SECONDS = 20.0
_MOST = 1 << 16
# What is said first, what is offered, and the go-ahead; {tag} is IMAP's.
_WORDS: dict[Opening, tuple[str, str, str, str]] = {
    "smtp": ("220 localhost ESMTP", "250-localhost\r\n250 STARTTLS", "220 go", "EHLO"),
    "imap": (
        "* OK [CAPABILITY IMAP4rev1 STARTTLS] localhost",
        "* CAPABILITY IMAP4rev1 STARTTLS\r\n{tag} OK done",
        "{tag} OK go",
        "CAPABILITY",
    ),
    "pop3": ("+OK localhost", "+OK\r\nSTLS\r\nUSER\r\n.", "+OK go", "CAPA"),
}


@dataclass
class Relay:
    """What passed, from the first byte of TLS on.

    Attributes:
        port: where it listens.
        client, server: what each of them said.
        seen: set once a whole hello has come, or a client has come and gone.
        over: set once the first connection has ended.
    """

    port: int
    client: bytearray = field(default_factory=bytearray)
    server: bytearray = field(default_factory=bytearray)
    seen: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def relay(opening: Opening, server: int | None = None) -> Iterator[Relay]:
    """Listen for one client; *server* is the port of what it is led to."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = Relay(listener.getsockname()[1])
        thread = threading.Thread(target=_one, args=(listener, opening, server, found), daemon=True)
        thread.start()
        try:
            yield found
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(_SECONDS)


def _one(listener: socket.socket, opening: Opening, server: int | None, found: Relay) -> None:
    with suppress(OSError):
        client, _ = listener.accept()
        listener.close()  # a client that comes again, in clear or with less, is not looked at
        with client:
            client.settimeout(_SECONDS)
            if opening == "tls" or _talk(client, opening):
                _pass(client, server, found)
    found.seen.set()
    found.over.set()


def _talk(client: socket.socket, opening: Opening) -> bool:
    """Speak up to the start of TLS; False if the client never asks for it."""
    greeting, offer, go, question = _WORDS[opening]
    _say(client, greeting)
    for _ in range(20):
        line = b""
        while not line.endswith(b"\n"):
            if not (byte := client.recv(1)):
                return False
            line += byte
        words = line.decode("ascii", "replace").split() or [""]
        tag = words.pop(0) if opening == "imap" and len(words) > 1 else ""
        if words[0].upper() in ("STARTTLS", "STLS"):
            _say(client, go.format(tag=tag))
            return True
        known = words[0].upper() == question
        _say(
            client,
            (offer if known else {"imap": "{tag} OK", "pop3": "+OK"}.get(opening, "250 ok")).format(
                tag=tag
            ),
        )
    return False


def _say(client: socket.socket, line: str) -> None:
    client.sendall(line.encode("ascii") + b"\r\n")


def _pass(client: socket.socket, server: int | None, found: Relay) -> None:
    if server is None:
        while len(found.client) < _MOST and not _whole(found.client):
            if not (data := client.recv(4096)):
                return
            found.client += data
        found.seen.set()
        return
    with socket.create_connection(("127.0.0.1", server), _SECONDS) as other:
        other.settimeout(_SECONDS)
        with selectors.DefaultSelector() as both:
            both.register(client, selectors.EVENT_READ, (found.client, other))
            both.register(other, selectors.EVENT_READ, (found.server, client))
            while ready := both.select(_SECONDS):
                for key, _ in ready:
                    kept, to = key.data
                    if not (data := key.fileobj.recv(4096)):
                        return
                    kept += data[: _MOST - len(kept)]
                    to.sendall(data)
                    if not found.seen.is_set() and _whole(found.client):
                        found.seen.set()


def _whole(stream: bytearray) -> bool:
    try:
        handshake(bytes(stream))
    except Truncated:
        return False
    except Malformed:
        return True
    return True
