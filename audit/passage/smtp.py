"""SMTP and LMTP, as a user's client and another server speak them."""

import base64
import smtplib
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from audit.account import Account
from audit.passage.outcome import Stopped
from audit.passage.plan import Errand, Place
from audit.passage.reasons import coded
from audit.passage.way import Way
from audit.wire.dialogue import CLIENT

_LOGGED_IN = 235
_WANTS_LOGIN = (430, 530)  # Cyrus says 430 where RFC 4954 has 530


class _Given:
    """A client on a connection that is there already; the name is for the certificate."""

    link: socket.socket

    def _get_socket(self, _host: str, _port: int, _timeout: float) -> socket.socket:
        return self.link


class Smtp(_Given, smtplib.SMTP):
    """SMTP."""

    def __init__(self, name: str, port: int, link: socket.socket) -> None:
        """Read the greeting."""
        self.link = link
        super().__init__(name, port, local_hostname=CLIENT)


class Lmtp(_Given, smtplib.LMTP):
    """LMTP."""

    def __init__(self, name: str, port: int, link: socket.socket) -> None:
        """Read the greeting."""
        self.link = link
        super().__init__(name, port, local_hostname=CLIENT)


def send(errand: Errand, account: Account, way: Way, message: str, mail: bytes) -> None:
    """Submit or hand over one mail with this Message-ID."""
    place = errand.place
    with _session(place, way, Lmtp if place.endpoint.service == "lmtp" else Smtp) as client:
        if errand.profile == "submission":
            _log_in(client, account, way)
        sender = account.sender or account.recipient
        way.step = "sender"
        code, words = client.mail(sender)
        # Another server has a login for LMTP where one is wanted, and none where it is not.
        if code in _WANTS_LOGIN and place.endpoint.service == "lmtp":
            _log_in(client, account.deliverer, way)
            way.step = "sender"
            code, words = client.mail(sender)
        _agreed(code, words)
        way.step = "recipient"
        _agreed(*client.rcpt(account.recipient))
        way.step = "mail"
        _agreed(*client.data(mail))
        way.message = message
        way.step = "logout"
        client.quit()


@contextmanager
def _session(
    place: Place, way: Way, kind: Callable[[str, int, socket.socket], Smtp | Lmtp]
) -> Iterator[Smtp | Lmtp]:
    with way.open(place) as (link, tls):
        client = kind(place.endpoint.name, place.endpoint.port, link)
        try:
            _introduce(client, way)
            if way.start_tls(place, lambda: client.has_extn("starttls")):
                client.starttls(context=tls)
                _introduce(client, way)
            yield client
        finally:
            way.leave(client.sock, place)
            with suppress(OSError):
                client.close()


def _introduce(client: Smtp | Lmtp, way: Way) -> None:
    way.step = "introduction"
    _agreed(*client.ehlo())


def _log_in(client: Smtp | Lmtp, account: Account, way: Way) -> None:
    """By PLAIN, once: the library would go on to other mechanisms, and count as several guesses."""
    way.step = "login"
    if not account.user:
        raise Stopped("unfit", "a login is wanted, and mailseal_test_account has no user")
    mechanisms = client.esmtp_features.get("auth", "").upper().split()
    if not mechanisms:
        raise Stopped("refused", "AUTH is not offered")
    if "PLAIN" not in mechanisms:
        raise Stopped("unfit", f"PLAIN is not among what is offered: {' '.join(mechanisms)}")
    code, words = client.docmd("AUTH", f"PLAIN {base64.b64encode(account.plain).decode()}")
    if code != _LOGGED_IN:
        raise coded(code, words)


def _agreed(code: int, words: bytes) -> None:
    if code // 100 != 2:  # noqa: PLR2004 - RFC 5321, section 4.2.1
        raise coded(code, words)
