"""ManageSieve (RFC 5804), as a user's client speaks it; no library that is kept up knows it."""

import base64
import socket

from audit.account import Account
from audit.passage.outcome import Stopped
from audit.passage.plan import Place
from audit.passage.reasons import told
from audit.passage.way import Way
from audit.wire.dialogue import advertised
from audit.wire.reply import Reply, ReplyReader

_CHUNK = 8192


class _Client:
    """Commands out, replies in."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._reader = ReplyReader()

    def reply(self, *, greeting: bool = False) -> Reply:
        """The next one, which must agree."""
        while (reply := self._reader.take("sieve")) is None:
            chunk = bytearray(_CHUNK)
            count = self._link.recv_into(chunk)
            if not count:
                raise Stopped("broken", "the server ended the connection")
            self._reader.feed(bytes(chunk[:count]))
        if not reply.ok:
            raise told(reply.last, greeting=greeting)
        return reply

    def command(self, text: str) -> Reply:
        """Say something; the reply."""
        self._link.sendall(f"{text}\r\n".encode())
        return self.reply()


def visit(place: Place, account: Account, way: Way) -> None:
    """Log in, list the scripts, log out."""
    with way.open(place) as (link, tls):
        client = _Client(link)
        reply = client.reply(greeting=True)
        if way.start_tls(place, lambda: advertised("sieve", reply.lines)):
            client.command("STARTTLS")
            with tls.wrap_socket(link, server_hostname=place.endpoint.name) as inner:
                # What came before TLS is nothing that is said inside it.
                client = _Client(inner)
                client.reply()
                _session(client, account, way)
        else:
            _session(client, account, way)


def _session(client: _Client, account: Account, way: Way) -> None:
    way.step = "login"
    client.command(f'AUTHENTICATE "PLAIN" "{base64.b64encode(account.plain).decode()}"')
    way.step = "list"
    client.command("LISTSCRIPTS")
    way.step = "logout"
    client.command("LOGOUT")
