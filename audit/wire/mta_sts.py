"""MTA-STS as it is written: the TXT record and the policy (RFC 8461, section 3)."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, cast, get_args

from audit.wire import fields

Mode = Literal["enforce", "testing", "none"]

LONGEST = 31_557_600  # seconds: a year
_ID = re.compile(r"[A-Za-z0-9]{1,32}")
_AGE = re.compile(r"[0-9]{1,10}")
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"(\*\.)?{_LABEL}(\.{_LABEL})+")
_MOST_PATTERNS = 1024
_OK = 200
_MOVED = range(300, 400)


@dataclass(frozen=True)
class Policy:
    """A policy that says what it has to say.

    Attributes:
        mode: what a sender does with a server that fails.
        max_age: seconds that it is kept.
        mx: the patterns of names that servers have.
    """

    mode: Mode
    max_age: int
    mx: tuple[str, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """As a policy file has it (section 3.2)."""
        patterns = (f"mx: {one}" for one in self.mx)
        return "version: STSv1", f"mode: {self.mode}", *patterns, f"max_age: {self.max_age}"

    def covers(self, host: str) -> bool:
        """Whether a pattern is for this name; a star stands for one label (section 4.1)."""
        _, _, parent = host.lower().partition(".")
        return any(p == host.lower() or (parent and p == f"*.{parent}") for p in self.mx)


def announced(records: Iterable[str]) -> list[str]:
    """The TXT records that are about MTA-STS."""
    return fields.announced(records, "STSv1")


def identity(record: str) -> str:
    """The id of such a record.

    Raises:
        ValueError: it has none, or says something else that is none of its business.
    """
    found = fields.fields(record).get("id", "")
    if not _ID.fullmatch(found):
        raise ValueError(f"its id is {found[:60]!r}, and not 1 to 32 letters and digits")
    return found


def refused(status: int, media: str, *, whole: bool) -> str:
    """Why senders take no policy from what a web server answers; empty if they read it.

    RFC 8461, section 3.2: the media type; section 3.3: 200 alone, no redirect, and a bound.

    Args:
        status: of HTTP.
        media: the media type, in lower case and without parameters.
        whole: it has no more than senders read.
    """
    if status != _OK:
        moved = ", a redirect, which senders do not follow" if status in _MOVED else ""
        return f"HTTP status {status}{moved}"
    if media != "text/plain":
        return f"its media type is {media[:60] or 'missing'}, and not text/plain"
    return "" if whole else "it is larger than senders read (64 KiB)"


def policy(body: bytes) -> Policy:
    """The policy in a document.

    Raises:
        ValueError: it is none that a sender would follow; why.
    """
    once: dict[str, str] = {}
    patterns: list[str] = []
    for name, value in _fields(body):
        if name == "mx":
            patterns.append(value.lower())
        else:
            once.setdefault(name, value)  # section 3.2: all but the first are ignored
    if once.get("version") != "STSv1":
        raise ValueError(f"its version is {once.get('version', '')[:60]!r}, and not STSv1")
    mode, age = once.get("mode", ""), once.get("max_age", "")
    if mode not in get_args(Mode):
        raise ValueError(f"its mode is {mode[:60]!r}, and not one of {', '.join(get_args(Mode))}")
    if not _AGE.fullmatch(age) or int(age) > LONGEST:
        raise ValueError(
            f"its max_age is {age[:60]!r}, and not a number of seconds up to {LONGEST}"
        )
    if len(patterns) > _MOST_PATTERNS:
        raise ValueError(f"it has {len(patterns)} mx lines")
    if wrong := [one for one in patterns if not _NAME.fullmatch(one)]:
        raise ValueError(f"{wrong[0][:60]!r} is no pattern of names")
    if mode != "none" and not patterns:
        raise ValueError(f"it has no mx line, and its mode is {mode}")
    return Policy(cast("Mode", mode), int(age), tuple(patterns))


def _fields(body: bytes) -> Iterator[tuple[str, str]]:
    """Names and values, line by line; lines end with LF or CRLF."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    for line in text.split("\n"):
        bare = line.removesuffix("\r").rstrip(" \t")
        if not bare:
            continue
        name, sign, value = bare.partition(":")
        if not sign or not fields.FIELD.fullmatch(name):
            raise ValueError(f"{bare[:60]!r} is no field and its value")
        yield name, value.lstrip(" \t")
