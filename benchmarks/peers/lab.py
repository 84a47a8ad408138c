"""Our scan beside sslyze and nmap over all endpoints of the 25-host lab; writes its section.

    python -m benchmarks.peers.lab

Brings the lab up in size cluster and rolls out. Each tool is given the same list: every endpoint
of a protocol that all three speak, on both families. With --hosts only some hosts are asked, and
what all of them would take is extrapolated; the page says so.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from audit import inventory
from audit.facts import Endpoint
from benchmarks import cluster
from benchmarks import page as pages
from benchmarks.page import ROOT
from benchmarks.peers import lists
from benchmarks.peers.install import Peers, install
from benchmarks.peers.run import Ran, run
from benchmarks.peers.sample import Watch
from benchmarks.peers.tools import ENVIRONMENT, check_ours

_BARS = {"nmap": 5.0, "sslyze": 20.0}
_MOST_MEMORY, _MOST_OPEN = 150, 4
_PAUSE = 3.0  # for the servers to be done with the one before


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


def main() -> None:
    """Measure and write the section."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="of our scan (%(default)s)")
    parser.add_argument("--hosts", type=int, default=0, help="ask only so many (default: all)")
    parser.add_argument("--limit", type=float, default=3600, help="seconds a command (%(default)s)")
    options = parser.parse_args()
    check_ours()
    cluster.up()
    peers = install()  # after the lab: what is mounted from here on only we see
    hosts = [[e for e, _ in host.expected()] for host in inventory.read(cluster.INVENTORY)]
    field = choose([endpoints for endpoints in hosts if endpoints], options.hosts)
    pages.write("peers-lab", measure(peers, field, options.rounds, options.limit))


def choose(hosts: Sequence[Sequence[Endpoint]], number: int) -> Field:
    """What to ask: of all hosts, or of so many, taken at equal distances from the list."""
    number = number or len(hosts)
    some = [hosts[i * len(hosts) // number] for i in range(number)]
    able = [e for host in hosts for e in host if e.service in lists.SPOKEN]
    asked = [e for host in some for e in host if e.service in lists.SPOKEN]
    every = [e for host in hosts for e in host]
    return Field(cluster.HUB, cluster.opened, every, asked, len(asked) / len(able))


def measure(peers: Peers, field: Field, rounds: int, limit: float) -> str:
    """Every tool over its list, ours before, between and after the others; the section."""

    def ours(endpoints: Sequence[Endpoint]) -> Sum:
        time.sleep(_PAUSE)
        words = lists.mailseal(endpoints)
        ran = run(
            words,
            field.netns,
            limit=limit,
            count=field.count,
            environment=ENVIRONMENT,
            cwd=ROOT,
        )
        return _sum("mailseal", [ran])

    def theirs(name: str, commands: Sequence[Sequence[str]]) -> Sum:
        time.sleep(_PAUSE)
        ran = [run(words, field.netns, limit=limit, count=field.count) for words in commands]
        return _sum(name, ran)

    seen = [ours(field.asked)]
    found = {"nmap": theirs("nmap", lists.nmap(peers, field.asked))}
    seen += [ours(field.asked) for _ in range(max(1, rounds - 2))]
    found["sslyze"] = theirs("sslyze", lists.sslyze(peers, field.asked))
    seen.append(ours(field.asked))
    whole = ours(field.every)
    with Watch(field.netns) as watch:
        ours(field.every)
    return _section(field, seen, whole, found, watch)


def _sum(name: str, ran: Sequence[Ran]) -> Sum:
    one = Sum(
        seconds=sum(r.seconds for r in ran),
        connections=sum(r.connections for r in ran),
        peak=max(r.peak for r in ran),
        found=sum(lists.ANSWERED[name](r.output) for r in ran),
        late=any(r.late for r in ran),
    )
    print(f"{name}: {one}", flush=True)
    return one


def _section(
    field: Field, seen: Sequence[Sum], whole: Sum, found: dict[str, Sum], watch: Watch
) -> str:
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
        f"Peak memory {peak:.0f} MiB (bar {_MOST_MEMORY}: {_met(peak, _MOST_MEMORY)}); most"
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
            pages.table(head, rows),
            verdicts,
            *_gave_up(field, found),
        ]
    )


def _left_out(field: Field) -> str:
    return " or ".join(sorted({e.service for e in field.every} - {*lists.SPOKEN})) or "nothing else"


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
    numbers = [f"{endpoints}", f"{one.found}", seconds, f"{one.connections}", f"{one.peak:.0f}"]
    return [name, *numbers, bar]


def _met(value: float, bar: float) -> str:
    return "met" if value <= bar else "missed"


if __name__ == "__main__":
    main()
