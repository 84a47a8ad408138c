"""Sockets that end in time and after so many bytes, whatever client library reads from them.

The clients of the standard library bound a line, but neither the number of lines nor the time: a
byte a second would keep them for ever.
"""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

_OCTETS = 1 << 20  # of all that a server says; the list of a mailbox is the longest of it


class Bounds:
    """What is left of one connection's time and bytes.

    Attributes:
        broken: which bound was reached, in words; empty as long as none was.
    """

    def __init__(self, seconds: float) -> None:
        """Begin."""
        self.broken = ""
        self._seconds = seconds
        self._end = time.monotonic() + seconds
        self._octets = _OCTETS

    def left(self) -> float:
        """Seconds.

        Raises:
            TimeoutError: there are none.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise self.late()
        return left

    def late(self) -> TimeoutError:
        """Note that time is over; the error to raise."""
        self.broken = f"not done within {self._seconds:g} s"
        return TimeoutError(self.broken)

    def take(self, octets: int) -> None:
        """Count what has come.

        Raises:
            OSError: it was too much.
        """
        self._octets -= octets
        if self._octets < 0:
            self.broken = f"the server says more than {_OCTETS} bytes"
            raise OSError(self.broken)


class _Bounded(socket.socket):
    """What the clients call of a socket; in a class before SSLSocket, so that both kinds obey."""

    @property
    def bounds(self) -> Bounds:
        raise NotImplementedError

    @contextmanager
    def _in_time(self) -> Iterator[None]:
        self.settimeout(self.bounds.left())
        try:
            yield
        except TimeoutError:
            raise self.bounds.late() from None

    def recv_into(
        self, buffer: "WriteableBuffer", nbytes: int | None = None, flags: int = 0
    ) -> int:
        with self._in_time():
            count = super().recv_into(buffer, nbytes or memoryview(buffer).nbytes, flags)
        self.bounds.take(count)
        return count

    def sendall(self, data: "ReadableBuffer", flags: int = 0) -> None:
        with self._in_time():
            super().sendall(data, flags)


class Plain(_Bounded):
    """A TCP connection."""

    def __init__(self, family: int, bounds: Bounds) -> None:
        """Take the bounds; it is not connected yet."""
        super().__init__(family, socket.SOCK_STREAM)
        self._bounds = bounds

    @property
    def bounds(self) -> Bounds:
        """Its own."""
        return self._bounds


class Secured(_Bounded, ssl.SSLSocket):
    """TLS over it."""

    @property
    def bounds(self) -> Bounds:
        """Those of the context that it was made by."""
        return cast("Context", self.context).bounds


class Context(ssl.SSLContext):
    """Verified TLS for one connection: these roots and no others, and the name is checked."""

    sslsocket_class = Secured
    bounds: Bounds

    def wrap_socket(self, sock: socket.socket, *arguments: object, **options: object) -> Secured:
        """Shake hands in the time that is left."""
        sock.settimeout(self.bounds.left())
        return cast("Secured", super().wrap_socket(sock, *arguments, **options))  # type: ignore[arg-type]


def context(roots: tuple[bytes, ...], bounds: Bounds) -> Context:
    """The context of one connection."""
    made = Context(ssl.PROTOCOL_TLS_CLIENT)
    made.bounds = bounds
    # Python leaves out what other clients take (SHA-1 in a MAC); suites are the audit's business.
    made.set_ciphers("DEFAULT")
    if roots:
        made.load_verify_locations(cadata=b"".join(roots))
    return made
