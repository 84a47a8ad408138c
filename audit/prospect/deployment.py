"""What came of a deployment, host by host: read from the events that Ansible wrote. Pure."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from audit.unsaid import said

_LONGEST = 4000  # characters of one reason
_MOST = 2000  # lines of one difference; whole files come and go


class Replaced(Struct, frozen=True):
    """One file that was replaced, or would be.

    Attributes:
        host: inventory name.
        path: of the file, with owner, group and mode where those are known.
        lines: the difference, as `diff -u` has it from its first hunk on; of secrets only that
            they differ.
        more: how many lines were left out because there are too many.
    """

    host: str
    path: str
    lines: tuple[str, ...]
    more: int = 0


class Trouble(Struct, frozen=True):
    """Why a host is not as it should be.

    Attributes:
        host: inventory name; empty for the whole.
        reason: in the words of whoever stopped.
        reached: False if it was not reached, so that nothing is known of it.
    """

    host: str
    reason: str
    reached: bool = True


class Deployment(Struct, frozen=True, kw_only=True):
    """A deployment, or what one would do.

    Attributes:
        hosts: those that took part.
        changed: those where something was changed, or would be.
        troubles: those that failed or were not reached, with the reason.
        files: what was replaced.
    """

    hosts: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    files: tuple[Replaced, ...] = ()


def deployment(lines: Iterable[str], code: int, words: str) -> Deployment:
    """What the events say.

    Args:
        lines: a JSON object each, as `audit/staging/callback` writes them.
        code: how ansible-playbook ended.
        words: its own, for an end that no event explains.
    """
    events = [e for line in lines if (e := _event(line)) is not None]
    reasons = {e["host"]: e["reason"] for e in events if e["event"] == "failed"}
    sums = {e["host"]: e for e in events if e["event"] == "sum"}
    troubles = [
        Trouble(
            host,
            _short(reasons.get(host, "it failed, and gives no reason")),
            reached=not one["unreachable"],
        )
        for host, one in sums.items()
        if one["failures"] or one["unreachable"]
    ]
    if code and not troubles:
        troubles.append(Trouble("", _short(_last(words)) or f"ansible-playbook ended with {code}"))
    return Deployment(
        hosts=tuple(sums),
        changed=tuple(host for host, one in sums.items() if one["changed"]),
        troubles=tuple(troubles),
        # A file may be compared in one task and replaced in another.
        files=tuple(dict.fromkeys(_replaced(e) for e in events if e["event"] == "file")),
    )


def _event(line: str) -> dict[str, Any] | None:
    """None for half a line: whoever wrote it was ended."""
    try:
        found = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return None
    return found if isinstance(found, dict) else None


def _short(text: str) -> str:
    return " ".join(text.split())[:_LONGEST]


def _last(words: str) -> str:
    """The last error that Ansible told of outside of any task."""
    telling = [line for line in words.splitlines() if "ERROR" in line]
    return telling[-1].partition("ERROR")[2].strip("]:! ") if telling else ""


def _replaced(event: Mapping[str, Any]) -> Replaced:
    before, after = (list(map(said, str(event[side]).splitlines())) for side in ("before", "after"))
    # The two lines of its head name files, and those are told already.
    lines = list(difflib.unified_diff(before, after, n=1, lineterm=""))[2:]
    more = max(0, len(lines) - _MOST)
    return Replaced(event["host"], event["path"], tuple(lines[:_MOST]), more)
