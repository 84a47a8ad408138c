"""The section of docs/benchmarks.md about the peers."""

import os
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from benchmarks.page import table
from benchmarks.peers import tools
from benchmarks.peers.compare import Difference
from benchmarks.peers.field import WAYS, Place
from benchmarks.peers.read import Facts
from benchmarks.peers.run import Ran, mebibytes

BARS = {"nmap": 5.0, "sslyze": 20.0, "testssl.sh": 100.0}
SPARE_CONNECTIONS = 8
_COMMANDS = {
    tools.QUICK: "mailseal scan --quick",
    tools.EXPECT: "mailseal scan --quick --expect --policy benchmarks/peers/policy.yaml",
    "mailseal": "mailseal scan",
    "nmap": f"nmap {' '.join(tools.NMAP)}",
    "sslscan": f"sslscan {' '.join(tools.SSLSCAN)}",
    "sslyze": f"sslyze {' '.join(tools.SSLYZE)}",
    "testssl.sh": f"testssl {' '.join(tools.TESTSSL)}",
}


@dataclass(frozen=True)
class Measurement:
    """One run of one tool at one place."""

    place: Place
    tool: str
    number: int
    ran: Ran
    facts: Facts


class Results:
    """All runs, and what follows from them."""

    def __init__(self, runs: Iterable[Measurement]) -> None:
        """Keep what was measured."""
        self.runs = list(runs)
        timed = [run for run in self.runs if run.place.timed]
        self.tools = list(dict.fromkeys(run.tool for run in timed))
        self.titles = list(dict.fromkeys(run.place.title for run in timed))
        self.rounds = len({run.number for run in timed})

    def of(self, tool: str, title: str, way: int) -> list[Ran]:
        """The runs of one tool at one place, by round."""
        return [
            run.ran
            for run in self.runs
            if (run.tool, run.place.title, run.place.way) == (tool, title, way)
        ]

    def seconds(self, tool: str, title: str, way: int) -> float:
        """The median."""
        return statistics.median(ran.seconds for ran in self.of(tool, title, way))

    def ratio(self, tool: str, title: str, way: int, ours: str = tools.QUICK) -> float:
        """How many times longer than ours it took; the median of the rounds' own ratios."""
        pairs = zip(self.of(tool, title, way), self.of(ours, title, way), strict=True)
        return statistics.median(theirs.seconds / our.seconds for theirs, our in pairs)


def section(  # noqa: PLR0913 - the parts of the page
    results: Results,
    *,
    found: Sequence[Difference],
    versions: Mapping[str, str],
    profiles: str,
    most_open: Mapping[str, int],
    round_trip: Mapping[int, float],
) -> str:
    """All of it."""
    measured = ", ".join(f"{way} ms: {1000 * s:.1f} ms" for way, s in round_trip.items())
    parts = [
        f"## One endpoint, beside other scanners\n\n{datetime.now(tz=UTC):%Y-%m-%d}; "
        f"{os.cpu_count()} cores, shared by scanner and server; {results.rounds} round(s), the "
        "tools by turns; whole processes; the medians, and the ratio to"
        f" `{_COMMANDS[tools.QUICK]}` in the same round. Connections are what the server's kernel"
        " accepted. "
        + ", ".join(f"{name} {version}" for name, version in versions.items())
        + ".\n\n`mailseal scan --quick` tells what the others are asked for here: versions, suites"
        " and their order, compression, secure renegotiation and certificates (and what is"
        " possible in clear). `mailseal scan` asks for everything it knows: groups,"
        " renegotiation, resumption, STARTTLS injection, known attacks and more, which the others"
        " are not asked for.",
        table(["tool", "options"], [[t, f"`{_COMMANDS[t]}`"] for t in results.tools]),
        (
            f"A round trip of TCP's own handshake was measured as {measured}. It is whole packets"
            " that are delayed (benchmarks/peers/delay.py)."
        ),
        *(_times(results, way) for way in WAYS),
        _bars(results),
        _connections(results, most_open),
        _differences(found),
        _failures(results),
        _silences(results),
        profiles,
    ]
    return "\n\n".join(parts)


def _times(results: Results, way: int) -> str:
    rows = []
    for tool in results.tools:
        row = [tool]
        for title in results.titles:
            runs = results.of(tool, title, way)
            late = " (ended)" if any(ran.late for ran in runs) else ""
            connections = statistics.median(ran.connections for ran in runs)
            ratio = results.ratio(tool, title, way)
            seconds = results.seconds(tool, title, way)
            row.append(f"{seconds:.2f}{late} / {connections:.0f} / {ratio:.1f}")
        peak = max(ran.peak for title in results.titles for ran in results.of(tool, title, way))
        rows.append([*row, mebibytes(peak)])
    head = ["tool", *results.titles, "peak MiB"]
    return f"### {way} ms: seconds / connections / times ours\n\n{table(head, rows)}"


def _bars(results: Results) -> str:
    rows = []
    for tool, bar in BARS.items():
        for way in WAYS:
            for title in results.titles:
                got = [results.ratio(tool, title, way, ours) for ours in tools.OURS[:2]]
                told = [
                    f"{g:.1f}: {'met' if g >= bar else f'missed by {bar / g:.1f}'}" for g in got
                ]
                rows.append([f"{bar:.0f} times {tool}", f"{title}, {way} ms", *told])
    head = ["bar", "where", "--quick", "--quick --expect"]
    met = sum(row[2].endswith("met") for row in rows)
    text = f'{met} of {len(rows)} bars are met by `--quick`. "Missed by 2" is half of the bar.'
    return f"### Bars\n\n{text}\n\n{table(head, rows)}"


def _connections(results: Results, most_open: Mapping[str, int]) -> str:
    rows = []
    for tool in tools.OURS:
        for title in results.titles:
            place = next(r.place for r in results.runs if r.place.title == title)
            bar = len(place.tls.suites) + len(place.tls.tls13) + SPARE_CONNECTIONS
            most = max(ran.connections for way in WAYS for ran in results.of(tool, title, way))
            judged = (
                "no bar" if tool == "mailseal" else f"{bar}: {'met' if most <= bar else 'missed'}"
            )
            rows.append([tool, title, f"{most}", judged, f"{most_open[f'{tool} {title}']}"])
    head = ["tool", "where", "most connections", "bar (k2 + k3 + 8)", "most open at once"]
    text = "Open at once is sampled, at 20 ms, in a run of its own."
    return f"### Connections\n\n{text}\n\n{table(head, rows)}"


def _differences(found: Sequence[Difference]) -> str:
    rows = []
    for one in found:
        for value, tools_ in one.values:
            told = ", ".join(v[:12] if one.fact == "certificates" else v for v in value)
            why = "; ".join(f"{r.tool}: {r.text}" for r in one.reasons) or "**unexplained**"
            first = (value, tools_) == one.values[0]
            rows.append([one.title, one.fact, told, ", ".join(tools_), "" if first else why])
    text = (
        "Each fact of each tool, in every run, beside the same fact of all others and beside what"
        f" the server was told. {len(found)} differ"
        f"{'' if found else 's'}; {sum(not one.reasons for one in found)} of them without a known"
        " reason. The usual answer comes first."
    )
    head = ["server", "fact", "answer", "of", "why"]
    return f"### Facts that differ\n\n{text}" + (f"\n\n{table(head, rows)}" if rows else "")


def _failures(results: Results) -> str:
    failed = [run for run in results.runs if not run.facts]
    text = ", ".join(f"{r.tool} ({r.place.title}, {r.place.way} ms)" for r in failed)
    return f"{len(failed)} run(s) gave no facts{': ' if text else '.'}{text}"


def _silences(results: Results) -> str:
    facts = sorted({fact for run in results.runs for fact in run.facts})
    rows = []
    for tool in results.tools:
        told = {fact for run in results.runs if run.tool == tool for fact in run.facts}
        rows.append([tool, ", ".join(fact for fact in facts if fact not in told) or "nothing"])
    return f"What a tool never said:\n\n{table(['tool', 'facts'], rows)}"
