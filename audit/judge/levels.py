"""Levels of what was seen: the worst one counts, and a phase-out is named with its day."""

from collections.abc import Iterable
from datetime import date

from msgspec import Struct
from msgspec.structs import replace

from audit.findings import Reached
from audit.judge.case import Judgement
from audit.policy.model import LEVELS, OPEN, Graded, Item

# What is not listed at all.
UNLISTED = Graded(level="insufficient")


class Grade(Struct, frozen=True):
    """One thing that was seen.

    Attributes:
        what: its name.
        level: its level on the day.
        until: the last day of its phase-out; None if it is not in one.
    """

    what: str
    level: Reached
    until: date | None = None


def grade(what: str, row: Graded | None, day: date) -> Grade:
    """The level of something on this day; without a row it is insufficient."""
    row = row or UNLISTED
    return Grade(what, row.level_on(day), row.until)


def grades(names: Iterable[str], items: Iterable[Item], day: date) -> list[Grade]:
    """The levels of several names of one list."""
    rows = {item.name: item for item in items}
    return [grade(name, rows.get(name), day) for name in names]


def worst(seen: Iterable[Grade]) -> Reached:
    """The lowest level among them; empty if there are none."""
    order: tuple[Reached, ...] = ("", *LEVELS)
    return max((g.level for g in seen), key=order.index, default="")


def leaving(seen: Iterable[Grade]) -> str:
    """What is on phase-out, by its last day: "phase-out until 2028-12-31: A, B"."""
    names: dict[date, list[str]] = {}
    for one in seen:
        if one.level == "phase-out":
            found = names.setdefault(one.until or OPEN, [])
            found += [one.what] if one.what not in found else []
    days = ((day, "phase-out" + ("" if day == OPEN else f" until {day}")) for day in sorted(names))
    return "; ".join(f"{words}: {', '.join(names[day])}" for day, words in days)


def graded(judgement: Judgement, seen: Iterable[Grade]) -> Judgement:
    """The judgement with the worst level; a pass also says what is on phase-out."""
    seen = list(seen)
    if judgement.verdict not in ("pass", "fail"):
        return judgement
    words = leaving(seen) if judgement.verdict == "pass" else ""
    return replace(judgement, level=worst(seen), observed=words or judgement.observed)
