"""Mail over a program that carries lines through TLS: whether it was taken, told with certainty.

The program is one of `tests.clients.pipes`, with its input and output in our hands. A server's last
words decide: that it queued the mail, or let the user in. What is neither that nor the end of a
handshake is an error.
"""

import base64
import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from audit.wire.client_records import handshake
from audit.wire.server_hello import Malformed
from tests.clients.driver import At, Start
from tests.clients.relay import relay

Outcome = Literal["taken", "no TLS"]
# What is said, and what the answer must match; an answer that begins otherwise is awaited further.
Step = tuple[str, str]
_SECONDS = 60.0  # Java compiles its program first
_NO = re.compile(r"^(?:[45]\d\d |\w+ (?:NO|BAD) )", re.MULTILINE)


class TalkError(Exception):
    """It was neither taken nor was it TLS that failed; the program's words are in it."""


@dataclass(frozen=True)
class _Said:
    """What came of a talk.

    Attributes:
        steps: how many of them were answered.
        words: all that the program wrote.
        over: the program ended, or closed its output, before the last of them.
    """

    steps: int
    words: str
    over: bool


def hand_in(
    sender: str, to: str, user: str = "", password: str = "", *, greeted: bool
) -> list[Step]:
    """A mail over SMTP; *greeted*, if the server speaks first, as it does without STARTTLS."""
    login = base64.b64encode(f"\0{user}\0{password}".encode()).decode("ascii")
    steps = [("", r"220 ")] if greeted else []
    steps += [("EHLO client.example", r"250 ")]
    steps += [(f"AUTH PLAIN {login}", r"235 ")] if user else []
    steps += [(f"MAIL FROM:<{sender}>", r"250 "), (f"RCPT TO:<{to}>", r"250 ")]
    mail = f"From: <{sender}>\r\n\r\nhello\r\n."
    return [*steps, ("DATA", r"354 "), (mail, r"250 OK id="), ("QUIT", r"221 ")]


def log_in(user: str, password: str) -> list[Step]:
    """A login over IMAP, and the end of it."""
    return [("", r"\* OK "), (f"in LOGIN {user} {password}", "in OK "), ("out LOGOUT", "out OK ")]


def carried(
    begin: Callable[[At], Start], port: int, folder: Path, roots: Path, steps: Sequence[Step]
) -> Outcome:
    """Lead the program to a port on loopback and say all that there is to say.

    Raises:
        TalkError: it cannot be told what came of it.
        MissingError: this machine cannot start it.
    """
    with relay("tls", port) as passed:
        said = _said(begin(At(passed.port, folder, roots)), folder, steps)
    if said.steps == len(steps):
        return "taken"
    if said.steps == 0 and said.over and _asked(bytes(passed.client)):
        return "no TLS"
    errors = (folder / "errors").read_text(encoding="utf-8", errors="replace")
    raise TalkError(f"after {said.steps} of {len(steps)} answers: {said.words}\n{errors[-1000:]}")


def _asked(stream: bytes) -> bool:
    """Whether a whole hello came."""
    try:
        return bool(handshake(stream))
    except Malformed:
        return False


def _said(start: Start, folder: Path, steps: Sequence[Step]) -> _Said:
    with (
        (folder / "errors").open("wb") as errors,
        subprocess.Popen(
            start.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, **start.environment},
            start_new_session=True,
            bufsize=0,
        ) as process,
    ):
        try:
            assert process.stdin
            assert process.stdout
            return _talk(process.stdin, process.stdout, steps)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _talk(to: IO[bytes], of: IO[bytes], steps: Sequence[Step]) -> _Said:
    words, at = "", 0
    end = time.monotonic() + _SECONDS
    with selectors.DefaultSelector() as ready:
        ready.register(of, selectors.EVENT_READ)
        for number, (line, expected) in enumerate(steps):
            with suppress(BrokenPipeError):
                to.write(f"{line}\r\n".encode() if line else b"")
            while not (found := re.compile(f"^{expected}.*\n", re.MULTILINE).search(words, at)):
                if _NO.search(words, at) or not ready.select(max(0.0, end - time.monotonic())):
                    return _Said(number, words, over=False)
                if not (data := of.read(1 << 14)):
                    return _Said(number, words, over=True)
                words += data.decode("utf-8", "replace").replace("\r\n", "\n")
            at = found.end()
    return _Said(len(steps), words, over=False)
