"""Mails handed in at a submission host, as a user's program does it: TLS, then a login.

It runs in the hub's network namespace, on the real machine's Python: `python -m lab.submission`,
with the order as JSON on its input, so that no process list shows the password.
"""

import json
import smtplib
import ssl
import sys
from typing import Any

import msgspec
from msgspec import Struct

from lab import net, paths
from lab.errors import LabError
from lab.shell import run

_PORT = 587
_SECONDS = 30.0
_ACCEPTED = 250


class Mail(Struct, frozen=True):
    """One mail: envelope and text, headers included."""

    sender: str
    recipient: str
    text: str


class Order(Struct, frozen=True):
    """Mails, and where they are handed in, by whom."""

    name: str
    ca: str
    user: str
    password: str
    mails: tuple[Mail, ...]


def submit(order: Order) -> dict[str, str]:
    """Hand mails in from the hub; return recipient → the message's number in the host's queue.

    Raises LabError when one is not taken.
    """
    words = [*net.at_hub(), "env", f"PYTHONPATH={paths.PACKAGE.parent}", sys.executable]
    stdin = msgspec.json.encode(order)
    limit = 60 + _SECONDS * len(order.mails)
    said = run([*words, "-m", "lab.submission"], stdin=stdin, timeout=limit, what="submission")
    answer: dict[str, Any] = json.loads(said)
    if "error" in answer:
        raise LabError(f"{order.name} takes no mail (was it rolled out?): {answer['error']}")
    return answer


def _submit(order: Order) -> dict[str, str]:
    """One connection for each: a host queues what is more than so many, and does not deliver it."""
    context = ssl.create_default_context(cafile=order.ca)
    found = {}
    for mail in order.mails:
        with smtplib.SMTP(order.name, _PORT, timeout=_SECONDS) as client:
            client.starttls(context=context)
            client.login(order.user, order.password)
            for code, words in (client.mail(mail.sender), client.rcpt(mail.recipient)):
                if code != _ACCEPTED:
                    raise smtplib.SMTPResponseException(code, words)
            code, words = client.data(mail.text)
            found[mail.recipient] = words.decode("ascii", "replace").rpartition("id=")[2]
    return found


def _main() -> None:
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    try:
        answer: dict[str, str] = _submit(order)
    except (OSError, smtplib.SMTPException) as error:
        answer = {"error": str(error)}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    _main()
