"""`mailseal history`, `diff` and `report`: what was kept, looked at again."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from audit import progress
from audit.changes import compare, exit_code
from audit.drift import drift
from audit.errors import MailsealError
from audit.history.entry import LATEST, Entry, baseline, complete_of, find
from audit.history.keep import past
from audit.history.place import place
from audit.history.store import Store, opened
from audit.options import add_history, tell_exits
from audit.past import NO_PAST
from audit.report import REPORTERS, diff, listing, render, write
from audit.report.visible import visible

_NAMES = "an id, the beginning of one, latest or previous"


def configure_history(parser: argparse.ArgumentParser) -> None:
    """Add the options of `mailseal history`."""
    add_history(parser)
    parser.add_argument(
        "--json", action="store_true", help="print JSON (docs/schema/history-1.json)"
    )
    tell_exits(parser, "0 it could be told, 2 wrong usage")
    parser.set_defaults(run=_history)


def configure_diff(parser: argparse.ArgumentParser) -> None:
    """Add the options of `mailseal diff`."""
    add_history(parser)
    parser.description = (
        "Says what changed between two audits: verdicts, checks and facts. Without RUN_A and RUN_B:"
        " the last complete run and the one before it of the same inventory, limit and policies;"
        " without RUN_B: RUN_A and the last of its kind."
    )
    tell_exits(
        parser,
        "0 nothing became worse, 1 something new fails or is no longer checked, 2 wrong usage,"
        " 3 the only news is what could not be determined",
    )
    parser.add_argument("before", nargs="?", metavar="RUN_A", help=_NAMES)
    parser.add_argument("after", nargs="?", metavar="RUN_B", help=_NAMES)
    parser.add_argument("--json", action="store_true", help="print JSON (docs/schema/diff-1.json)")
    parser.set_defaults(run=_diff)


def configure_report(parser: argparse.ArgumentParser) -> None:
    """Add the options of `mailseal report`."""
    add_history(parser)
    forms = [name for name in REPORTERS if name != "json-scan"]
    parser.add_argument("name", metavar="RUN", help=_NAMES)
    parser.add_argument("--format", choices=forms, default="text", help="default: %(default)s")
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, help="default: the terminal")
    tell_exits(
        parser,
        "0 it could be told, whatever the run found (`mailseal audit` ends with what it found),"
        " 2 wrong usage, or there is no such run",
    )
    parser.set_defaults(run=_report)


def _history(arguments: argparse.Namespace) -> int:
    with _open(arguments) as (_, entries):
        if arguments.json:
            sys.stdout.buffer.write(listing.history_document(entries))
        else:
            listing.show(entries, sys.stdout)
    return 0


def _diff(arguments: argparse.Namespace) -> int:
    with _open(arguments) as (store, entries):
        pair = _pair(entries, arguments.before, arguments.after)
        before, after = (store.load(entry) for entry in pair)
        changes, drifted = compare(before, after), drift(before, after)
        if arguments.before is None:  # as it was told when the last was made
            drifted = past(store, entries, pair[1], after).drift
    if arguments.json:
        sys.stdout.buffer.write(diff.diff_document(before, after, changes, drifted))
    else:
        diff.show(before, after, changes, drifted, sys.stdout)
    return exit_code(changes)


def _pair(entries: list[Entry], before: str | None, after: str | None) -> tuple[Entry, Entry]:
    """The two runs that are meant."""
    if before is None:
        last = find(entries, LATEST)
        return baseline(entries, last), last
    first = find(entries, before)
    if after is not None:
        return first, find(entries, after)
    later = [e for e in complete_of(entries, first.series) if e.number > first.number]
    if not later:
        raise MailsealError(f"there is no later complete run of {first.series} than {first.run}")
    return first, later[-1]


def _report(arguments: argparse.Namespace) -> int:
    with _open(arguments) as (store, entries):
        entry = find(entries, arguments.name)
        run = store.load(entry)
        try:
            before = past(store, entries, entry, run)
        except MailsealError as error:  # the run itself can be told
            progress.say(f"mailseal: {visible(str(error))}; what changed since then is left out")
            before = NO_PAST
    if arguments.output:
        write(run, arguments.format, arguments.output, before)
    else:
        sys.stdout.buffer.write(render(run, arguments.format, before))
    return 0


@contextmanager
def _open(arguments: argparse.Namespace) -> Iterator[tuple[Store, list[Entry]]]:
    where = place(arguments.history)
    if where is None:
        raise MailsealError("there is no history to read: it is switched off by 'none'")
    with opened(where) as store:
        yield store, store.entries()
