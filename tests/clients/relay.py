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
_FINE: dict[Opening, str] = {"smtp": "250 ok", "imap": "{tag} OK", "pop3": "+OK"}


@dataclass
class Relay:
    """What passed, from the first byte of TLS on.

    Attributes:
        port: where it listens.
        client, server: what each of them said.
        seen: set once a whole hello has come, or a client has come and gone.
        clear: the commands of a client that came again and went on in clear.
        over: set once the last connection has ended.
    """

    port: int
    client: bytearray = field(default_factory=bytearray)
    server: bytearray = field(default_factory=bytearray)
    clear: list[str] = field(default_factory=list)
    seen: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def relay(opening: Opening, server: int | None = None, *, again: bool = False) -> Iterator[Relay]:
    """Listen for one client; *server* is the port of what it is led to.

    With *again* it may come a second time, and is listened to in clear.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = Relay(listener.getsockname()[1])
        work = (listener, opening, server, found)
        thread = threading.Thread(target=_twice if again else _once, args=work, daemon=True)
        thread.start()
        try:
            yield found
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(_SECONDS)


def _once(listener: socket.socket, opening: Opening, server: int | None, found: Relay) -> None:
    with suppress(OSError):
        client, _ = listener.accept()
        listener.close()
        _lead(client, opening, server, found)
    found.seen.set()
    found.over.set()


def _twice(listener: socket.socket, opening: Opening, server: int | None, found: Relay) -> None:
    with suppress(OSError):
        _lead(listener.accept()[0], opening, server, found)
        client, _ = listener.accept()
        with client:
            client.settimeout(_SECONDS)
            _talk(client, opening, found.clear)
    found.over.set()


def _lead(client: socket.socket, opening: Opening, server: int | None, found: Relay) -> None:
    with client:
        client.settimeout(_SECONDS)
        if opening == "tls" or _talk(client, opening, []):
            _pass(client, server, found)


def _talk(client: socket.socket, opening: Opening, commands: list[str]) -> bool:
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
        commands.append(words[0].upper())
        if commands[-1] in ("STARTTLS", "STLS"):
            _say(client, go.format(tag=tag))
            return True
        answer = offer if commands[-1] == question else _FINE[opening]
        _say(client, answer.format(tag=tag))
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
            both.register(client, selectors.EVENT_READ, (client, found.client, other))
            both.register(other, selectors.EVENT_READ, (other, found.server, client))
            while ready := both.select(_SECONDS):
                for key, _ in ready:
                    whence, kept, to = key.data
                    if not (data := whence.recv(4096)):
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
