"""A mail to a relay: by SMTP, because only that says at once whether it was taken.

`sendmail` would be another way for the same mail: it is setuid or setgid on most systems, which a
service that may gain no privileges cannot start, and says the same "yes" whatever becomes of it.
"""

import re
import smtplib
import socket
from contextlib import suppress
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from msgspec import Struct

from audit import connect
from audit.account import ADDRESS
from audit.bounded import Bounds
from audit.errors import MailsealError
from audit.report.visible import visible

USUAL = "smtp://localhost"
_PORTS = {"smtp": 25, "smtps": 465}
_RELAY = re.compile(r"(smtps?)://(?:([A-Za-z0-9._-]+)|\[([0-9A-Fa-f:.]+)\])(?::([0-9]{1,5}))?/?")
_LONGEST = 200  # characters of what a relay says
_HIGHEST = 65535


class Relay(Struct, frozen=True):
    """Who takes mail.

    Attributes:
        host, port: where.
        implicit: TLS comes first and is verified; otherwise it is taken where it is offered.
    """

    host: str
    port: int
    implicit: bool

    def __str__(self) -> str:
        """smtp://relay.example:25."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'smtps' if self.implicit else 'smtp'}://{host}:{self.port}"


def relay(text: str) -> Relay:
    """The relay that is meant by smtp://HOST[:PORT] or smtps://HOST[:PORT].

    Raises:
        MailsealError: it is no such thing. The sentence does not repeat it: it may hold a password.
    """
    found = _RELAY.fullmatch(text)
    port = int(found[4] or _PORTS[found[1]]) if found else 0
    if not found or not 1 <= port <= _HIGHEST:
        words = "--mail-relay: must be smtp://HOST[:PORT] or smtps://HOST[:PORT], without a login"
        raise MailsealError(words)
    return Relay(found[2] or found[3], port, found[1] == "smtps")


def sender(text: str | None) -> str:
    """Who a mail is from; by default root of this machine.

    Raises:
        MailsealError: it is no mail address.
    """
    if text is None:
        usual = f"root@{socket.getfqdn()}"
        return usual if ADDRESS.fullmatch(usual) else "root@localhost"
    if not ADDRESS.fullmatch(text):
        raise MailsealError(f"--mail-from: {text!r} is no mail address in ASCII")
    return text


def compose(subject: str, body: str, whence: str, to: str, when: datetime) -> EmailMessage:
    """The mail: plain text in lines that every relay takes.

    Raises:
        ValueError: a header would have a line break in it.
    """
    message = EmailMessage()
    message["From"] = whence
    message["To"] = to
    message["Subject"] = subject
    message["Date"] = format_datetime(when)
    message["Message-ID"] = make_msgid("mailseal", whence.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody is on holiday for it
    message.set_content(body, cte="quoted-printable")
    return message


class _Client(smtplib.SMTP):
    """A client on a connection that is there already."""

    def __init__(self, link: socket.socket, host: str) -> None:
        self._link = link
        super().__init__(host, 1)  # any port: it is connected

    def _get_socket(self, _host: str, _port: int, _timeout: float) -> socket.socket:
        return self._link


def send(message: EmailMessage, place: Relay) -> str:
    """Hand it over; why the relay did not take it, or nothing."""
    bounds = Bounds(connect.SECONDS)
    try:
        with connect.connect(place.host, place.port, bounds) as plain:
            link = connect.secure(plain, place.host, bounds) if place.implicit else plain
            _hand(message, _Client(link, place.host), place, bounds)
    except smtplib.SMTPRecipientsRefused as error:
        why = _said(*next(iter(error.recipients.values())))
    except smtplib.SMTPResponseException as error:
        why = _said(error.smtp_code, error.smtp_error)
    except (OSError, smtplib.SMTPException) as error:
        why = bounds.broken or visible(connect.reason(error), longest=_LONGEST)
    else:
        return ""
    return f"{place}: {why}"


def _hand(message: EmailMessage, client: smtplib.SMTP, place: Relay, bounds: Bounds) -> None:
    """Say all that has to be said."""
    try:
        client.ehlo_or_helo_if_needed()
        if not place.implicit and client.has_extn("starttls"):
            client.starttls(context=connect.unverified(bounds))
        client.send_message(message)
    finally:  # what is said to the farewell says nothing of the mail
        with suppress(OSError, smtplib.SMTPException):
            client.quit()


def _said(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "backslashreplace") if isinstance(words, bytes) else words
    return f"it says {code} {visible(' '.join(text.split()), longest=_LONGEST)}"
