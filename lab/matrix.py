"""The matrix of deliveries as people and programs read it. Pure."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from lab.deliveries import Got
from lab.world import Case, domain


class Row(Struct, frozen=True):
    """A case, what became of it, and where that is otherwise than expected."""

    name: str
    case: Case
    got: Got
    differences: tuple[str, ...]


_HEAD = ("case", "expected", "got", "")


def table(rows: Sequence[Row]) -> str:
    """Lines for a terminal: a row for each case, and below it each difference."""
    cells = [_HEAD, *(_cells(row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_HEAD))]
    lines = []
    for row, shown in zip((None, *rows), cells, strict=True):
        line = "  ".join(cell.ljust(width) for cell, width in zip(shown, widths, strict=True))
        lines.append(line.rstrip())
        if row and row.differences:
            lines += [f"    {difference}" for difference in row.differences]
            lines += [f"    log: {line}" for line in row.got.log]
    different = sum(bool(row.differences) for row in rows)
    found = f"{different} otherwise" if different else "all as expected"
    return "\n".join([*lines, f"{len(rows)} cases, {found}", ""])


def _cells(row: Row) -> tuple[str, ...]:
    expected, got = row.case.expected, row.got
    said = [word for word in expected.log if any(word in line for line in got.log)]
    return (
        row.name,
        f"{expected.delivery}, arrival {expected.arrival}, scan {expected.exit}",
        f"{got.delivery}, arrival {got.arrival}, scan {got.looked.exit}",
        "DIFFERENT" if row.differences else ", ".join(said),
    )


def document(rows: Sequence[Row]) -> str:
    """JSON: of each case its domain, title, what was expected, what was got, where they differ."""
    cases = [
        {
            "case": row.name,
            "domain": domain(row.name),
            "title": row.case.title,
            "expected": row.case.expected,
            "got": row.got,
            "differences": row.differences,
        }
        for row in rows
    ]
    text = msgspec.json.format(msgspec.json.encode({"cases": cases}), indent=2)
    return text.decode() + "\n"
