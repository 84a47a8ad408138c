"""Where rollouts are kept on the control host, and how they are read."""

import fcntl
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from audit.errors import MALFORMED, MailsealError
from audit.rollout.events import DECODER, SCHEMA, Event, Noted, Opened
from audit.rollout.model import Moment, Rollout
from audit.rollout.seen import run_of
from audit.rollout.tell import MOMENTS, Looks, rollout

if TYPE_CHECKING:
    from audit.findings import Run

# As in defaults/main.yml of the role gate.
USUAL = Path("/var/lib/mailseal/rollouts")
RECORD, PAGE = ".jsonl", ".html"
# Names a file, in a directory that is private, which gets what a rollout knows to be secret: for
# whoever started it, and keeps Ansible's own words.
SECRETS = "MAILSEAL_ROLLOUT_SECRETS"
LATEST, PREVIOUS = "latest", "previous"

_NAME = re.compile(r"\d{8}T\d{6}Z(?:-(\d+))?")
_CHANGE = re.compile(r"\d{8}T\d{6}Z\+*")


class _Head(msgspec.Struct):
    schema: str = ""


def names(directory: Path) -> list[str]:
    """The rollouts that there are records of, the oldest first.

    Raises:
        OSError: the directory cannot be read; one that is not there has none.
    """
    if not directory.exists():
        return []
    files = (p for p in directory.iterdir() if p.suffix == RECORD and p.is_file())
    found = [p.name.removesuffix(RECORD) for p in files]
    return sorted(filter(_NAME.fullmatch, found), key=_order)


def _order(name: str) -> tuple[str, int]:
    stamp, _, number = name.partition("-")
    return stamp, int(number or 1)


def find(directory: Path, word: str) -> str:
    """The rollout that is meant.

    Args:
        directory: where they are kept.
        word: its name, the beginning of it, latest or previous.

    Raises:
        MailsealError: there is none, or several begin so.
    """
    known = known_names(directory)
    if not known:
        raise MailsealError(f"{directory}: no rollout is recorded there")
    if word in (LATEST, PREVIOUS):
        place = 1 if word == LATEST else 2
        if len(known) < place:
            raise MailsealError(f"{directory}: there is only one rollout")
        return known[-place]
    if word in known:
        return word
    fit = [name for name in known if name.startswith(word)]
    if not fit:
        raise MailsealError(f"{directory}: there is no rollout {word!r}; the last is {known[-1]}")
    if len(fit) > 1:
        raise MailsealError(f"{word!r} may be {fit[0]} or {fit[-1]}")
    return fit[0]


def known_names(directory: Path) -> list[str]:
    """The same as `names`, with a sentence where they cannot be read.

    Raises:
        MailsealError: they cannot.
    """
    try:
        return names(directory)
    except OSError as error:
        raise MailsealError(f"{directory}: cannot be read ({error.strerror})") from None


def load(directory: Path, name: str, *, looks: bool = True) -> Rollout:
    """One rollout.

    Args:
        directory: where they are kept.
        name: as `names` has it.
        looks: whether to read what the gate saw, too.

    Raises:
        MailsealError: its record cannot be read.
    """
    events, running = events_of(directory, name)
    found = _looks(directory, events) if looks else {}
    return rollout(events, found, running=running)


def events_of(directory: Path, name: str) -> tuple[list[Event], bool]:
    """What a record says, and whether somebody writes into it still.

    Raises:
        MailsealError: it cannot be read.
    """
    path = directory / f"{name}{RECORD}"
    try:
        running, content = held(directory, name), path.read_bytes()
    except OSError as error:
        raise MailsealError(f"{path}: cannot be read ({error.strerror})") from None
    return parse(content, path), running


def held(directory: Path, name: str) -> bool:
    """Whether somebody writes into a record still.

    Raises:
        OSError: it cannot be read.
    """
    with (directory / f"{name}{RECORD}").open("rb") as file:
        return not _free(file.fileno())


def parse(content: bytes, path: Path) -> list[Event]:
    """The events of a record; a last line that is not whole was being written.

    Raises:
        MailsealError: it is no record, or one of a newer mailseal, or damaged.
    """
    lines = content.split(b"\n")[:-1]
    if not lines:
        raise MailsealError(f"{path}: it ends before its first line does")
    try:
        head = msgspec.json.decode(lines[0], type=_Head)
    except MALFORMED:
        raise MailsealError(f"{path}: this is no record of a rollout") from None
    if head.schema != SCHEMA:
        raise MailsealError(f"{path}: the record is {head.schema or 'of no'!r}, not {SCHEMA!r}")
    events: list[Event] = []
    for number, line in enumerate(lines, 1):
        try:
            events.append(DECODER.decode(line))
        except MALFORMED as error:
            raise MailsealError(f"{path}, line {number}: {error}") from None
    if not isinstance(events[0], Opened):
        raise MailsealError(f"{path}: this is no record of a rollout")
    return events


def _free(file: int) -> bool:
    """Whether nobody writes it any more."""
    try:
        fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def homes(directory: Path, events: Sequence[Event]) -> dict[tuple[str, str], Path]:
    """Where the gate keeps what it saw, by host and name of the change."""
    pairs = {(e.host, e.begun) for e in events if isinstance(e, Noted)}
    # Both were names of directories below this one when they were made.
    return {
        (host, begun): directory / host / begun
        for host, begun in sorted(pairs)
        if _CHANGE.fullmatch(begun) and host not in (".", "..") and not {"/", "\0"} & set(host)
    }


def _looks(directory: Path, events: Sequence[Event]) -> Looks:
    """What the gate saw, as far as it is there and can be read."""
    found: dict[tuple[str, str, Moment], Run] = {}
    for (host, begun), home in homes(directory, events).items():
        for moment in MOMENTS:
            run = run_of(home / moment / "run.json")
            if run:
                found[host, begun, moment] = run
    return found
