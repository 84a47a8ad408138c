"""rollout.yml on a cluster, and what came of it on each host."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec

from audit import unsaid
from audit.errors import UNDETERMINED, MailsealError
from audit.prospect.deployment import Deployment, deployment
from audit.report.reporters import put
from audit.staging.sides import Side

_TOP = Path(__file__).resolve().parents[2]
_ROLLOUT = _TOP / "rollout.yml"
_CALLBACK = Path(__file__).parent / "callback"
_LONGEST = 6 * 3600.0  # seconds; 25 hosts take minutes, and a library that is built half an hour
_TURN = 0.5  # seconds between two looks at the events
_GRACE = 30.0  # seconds in which an interrupted Ansible tidies up

# Nothing is changed, and in one batch every host says what it would get, whatever others do.
_TRYING = ("--check", "-e", '{"mailseal_batches": ["100%"]}')


def roll_out(
    side: Side, step: Callable[[str], None], log: Path | None, *, check: bool = False
) -> Deployment:
    """Deploy a state, or with *check* only ask what that would replace.

    Args:
        side: the state.
        step: called with each host and task.
        log: where Ansible's own words go; None for nowhere.
        check: change nothing.

    Raises:
        MailsealError: there is no rollout.yml or no Ansible, or it did not end.
    """
    program = Path(sys.executable).parent / "ansible-playbook"
    for path, why in ((_ROLLOUT, "staging runs from a checkout of mailseal"), (program, "")):
        if not path.exists():
            raise MailsealError(f"{path} is missing{': ' if why else ''}{why}", UNDETERMINED)
    words = [str(program), *side.options, *(_TRYING if check else ()), "--diff", str(_ROLLOUT)]
    with tempfile.TemporaryDirectory(prefix="mailseal-") as folder:
        events, said = Path(folder) / "events", Path(folder) / "log"
        events.touch()
        try:
            code = _run(words, events, said, step)
        finally:
            if log:
                put(_harmless(said), log)
        return deployment(_lines(events), code, said.read_text("utf-8", "replace"))


def _run(words: Sequence[str], events: Path, said: Path, step: Callable[[str], None]) -> int:
    environment = {
        "ANSIBLE_CONFIG": str(_TOP / "ansible.cfg"),
        **os.environ,
        "ANSIBLE_CALLBACK_PLUGINS": str(_CALLBACK),
        "ANSIBLE_CALLBACKS_ENABLED": "mailseal_events",
        "ANSIBLE_NOCOLOR": "1",
        "MAILSEAL_EVENTS": str(events),
    }
    end = time.monotonic() + _LONGEST
    try:
        with (
            said.open("wb") as out,
            events.open(encoding="utf-8", errors="replace") as told,
            _ended(words, environment, out) as process,
        ):
            while process.poll() is None:
                if time.monotonic() > end:
                    raise MailsealError("the deployment did not come to its end", UNDETERMINED)
                _tell(told, step)
                time.sleep(_TURN)
            return process.returncode
    except OSError as error:
        raise MailsealError(f"{words[0]}: {error.strerror or error}") from None


@contextmanager
def _ended(
    words: Sequence[str], environment: dict[str, str], out: IO[bytes]
) -> "Iterator[subprocess.Popen[bytes]]":
    """A process in a session of its own: it is told once that it is to end, and by us."""
    with subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=out,
        env=environment,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                try:
                    process.wait(_GRACE)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)


def _tell(told: IO[str], step: Callable[[str], None]) -> None:
    """The last task that has begun; half a line waits for its other half."""
    at = told.tell()
    for line in iter(told.readline, ""):
        if not line.endswith("\n"):
            told.seek(at)
            return
        at = told.tell()
        event = msgspec.json.decode(line)
        if event["event"] == "task":
            step(f"{event['host']}: {event['task']}")


def _lines(file: Path) -> list[str]:
    return file.read_text("utf-8", "replace").splitlines()


def _harmless(said: Path) -> bytes:
    """Ansible shows whole differences; the log is kept by whoever keeps what a job leaves."""
    lines = _lines(said) if said.exists() else []
    return "".join(f"{unsaid.said(line)}\n" for line in lines).encode()
