"""Relays and web servers that news go to, and news to send."""

import http.client
import io
import json
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_string, policy
from email.message import EmailMessage
from typing import Any

import pytest
from msgspec.structs import replace

from audit import roots
from audit.changes import compare
from audit.findings import Run
from audit.history.entry import Series
from audit.notify import mail
from audit.notify.post import Post
from audit.notify.target import Target
from audit.past import Night, Past
from tests.passage.served import Talk, Words, serving
from tests.servers import Pki, listening

SERIES = Series(inventory="/etc/mailseal/inventory")
OK = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass
class Mailbox:
    """A relay that takes mail.

    Attributes:
        port: where it listens.
        mails: what it took.
        secure: for each, whether TLS was there by then.
    """

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    secure: list[bool] = field(default_factory=list)

    @property
    def relay(self) -> mail.Relay:
        """It, as the command line names it."""
        return mail.relay(f"smtp://localhost:{self.port}")

    def take(self, talk: Talk, _line: str) -> None:
        """DATA."""
        talk.say("354 go ahead")
        text = ""
        while (line := talk.line()) != ".":
            text += f"{line.removeprefix('.')}\n"
        self.mails.append(message_from_string(text, policy=policy.default))
        self.secure.append(talk.secure)
        talk.say("250 2.0.0 taken")


@contextmanager
def relaying(pki: Pki, mode: Any = "starttls", wrong: Words | None = None) -> Iterator[Mailbox]:
    """A relay that is good but for some words."""
    box = Mailbox()
    with serving(
        pki, "smtp", mode, wrong={"DATA": box.take, "RSET": "250 ok", **(wrong or {})}
    ) as port:
        box.port = port
        yield box


@dataclass
class Hook:
    """A web server that takes documents.

    Attributes:
        port: where it listens.
        requests: the head and the body of each.
    """

    port: int = 0
    requests: list[tuple[http.client.HTTPMessage, bytes]] = field(default_factory=list)

    @property
    def target(self) -> Target:
        """It, as the command line names it."""
        return Target(url=f"https://localhost:{self.port}/hooks/hunter2?a=b")

    @property
    def documents(self) -> list[dict[str, Any]]:
        """What it took."""
        return [json.loads(body) for _, body in self.requests]


@contextmanager
def hooking(pki: Pki, answer: Callable[[socket.socket], None] | bytes = OK) -> Iterator[Hook]:
    """A web server that says this to a request, or does that."""
    hook = Hook()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*pki.rsa)

    def one(plain: socket.socket) -> None:
        with tls.wrap_socket(plain, server_side=True) as link:
            file = link.makefile("rb")
            file.readline()
            head = http.client.parse_headers(io.BytesIO(_head(file)))
            hook.requests.append((head, file.read(int(head["Content-Length"]))))
            if callable(answer):
                answer(link)
            else:
                link.sendall(answer)

    with listening(one) as port:
        hook.port = port
        yield hook


def _head(file: Any) -> bytes:
    lines = []
    while (line := file.readline()) not in (b"\r\n", b""):
        lines.append(line)
    return b"".join(lines) + b"\r\n"


def trust(pki: Pki, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the root of the tests the system's."""
    ours = roots.read(str(pki.root))
    monkeypatch.setattr(roots, "read", lambda _file="": ours)


def telling(*targets: Target, relay: mail.Relay | None = None, key: bytes = b"") -> Post:
    """Everybody who is told."""
    return Post(
        targets=targets,
        relay=relay or mail.relay("smtp://localhost:1"),
        sender="audit@control.example",
        key=key,
    )


def after(before: Run, now: Run) -> tuple[Run, Past]:
    """A run, and the one before it as its past."""
    night = Night(run="20261127T030000Z", started=before.started, counts={})
    past = Past(changes=compare(before, now), notices=before.notices, nights=(night,))
    return replace(now, run="20261128T030000Z"), past


def aged(days: int) -> timedelta:
    """So many days."""
    return timedelta(days=days)
