"""Where an errand has come to, and the connection that it is on."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from audit.bounded import Bounds, Context, context
from audit.passage.connect import connect
from audit.passage.outcome import Stopped
from audit.passage.plan import Place
from audit.wire.dialogue import PROTOCOLS

_SECONDS = 30.0  # for everything said on one connection
_GOODBYE = 0.5


class Way:
    """One errand under way.

    Attributes:
        step: what is being done, as the report names it.
        bounds: those of the connection that is open.
        message: the Message-ID of the mail that was accepted.
    """

    def __init__(self) -> None:
        """Nothing is done yet."""
        self.step = ""
        self.bounds = Bounds(_SECONDS)
        self.message = ""

    @contextmanager
    def open(self, place: Place, more: float = 0.0) -> Iterator[tuple[socket.socket, Context]]:
        """A connection up to its greeting, in TLS if that comes first; with *more* seconds.

        Raises:
            Stopped: there is none.
            OSError: TLS came to no good end.
        """
        self.bounds = Bounds(_SECONDS + more)
        self.step = "connect"
        tls = context(place.roots, self.bounds)
        link: socket.socket = connect(place.endpoint, self.bounds)
        try:
            if place.endpoint.mode == "implicit":
                self.step = "TLS"
                link = tls.wrap_socket(link, server_hostname=place.endpoint.name)
            self.step = "greeting"
            yield link, tls
        finally:
            link.close()

    def leave(self, link: socket.socket | None, place: Place) -> None:
        """Say good-bye where the errand ended early; nobody waits for the answer."""
        if link and self.step != "logout":
            with suppress(OSError, ValueError):  # it is closed already
                link.settimeout(_GOODBYE)
                link.send(PROTOCOLS[place.endpoint.service].quit)

    def start_tls(self, place: Place, offered: Callable[[], bool]) -> bool:
        """Whether TLS is to be started now.

        Raises:
            Stopped: it should be, and is not offered.
        """
        if place.endpoint.mode == "implicit":
            return False
        self.step = "STARTTLS"
        if not offered():
            raise Stopped("refused", "STARTTLS is not offered")
        return True
