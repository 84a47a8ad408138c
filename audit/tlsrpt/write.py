"""Our reports as files, and the mails that they go in. The only I/O on them."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from audit.errors import MailsealError
from audit.names import to_ascii
from audit.tlsrpt.compose import Own, Sender
from audit.tlsrpt.letter import letter
from audit.tlsrpt.report import encode
from audit.written import put

Recipients = Mapping[str, tuple[str, ...]]  # addresses by domain

# An addr-spec without quotes (RFC 5321, section 4.1.2), of a domain and no address in brackets.
ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")
_ELSEWHERE = "https://"
_LARGEST = 1 << 24  # bytes of a list of recipients


def recipients(path: Path) -> Recipients:
    """Who wants reports, by domain.

    Args:
        path: lines of a domain and addresses, with or without mailto:, as its _smtp._tls has them;
            where it wants them by https there is no mail to write. # begins a comment.

    Raises:
        MailsealError: it cannot be read, or has another line.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
        lines = content.decode().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise MailsealError(f"{path} cannot be read: {error}") from None
    if len(content) > _LARGEST:
        raise MailsealError(f"{path} has more than {_LARGEST:,} bytes")
    found = {}
    for number, line in enumerate(lines, 1):
        where = f"{path}, line {number}"
        if words := line.partition("#")[0].replace(",", " ").split():
            found[to_ascii(words[0], where)] = _addresses(words[1:], where)
    return found


def _addresses(words: list[str], where: str) -> tuple[str, ...]:
    every = [word.removeprefix("mailto:") for word in words if not word.startswith(_ELSEWHERE)]
    if not words or not all(map(ADDRESS.fullmatch, every)):
        raise MailsealError(f"{where}: not a domain and addresses")
    return tuple(every)


def directory(path: Path) -> None:
    """See that there is one to write to.

    Raises:
        MailsealError: there is none, and none can be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MailsealError(f"{path}: cannot be made ({error.strerror})") from None


def all_of(
    reports: Iterable[Own], sender: Sender, out: Path, wanted: Recipients | None
) -> tuple[list[Path], list[str]]:
    """Write them.

    Args:
        reports: ours.
        sender: who reports.
        out: the directory.
        wanted: only for these, each with its mail; None: for all, and no mails.

    Returns:
        The reports that are written, and why others are not.
    """
    written: list[Path] = []
    troubles: list[str] = []
    now = datetime.now(tz=UTC)
    for own in reports:
        if wanted is not None and own.domain not in wanted:
            continue
        try:
            path = out / f"{own.name}.json"
            put(encode(own.report), path)
            if wanted and (addresses := wanted[own.domain]):
                put(letter(own, sender, addresses, now), out / f"{own.name}.eml")
            written.append(path)
        except MailsealError as error:  # a name may be too long for a file
            troubles.append(str(error))
    return written, troubles
