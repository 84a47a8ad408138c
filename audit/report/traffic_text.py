"""What logs tell of TLS, for people: each figure with what it is a share of."""

from collections.abc import Iterable, Iterator
from typing import TextIO

from audit.report.paint import Line, put
from audit.report.traffic_rows import Row, Section, Table
from audit.report.traffic_sections import SUBJECTS, failures, nothing, sections, silent
from audit.report.visible import visible
from audit.traffic.figures import Failing, Somebody, Traffic
from audit.traffic.shares import Trend, share

_MOST = 10  # rows of a table that has no natural end; the page has more, JSON all
_NAME, _COUNT, _PART = 52, 11, 11  # columns: the longest name, a count, a share


def show(found: Traffic, file: TextIO) -> None:
    """Print all figures."""
    put(_text(found), file)


def _text(found: Traffic) -> Iterator[Line]:
    yield from _whole(found)
    for section in sections(found, _MOST):
        yield from _section(section)
        if found.access and section.id == "access":
            yield from _named(found.access.users)
    if found.errors:
        yield ()
        yield (("Handshakes that failed", "bold"),)
        yield from map(_row, failures(found))
        yield _row(Row("hosts with old versions only", len(found.failing)))
        yield from _named(found.failing)
    yield from _trend(found.trend)


def _whole(found: Traffic) -> Iterator[Line]:
    lines = found.lines
    yield (
        (visible(found.period), "bold"),
        f": {lines.total:,} lines, {lines.with_tls:,} of them with a TLS session",
    )
    if not found.whole:
        yield ((f"{lines.lost:,} lines with a TLS session are NOT counted", "bold red"),)
    if lines.ambiguous:
        yield ((f"{lines.ambiguous:,} lines are ambiguous, and in no figure", "yellow"),)
    if not found.counted:
        yield ((nothing(lines), "bold red"),)
    for who in found.silent:
        yield ((f"  {visible(silent(who))}", "yellow"),)
    for line in found.ambiguous:
        yield (("  could be read in more than one way: ", "yellow"), visible(line[:200]))


def _section(section: Section) -> Iterator[Line]:
    yield ()
    yield ((section.title, "bold"),)
    yield _row(Row(section.unit, section.total))
    yield from map(_row, section.figures)
    versions = [Row(part.name, part.count, part.of) for part in section.versions]
    for table in (
        Table("Versions", "Version", section.unit, versions),
        Table("Suites", "Suite", section.unit, section.suites),
        *section.tables,
    ):
        yield from _table(table)
        if table.title == "Versions" and section.unnamed:
            yield (f"    {section.unnamed}",)


def _table(table: Table) -> Iterator[Line]:
    if table.rows is None:
        yield (f"  {table.title}: not logged, {SUBJECTS}",)
    elif table.rows:
        yield (f"  {table.title}",)
        for row in table.rows:
            yield _row(row, within=2)


def _named(rows: list[Somebody] | list[Failing]) -> Iterator[Line]:
    """Who it was, the most often first."""
    for row in rows[:_MOST]:
        user = f"{visible(row.user)} from " if isinstance(row, Somebody) else ""
        yield (f"    {user}{visible(row.address)}: {row.count:,}, last {visible(row.last_seen)}",)
    if len(rows) > _MOST:
        yield (f"    and {len(rows) - _MOST:,} more",)


def _trend(found: Trend) -> Iterator[Line]:
    if not found.periods:
        return
    yield ()
    title = f"Share with TLS by {found.by}"
    heads = ("incoming", "outgoing", "verified", "DANE")
    yield ((f"{title:24}", "bold"), "".join(f"{head:>{_PART}}" for head in heads))
    for one in found.periods:
        shares = (
            *(one.incoming_share, one.outgoing_share),
            *(one.outgoing_verified_share, one.outgoing_dane_share),
        )
        columns = "".join(f"{_percent(value):>{_PART}}" for value in shares)
        yield (f"  {visible(one.period):22}{columns}",)


def _row(row: Row, within: int = 1) -> Line:
    name = f"{'  ' * (within + row.inner)}{visible(row.name)}"
    if row.count is None:
        return (f"{name:{_NAME}}{'not logged':>{_COUNT}}",)
    part = f"{_percent(share(row.count, row.of)):>8}" if row.of is not None else ""
    return (f"{name:{_NAME}}{row.count:>{_COUNT},}{part}{''.join(_others(row))}",)


def _others(row: Row) -> Iterable[str]:
    if row.inner and row.without is not None:
        yield f"; {row.without:,} without"
    if row.unknown:
        yield f"; {row.unknown:,} unknown"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}%"
