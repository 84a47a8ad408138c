"""What the results of tasks say about files: unified differences without a secret."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from audit.rollout.discreet import Discreet, holds_a_key
from audit.rollout.shapes import HIDDEN

Found = tuple[str, tuple[str, ...], int]
"""A file, what is otherwise in it, and how many lines of that were left out."""

_MOST = 400  # lines of one file


def differences(result: Mapping[str, Any], discreet: Discreet, path: str = "") -> Iterator[Found]:
    """Every file that a result has a difference of; those of a loop too.

    Args:
        result: of a task.
        discreet: what takes secrets out.
        path: the file that the task is about; empty where the differences name theirs.
    """
    for item in result.get("results", ()):
        if isinstance(item, Mapping):
            yield from differences(item, discreet, path)
    shown = result.get("diff") or ()
    for one in [shown] if isinstance(shown, Mapping) else shown:
        if isinstance(one, Mapping) and "before" in one and "after" in one:
            found = _difference(one, discreet, path)
            if found[1]:
                yield found


def _difference(one: Mapping[str, Any], discreet: Discreet, path: str) -> Found:
    before, after = (_text(one[side]) for side in ("before", "after"))
    headings = [str(one.get(f"{side}_header") or "") for side in ("before", "after")]
    path = discreet.text(path or (headings[1] or headings[0]).split(" (")[0] or "a file")
    if holds_a_key(before) or holds_a_key(after):
        return path, (HIDDEN,), 0
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2))
    lines = [discreet.setting(line) for line in lines[2:]]
    if not lines and headings[0] != headings[1]:
        lines = [*_headings("-", headings[0], discreet), *_headings("+", headings[1], discreet)]
    return path, tuple(lines[:_MOST]), max(0, len(lines) - _MOST)


def _headings(sign: str, heading: str, discreet: Discreet) -> list[str]:
    """Where owner and mode alone differ, they stand in what is written above."""
    return [f"{sign}{discreet.text(heading)}"] if heading else []


def _text(side: object) -> str:
    if isinstance(side, Mapping):
        return "\n".join(f"{name}: {value}" for name, value in side.items())
    return "" if side is None else str(side)
