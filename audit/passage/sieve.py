"""ManageSieve (RFC 5804), as a user's client speaks it; no library that is kept up knows it."""

import base64
import socket

from audit.account import Account
from audit.bounded import Context
from audit.passage.outcome import Stopped
from audit.passage.plan import Place
from audit.passage.reasons import told
from audit.passage.way import Way
from audit.wire.dialogue import advertised
from audit.wire.reply import Reply, ReplyReader

_CHUNK = 8192


class Client:
    """Commands out, replies in."""

    def __init__(self, link: socket.socket) -> None:
        """Read the greeting."""
        self.sock = link
        self._reader = ReplyReader()
        self.greeting = self.reply(greeting=True)

    def reply(self, *, greeting: bool = False) -> Reply:
        """The next one, which must agree."""
        while (reply := self._reader.take("sieve")) is None:
            chunk = bytearray(_CHUNK)
            count = self.sock.recv_into(chunk)
            if not count:
                raise Stopped("broken", "the server ended the connection")
            self._reader.feed(bytes(chunk[:count]))
        if not reply.ok:
            raise told(reply.last, greeting=greeting)
        return reply

    def command(self, text: str) -> Reply:
        """Say something; the reply."""
        self.sock.sendall(f"{text}\r\n".encode())
        return self.reply()

    def start_tls(self, tls: Context, name: str) -> None:
        """What came before is nothing that is said inside; there the capabilities come unasked."""
        self.command("STARTTLS")
        self.sock = tls.wrap_socket(self.sock, server_hostname=name)
        self._reader = ReplyReader()
        self.reply()


def visit(place: Place, account: Account, way: Way) -> None:
    """Log in, list the scripts, log out."""
    with way.open(place) as (link, tls):
        client = Client(link)
        try:
            if way.start_tls(place, lambda: advertised("sieve", client.greeting.lines)):
                client.start_tls(tls, place.endpoint.name)
            way.step = "login"
            client.command(f'AUTHENTICATE "PLAIN" "{base64.b64encode(account.plain).decode()}"')
            way.step = "list"
            client.command("LISTSCRIPTS")
            way.step = "logout"
            client.command("LOGOUT")
        finally:
            way.leave(client.sock, place)
            client.sock.close()
