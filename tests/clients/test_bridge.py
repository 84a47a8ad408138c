"""The bridge into a namespace, here without one: what is said before TLS, and who is counted."""

import socket
import threading
from contextlib import suppress

import pytest

from audit import namespace
from tests.clients.bridge import bridge

_SECONDS = 20


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody goes anywhere."""
    monkeypatch.setattr(namespace, "enter", lambda name: None)


def _met(said: tuple[bytes, ...]) -> tuple[int, bytes, bytes, str]:
    """A server that says these, one to greet and one after each line.

    Returns:
        How many were led to it, what the client heard, what the server heard, and from where.
    """
    heard, whence = bytearray(), []

    def serve(listener: socket.socket) -> None:
        server, (address, _) = listener.accept()
        whence.append(address)
        with server:
            for words in said:
                server.sendall(words)
                if data := server.recv(4096):
                    heard.extend(data)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        port = listener.getsockname()[1]
        with bridge("nowhere", "127.0.0.1", port, "smtp", "127.0.0.7") as led:
            with socket.create_connection(("127.0.0.1", led.port), _SECONDS) as client:
                client.sendall(b"hello\r\n")
                words = b""
                with suppress(ConnectionResetError):  # nobody has read its hello
                    words = b"".join(iter(lambda: client.recv(4096), b""))
            thread.join(_SECONDS)
        return led.led, words, bytes(heard), whence[0]


def test_a_client_is_led_to_where_tls_begins() -> None:
    """From the address that was given; what comes behind the go-ahead is the client's."""
    answers = (b"220-a\r\n220 b\r\n", b"250-c\r\n250 STARTTLS\r\n", b"220 go\r\nmore")
    led, words, heard, whence = _met(answers)
    assert (led, words, whence) == (1, b"more", "127.0.0.7")
    assert heard == b"EHLO client.example\r\nSTARTTLS\r\nhello\r\n"


@pytest.mark.parametrize("answers", [(b"554 no\r\n",), (b"220 a\r\n", b"250 b\r\n", b"454 no\r\n")])
def test_a_server_that_does_not_begin_tls_counts_as_not_reached(answers: tuple[bytes, ...]) -> None:
    """So nobody takes it for a handshake that failed."""
    led, words, *_ = _met(answers)
    assert (led, words) == (0, b"")
