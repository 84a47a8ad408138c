"""A web client whose connections have bounds."""

import http.client

from audit.bounded import Bounds
from audit.connect import connect, secure


class Client(http.client.HTTPSConnection):
    """HTTPS to one server, whose certificate is verified for its name."""

    def __init__(
        self,
        host: str,
        port: int,
        bounds: Bounds,
        *,
        addresses: tuple[str, ...] = (),
        trusted: tuple[bytes, ...] | None = None,
    ) -> None:
        """Take all that is needed; it is not connected yet.

        Args:
            host: its name.
            port: TCP port.
            bounds: of the connection.
            addresses: where it is, if that is known; otherwise the system is asked.
            trusted: root certificates, DER; None for the system's.
        """
        super().__init__(host, port)
        self._bounds, self._addresses, self._trusted = bounds, addresses, trusted

    def connect(self) -> None:
        """Connect and shake hands, within the bounds."""
        plain = connect(self.host, self.port, self._bounds, self._addresses)
        self.sock = secure(plain, self.host, self._bounds, self._trusted)
