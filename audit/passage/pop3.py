"""POP3, as a user's client speaks it."""

import poplib
import socket
from contextlib import suppress

from audit.account import Account
from audit.passage.plan import Place
from audit.passage.way import Way


class Client(poplib.POP3):
    """On a connection that is there already; the name is for the certificate."""

    def __init__(self, name: str, port: int, link: socket.socket) -> None:
        """Read the greeting."""
        self._link = link
        super().__init__(name, port)

    def _create_socket(self, timeout: float) -> socket.socket:  # noqa: ARG002 - the library's
        return self._link


def visit(place: Place, account: Account, way: Way) -> None:
    """Log in, list the mails, log out."""
    with way.open(place) as (link, tls):
        client = Client(place.endpoint.name, place.endpoint.port, link)
        try:
            if way.start_tls(place, lambda: "STLS" in client.capa()):
                client.stls(tls)
            way.step = "login"
            client.user(account.user)
            if _logged_in(client, account.password):
                way.step = "list"
                client.list()
            way.step = "logout"
            client.quit()
        finally:
            way.leave(client.sock, place)
            with suppress(OSError):
                client.close()


def _logged_in(client: Client, password: str) -> bool:
    """Whether there is a mailbox now; there is none where the same user came a moment ago.

    A server says LOGIN-DELAY to PASS once it knows that the password is right (RFC 2449, 8.1.1), so
    that is a login as well.
    """
    try:
        client.pass_(password)
    except poplib.error_proto as error:
        if error.args and error.args[0].startswith(b"-ERR [LOGIN-DELAY]"):
            return False
        raise
    return True
