"""`mailseal passage`: what it takes and what it prints."""

import argparse
import sys
from datetime import UTC, datetime

_PATIENCE = 60
_MOST = 3600


def configure(passage: argparse.ArgumentParser) -> None:
    """Add its options."""
    passage.add_argument("-i", "--inventory", required=True, help="the Ansible inventory")
    passage.add_argument(
        "--limit", default="", metavar="PATTERN", help="only these hosts or groups"
    )
    passage.add_argument(
        "--wait",
        type=_seconds,
        default=_PATIENCE,
        metavar="SECONDS",
        help="for a mail to be in its mailbox, where that can be read (default: %(default)s)",
    )
    passage.add_argument(
        "--json", action="store_true", help="print JSON (docs/schema/passage-1.json)"
    )
    passage.set_defaults(run=_passage)


def _seconds(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MOST:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 1 to {_MOST}")
    return int(text)


def _passage(arguments: argparse.Namespace) -> int:
    from audit import progress
    from audit.passage import report
    from audit.passage.outcome import exit_code
    from audit.passage.prepare import prepare
    from audit.passage.run import run

    errands = prepare(arguments.inventory, arguments.limit)
    started = datetime.now(tz=UTC)
    with progress.bar("passage", len(errands)) as step:
        outcomes = run(errands, arguments.wait, step)
    if arguments.json:
        sys.stdout.buffer.write(report.document(outcomes, started, datetime.now(tz=UTC)))
    else:
        report.show(outcomes, sys.stdout)
    return exit_code(outcomes)
