"""The runs of a history as a list, for people and for programs."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, TextIO

from msgspec import Meta, Struct

from audit.findings import Verdict
from audit.history.entry import Entry
from audit.report.encode import Time, pretty
from audit.report.paint import Line, put
from audit.report.visible import visible

# As they stand in the line: 8000 passed, 3 failed.
_WORDS: Mapping[Verdict, str] = {
    "pass": "passed",
    "fail": "failed",
    "inconclusive": "inconclusive",
    "waived": "waived",
    "not-applicable": "not applicable",
}


class EntryDocument(Struct, frozen=True):
    """One run, without its findings."""

    number: Annotated[int, Meta(ge=1, description="rises with every run, whatever the clock says")]
    run: str
    started: Time
    finished: Annotated[Time | None, Meta(description="null if it never came to its end")]
    complete: Annotated[bool, Meta(description="of a run that is not, nothing is known")]
    inventory: str
    limit: Annotated[str, Meta(description="empty for all hosts")]
    asked: Annotated[str, Meta(description="policies asked for; empty for the hosts' own")]
    policies: str
    editions: str
    version: Annotated[str, Meta(description="of mailseal")]
    planned: Annotated[int, Meta(ge=0)]
    counts: Annotated[dict[Verdict, int] | None, Meta(description="null for an incomplete run")]


class HistoryDocument(Struct, frozen=True):
    """What `mailseal history --json` says, oldest first."""

    schema: Literal["mailseal/history/1"]
    runs: list[EntryDocument]


def history_document(entries: Sequence[Entry]) -> bytes:
    """The list as "mailseal/history/1"."""
    return pretty(HistoryDocument("mailseal/history/1", [_entry(entry) for entry in entries]))


def show(entries: Sequence[Entry], file: TextIO) -> None:
    """Print the list, oldest first."""
    put(map(_line, entries), file)


def _line(entry: Entry) -> Line:
    style = "bold red" if entry.counts is None or entry.counts["fail"] else "bold"
    return (
        (visible(entry.run), "bold"),
        f"  {visible(entry.started)}  ",
        (_counted(entry), style),
        f"  {visible(entry.policies)}  {visible(str(entry.series))}",
    )


def _counted(entry: Entry) -> str:
    if entry.counts is None:
        return f"incomplete, {entry.planned} planned"
    counts = entry.counts
    shown = [v for v in _WORDS if counts[v] or v in ("pass", "fail")]
    return ", ".join(f"{counts[v]} {_WORDS[v]}" for v in shown)


def _entry(entry: Entry) -> EntryDocument:
    return EntryDocument(
        number=entry.number,
        run=entry.run,
        started=entry.started,
        finished=entry.finished,
        complete=entry.complete,
        inventory=entry.series.inventory,
        limit=entry.series.limit,
        asked=entry.series.policies,
        policies=entry.policies,
        editions=entry.editions,
        version=entry.version,
        planned=entry.planned,
        counts=dict(entry.counts) if entry.counts is not None else None,
    )
