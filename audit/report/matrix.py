"""Host by check: the whole run on one page, passes counted instead of listed."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from audit.findings import Finding, Run, Verdict
from audit.judge.catalogue import CATALOGUE, SUBJECTS, Check
from audit.report.entries import Entry, Place, check_of, first_entries

# Which of several verdicts a cell shows: the one that asks most for attention.
_WORST_FIRST: tuple[Verdict, ...] = ("fail", "inconclusive", "waived", "pass", "not-applicable")


@dataclass(frozen=True, slots=True)
class Cell:
    """All findings of one check on one host.

    Attributes:
        verdict: the worst of them.
        count: how many have it.
        total: how many there are.
        entry: the number of the entry that tells more; 0 if none does.
    """

    verdict: Verdict
    count: int
    total: int
    entry: int


@dataclass(frozen=True, slots=True)
class Matrix:
    """What to look at first.

    Attributes:
        groups: columns under their headings.
        rows: host to check id to cell; a missing cell is a check that was not planned there.
        totals: check id to verdict to number.
    """

    groups: Mapping[str, list[Check]]
    rows: Mapping[str, Mapping[str, Cell]]
    totals: Mapping[str, Mapping[Verdict, int]]

    def having(self, checks: Iterable[Check]) -> dict[str, Mapping[str, Cell]]:
        """The rows that have any of these."""
        ids = {check.id for check in checks}
        return {host: cells for host, cells in self.rows.items() if not ids.isdisjoint(cells)}


def matrix(run: Run, entries: Iterable[Entry]) -> Matrix:
    """Lay out a run; entries are what its cells point to."""
    first = first_entries(entries)
    counted: dict[str, dict[str, Counter[Verdict]]] = {}
    totals: dict[str, Counter[Verdict]] = {}
    for f in run.findings:
        counted.setdefault(f.host, {}).setdefault(f.check, Counter())[f.verdict] += 1
        totals.setdefault(f.check, Counter())[f.verdict] += 1
    rows = {
        host: {check: _cell(counts, host, check, first) for check, counts in row.items()}
        for host, row in counted.items()
    }
    return Matrix(_columns(run.findings), rows, totals)


def _cell(counts: Counter[Verdict], host: str, check: str, first: Mapping[Place, int]) -> Cell:
    worst = next(verdict for verdict in _WORST_FIRST if counts[verdict])
    return Cell(worst, counts[worst], counts.total(), first.get((host, check, worst), 0))


def _columns(findings: Iterable[Finding]) -> dict[str, list[Check]]:
    """The checks of this run, in the catalogue's order, under their headings."""
    present = {f.check: check_of(f) for f in findings}
    columns = {
        heading: [present[row.id] for row in rows if row.id in present]
        for heading, rows in SUBJECTS.items()
    }
    columns["Unknown"] = [check for name, check in present.items() if name not in CATALOGUE]
    return {heading: checks for heading, checks in columns.items() if checks}
