"""One TCP connection to one endpoint, bounded in bytes and time."""

import errno
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from msgspec import Struct

from audit.facts import Endpoint
from audit.probe.errors import (
    NoAnswer,
    NoRoute,
    PortClosed,
    Reset,
    Throttled,
)
from audit.probe.talk import Talk
from audit.wire.answer import Answer, Garbage, Reader
from audit.wire.dialogue import PROTOCOLS, to_starttls
from audit.wire.hello import Hello

_CHUNK = 16384
_MOST_HEARD = 1 << 16
_CLOSE_NOTIFY = b"\x15\x03\x01\x00\x02\x01\x00"
# What a busy server says in clear even where TLS comes first.
BUSY = (b"421", b"* BYE", b"-ERR", b"BYE")
_NO_ROUTE = (errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPERM, errno.EACCES)


class Limits(Struct, frozen=True):
    """How long to wait, in seconds.

    Attributes:
        connect: for the TCP connection.
        total: for everything said on one connection; a byte a second does not stretch it.
    """

    connect: float = 5.0
    total: float = 10.0


class Connection(Talk):
    """Opens on construction; use as a context manager.

    Attributes:
        endpoint: where it leads.
        tap: given all that is received, as it comes.
        farewell: what to say last, if a session inside TLS has its own words for that.
    """

    def __init__(self, endpoint: Endpoint, limits: Limits) -> None:
        """Connect.

        Raises:
            PortClosed, NoRoute, NoAnswer, Reset: there is no connection.
        """
        super().__init__()
        self.endpoint = endpoint
        self.tap: Callable[[bytes], None] | None = None
        self.farewell: Callable[[], bytes] | None = None
        self._in_tls = False
        self._socket = _connect(endpoint, limits.connect)
        self._deadline = time.monotonic() + limits.total

    def __enter__(self) -> Self:
        """Give the open connection."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Say good-bye where a dialogue is open, then close."""
        self.close()

    def close(self) -> None:
        """End it politely: a dialogue by its own word, a handshake by close_notify."""
        with suppress(OSError):  # it is gone already
            self._socket.settimeout(0.5)
            self._socket.sendall(self.farewell() if self.farewell else self._parting())
        self._socket.close()

    def _parting(self) -> bytes:
        """The last words where no session inside TLS has its own.

        A server whose STARTTLS came to nothing may go on in clear: Cyrus' pop3d serves the next
        client if it hears QUIT then, and ends if it does not, so that another has to be started.
        """
        opened = self._in_tls or self.endpoint.mode == "implicit"
        clear = self.endpoint.mode == "starttls"
        return _CLOSE_NOTIFY * opened + PROTOCOLS[self.endpoint.service].quit * clear

    def to_tls(self) -> None:
        """Come to the point where TLS begins: through STARTTLS, or at once in implicit mode.

        Raises:
            ProbeError: as for `converse`.
        """
        if self.endpoint.mode == "starttls":
            self.converse(to_starttls(self.endpoint.service))

    def hello(self, hello: Hello) -> Answer:
        """Send a ClientHello; the answer.

        Raises:
            Throttled: the server is busy and says so in clear.
            NoAnswer, Reset: neither came.
        """
        self._in_tls = True
        reader = Reader(hello.version)
        self.send(hello.record())
        answer = None
        try:
            while answer is None:
                data = self.receive()
                answer = reader.feed(data) if data else reader.end()
        except NoAnswer:
            # A refusal as a warning, with the connection left open, is still a refusal.
            answer = reader.warning
            if answer is None:
                raise
        if isinstance(answer, Garbage) and answer.start.startswith(BUSY):
            raise Throttled(f"the server refuses for now: {answer}")
        return answer

    def send(self, data: bytes) -> None:
        """Send all of it.

        Raises:
            NoAnswer, Reset: it could not be sent.
        """
        try:
            self._socket.settimeout(self._left())
            self._socket.sendall(data)
        except TimeoutError:
            raise NoAnswer("the server took no data in time") from None
        except OSError as error:
            raise Reset(f"the connection broke: {error.strerror or error}") from None

    def receive(self, within: float | None = None) -> bytes:
        """What has come, *within* some seconds or all that are left; nothing at the server's end.

        Raises:
            NoAnswer, Reset: nothing came, or the connection broke.
        """
        try:
            left = self._left()
            self._socket.settimeout(left if within is None else max(min(within, left), 0.001))
            data = self._socket.recv(_CHUNK)
        except TimeoutError:
            raise NoAnswer("no complete answer in time") from None
        except OSError as error:
            raise Reset(f"the connection broke: {error.strerror or error}") from None
        if self.tap:
            self.tap(data)
        return data

    def listen(self, seconds: float, enough: Callable[[bytes], bool]) -> tuple[bytes, bool]:
        """All that comes within so many seconds or until *enough* came; whether the server closed.

        A reset counts as a close: it is what a server does that leaves data unread.
        """
        heard, end = b"", time.monotonic() + seconds
        while len(heard) < _MOST_HEARD and not enough(heard):
            try:
                data = self.receive(end - time.monotonic())
            except NoAnswer:
                return heard, False
            except Reset:
                data = b""
            if not data:
                return heard, True
            heard += data
        return heard, False

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise NoAnswer("no complete answer in time")
        return left


def _connect(endpoint: Endpoint, timeout: float) -> socket.socket:
    try:
        made = socket.create_connection((endpoint.address, endpoint.port), timeout=timeout)
    except ConnectionRefusedError:
        raise PortClosed("connection refused") from None
    except TimeoutError:
        raise NoAnswer(f"no answer to a connection in {timeout:g} s") from None
    except ConnectionResetError:
        raise Reset("the connection was reset at once") from None
    except OSError as error:
        if error.errno in _NO_ROUTE:
            raise NoRoute(f"no way there from this machine: {error.strerror}") from None
        raise NoAnswer(f"unreachable: {error.strerror or error}") from None
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made
