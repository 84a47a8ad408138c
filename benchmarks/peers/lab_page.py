"""The section of docs/benchmarks.md about the 25-host lab, beside sslyze and nmap."""

import os
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from audit.facts import Endpoint
from benchmarks.page import table
from benchmarks.peers.lists import SPOKEN
from benchmarks.peers.run import mebibytes
from benchmarks.peers.sample import Watch

_BARS = {"nmap": 5.0, "sslyze": 20.0}
_MOST_MEMORY, _MOST_OPEN = 150, 4


@dataclass(frozen=True)
class Field:
    """What is asked.

    Attributes:
        netns: from where.
        count: connections opened there so far.
        every: all endpoints.
        asked: those that all tools can speak to, of the hosts that are asked.
        share: how many of those endpoints of all hosts are asked, from 0 to 1.
    """

    netns: Path
    count: Callable[[], int]
    every: Sequence[Endpoint]
    asked: Sequence[Endpoint]
    share: float


@dataclass(frozen=True)
class Sum:
    """All commands of one tool, one after the other."""

    seconds: float
    connections: int
    peak: float
    found: int
    late: bool


def section(
    field: Field, seen: Sequence[Sum], whole: Sum, found: dict[str, Sum], watch: Watch
) -> str:
    """All of it; *seen* are our runs over the common list, *whole* the one over every endpoint."""
    own = statistics.median(one.seconds for one in seen)
    middle = sorted(seen, key=lambda one: one.seconds)[len(seen) // 2]
    ours = f"mailseal scan --quick, median of {len(seen)}"
    rows = [_row(ours, middle, len(field.asked), "")]
    for name, one in found.items():
        ratio = one.seconds / own
        verdict = "met" if ratio >= _BARS[name] else f"missed by {_BARS[name] / ratio:.1f}"
        bar = f"{ratio:.1f} (bar {_BARS[name]:.0f}: {verdict})"
        rows.append(_row(name, one, len(field.asked), bar))
    rows.append(_row("mailseal scan --quick, every endpoint", whole, len(field.every), ""))
    most = max(watch.most.values(), default=0)
    peak = max(whole.peak, *(one.peak for one in seen))
    verdicts = (
        f"Peak memory {mebibytes(peak)} MiB (bar {_MOST_MEMORY}: {_met(peak, _MOST_MEMORY)}); most"
        f" connections seen open to one address at one time {most} (bar {_MOST_OPEN}:"
        f" {_met(most, _MOST_OPEN)}), looked for {watch.looks} times during a run of its own."
    )
    head = ["tool", "endpoints", "with suites found", "seconds", "connections", "peak MiB", "ratio"]
    return "\n\n".join(
        [
            "## All endpoints of the 25-host lab, beside sslyze and nmap",
            (
                f"{datetime.now(tz=UTC):%Y-%m-%d}; {os.cpu_count()} cores, shared with the hosts"
                " under test; both families. The other tools are asked what our scan is asked,"
                " in as few commands as they allow; they do not speak"
                f" {_left_out(field)}, so that is not in the common list."
            ),
            _share(field, own, found),
            table(head, rows),
            verdicts,
            *_gave_up(field, found),
        ]
    )


def _left_out(field: Field) -> str:
    return " or ".join(sorted({e.service for e in field.every} - {*SPOKEN})) or "nothing else"


def _share(field: Field, own: float, found: dict[str, Sum]) -> str:
    if field.share == 1:
        return "Every host was asked by every tool; nothing is extrapolated."
    times = {"mailseal": own, **{name: one.seconds for name, one in found.items()}}
    told = ", ".join(f"{name} {seconds / field.share:.0f} s" for name, seconds in times.items())
    return (
        f"**A sample**: {100 * field.share:.0f} % of the endpoints, of hosts at equal distances in"
        " the inventory; the ratios are of that sample. Extrapolated in proportion, not measured,"
        f" all hosts would take: {told}."
    )


def _gave_up(field: Field, found: dict[str, Sum]) -> list[str]:
    return [
        f"{name} gave no suites of {len(field.asked) - one.found} endpoints that have them; the"
        " time that they would take is missing in its own."
        for name, one in found.items()
        if one.found < len(field.asked)
    ]


def _row(name: str, one: Sum, endpoints: int, bar: str) -> list[str]:
    seconds = f"{'more than ' if one.late else ''}{one.seconds:.1f}"
    numbers = [f"{endpoints}", f"{one.found}", seconds, f"{one.connections}", mebibytes(one.peak)]
    return [name, *numbers, bar]


def _met(value: float, bar: float) -> str:
    return "met" if value <= bar else "missed"
