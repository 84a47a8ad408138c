"""IMAP, as a user's client speaks it."""

import imaplib
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from audit.account import Account
from audit.passage.outcome import Stopped
from audit.passage.plan import Place
from audit.passage.reasons import told
from audit.passage.way import Way

_LITERAL = 1 << 16  # bytes; the library would make room for whatever number a server says


class Client(imaplib.IMAP4):
    """On a connection that is there already; the name is for the certificate."""

    def __init__(self, name: str, port: int, link: socket.socket) -> None:
        """Read the greeting."""
        self._link = link
        super().__init__(name, port)

    def _create_socket(self, timeout: float | None) -> socket.socket:  # noqa: ARG002 - the library's
        return self._link

    def read(self, size: int) -> bytes:
        """A literal.

        Raises:
            IMAP4.abort: it is larger than anything that was asked for.
        """
        if size > _LITERAL:
            raise self.abort(f"a literal of {size} bytes")
        return super().read(size)


@contextmanager
def session(place: Place, account: Account, way: Way, more: float = 0.0) -> Iterator[Client]:
    """Log in, and in the end log out."""
    with way.open(place, more) as (link, tls):
        client = Client(place.endpoint.name, place.endpoint.port, link)
        try:
            if way.start_tls(place, lambda: "STARTTLS" in client.capabilities):
                client.starttls(tls)
            way.step = "login"
            _log_in(client, account)
            yield client
            way.step = "logout"
            client.logout()
        except imaplib.IMAP4.abort as error:
            if "BYE" in client.untagged_responses:
                raise Stopped("busy", f"BYE {error}") from None
            raise
        finally:
            way.leave(client.sock, place)
            with suppress(OSError):
                client.shutdown()


def visit(place: Place, account: Account, way: Way) -> None:
    """Look at the mailboxes, and into the inbox."""
    with session(place, account, way) as client:
        way.step = "list"
        agreed(client.list('""', "%"))
        open_inbox(client, way, read_only=True)


def open_inbox(client: Client, way: Way, *, read_only: bool) -> None:
    """Select it."""
    way.step = "inbox"
    agreed(client.select("INBOX", readonly=read_only))


def agreed(answer: tuple[str, Sequence[object]]) -> Sequence[object]:
    """What the server said to a command that it obeyed.

    Raises:
        Stopped: it did not.
    """
    word, data = answer
    if word != "OK":
        last = data[-1] if data else b""
        raise told(f"{word} {_text(last)}".rstrip())
    return data


def _text(data: object) -> str:
    return data.decode("utf-8", "replace") if isinstance(data, bytes) else ""


def _log_in(client: Client, account: Account) -> None:
    """By SASL, which takes any character; by LOGIN only where that is all there is."""
    if "AUTH=PLAIN" in client.capabilities:
        client.authenticate("PLAIN", lambda _: account.plain)
    elif not (account.user + account.password).isascii():
        raise Stopped("unfit", "AUTH=PLAIN is not offered, and LOGIN takes ASCII only")
    else:
        client.login(account.user, account.password)
