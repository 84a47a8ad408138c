"""What changed between two runs, as lines for a terminal."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from audit.changes import Change, Kind
from audit.drift import Drift
from audit.findings import UNTESTED, Finding
from audit.past import Past
from audit.report.paint import Line
from audit.report.summary import place, plural
from audit.report.visible import visible

T = TypeVar("T")

_HEADINGS: Mapping[Kind, tuple[str, str]] = {
    "new": ("New", "bold red"),
    "lost": ("No longer checked", "bold red"),
    "fixed": ("Fixed", "bold green"),
    "waived": ("Waived now", "bold blue"),
    "changed": ("Changed", "bold cyan"),
    "added": ("Checked for the first time, and fine", "bold"),
}
_LONGEST = 300  # characters of one side of a change; the whole is in the JSON


def since(past: Past) -> Iterator[Line]:
    """The changes since the run before, the worst first."""
    before = f" since {visible(past.nights[-1].run)}" if past.nights else ""
    counts = [plural(len(past.changes), "change")] if past.changes else []
    counts += [plural(len(past.drift), "other fact")] if past.drift else []
    if counts:
        yield ((f"{', '.join(counts)}{before}", "bold reverse"),)
    else:
        yield ((f"Nothing changed{before}", "bold"),)
    yield ()
    yield from changed(past.changes)
    yield from drifted(past.drift)


def changed(changes: Iterable[Change]) -> Iterator[Line]:
    """Each kind under its heading."""
    found = list(changes)
    for kind, (heading, style) in _HEADINGS.items():
        mine = [c for c in found if c.kind == kind]
        if mine:
            yield ((heading, style),)
            yield from _of_kind(mine, style)
            yield ()


def _of_kind(found: list[Change], style: str) -> Iterator[Line]:
    """Changes of the same words are one line, and so is what befell a place as a whole."""
    alone = [c for c in found if not _whole(c)]
    for (check, words), where in _gathered((_words(c), place(c.finding)) for c in alone):
        yield ("  ", (visible(check), style), f"  {words}", ("; on ", "dim"), _places(where))
    whole = [c for c in found if _whole(c)]
    gathered = _gathered(((place(c.finding), _why(c)), c.finding.check) for c in whole)
    for (where_, why), checks in gathered:
        yield (
            "  ",
            (plural(len(checks), "check"), style),
            f" {why or visible(', '.join(checks), longest=_LONGEST)}",
            ("; on ", "dim"),
            visible(where_),
        )


def _whole(change: Change) -> bool:
    """Whether it befell its place as a whole: where nothing answers, every check is in doubt."""
    both = (change.before, change.after)
    untested = any(f is not None and f.observed == UNTESTED for f in both)
    return untested or change.kind in ("lost", "added")


def _why(change: Change) -> str:
    """What befell the place; empty if only the checks themselves can tell."""
    after, before = change.after, change.before
    if after and after.observed == UNTESTED:
        return f"{UNTESTED}: {visible(after.evidence, longest=_LONGEST)}"
    if before and before.observed == UNTESTED:
        return "could be tested again"
    return ""


def _words(change: Change) -> tuple[str, str]:
    before, after = change.before, change.after
    return change.finding.check, f"{_seen(before)} → {_seen(after)}"


def _seen(finding: Finding | None) -> str:
    if finding is None:
        return "not checked"
    return f"{finding.verdict}: {visible(finding.observed, longest=_LONGEST)}"


def drifted(found: Iterable[Drift]) -> Iterator[Line]:
    """The facts that are others now; the same on many places is one line."""
    lines = _gathered(((d.what, d.name, d.before, d.after), place(d)) for d in found)
    if lines:
        yield (("Drift", "bold cyan"),)
    for (what, name, before, after), where in lines:
        yield (
            "  ",
            (f"{what} {visible(name)}".rstrip(), "cyan"),
            f"  {visible(before, longest=_LONGEST)} → {visible(after, longest=_LONGEST)}",
            ("; on ", "dim"),
            _places(where),
        )
    if lines:
        yield ()


def _gathered(pairs: Iterable[tuple[T, str]]) -> list[tuple[T, list[str]]]:
    found: dict[T, list[str]] = {}
    for words, where in pairs:
        found.setdefault(words, []).append(where)
    return list(found.items())


def _places(where: list[str]) -> str:
    others = f" and {len(where) - 1} more" if len(where) > 1 else ""
    return visible(where[0]) + others
