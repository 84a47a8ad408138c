"""What commands that read logs take, how they come to their counts, and how they tell of them."""

import argparse
import os
import sys
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from audit.errors import USAGE, MailsealError
from audit.findings import FAILED
from audit.options import number
from audit.progress import bar, say
from audit.report.encode import pretty
from audit.report.visible import visible
from audit.traffic import keep
from audit.traffic.tally import Tally
from audit.traffic.work import Wanted, finish, tally
from audit.written import put, writable

_MOST_JOBS = 256


def add_logs(parser: argparse.ArgumentParser) -> None:
    """Add the logs, and what of them is counted."""
    parser.add_argument(
        "logs",
        nargs="+",
        type=Path,
        metavar="LOG",
        help="a log of Exim, or of syslog with lines of Exim, Postfix, Dovecot and Cyrus, as it is"
        " or compressed (gz, xz, bz2, zst), in any order; or counts kept with --save",
    )
    parser.add_argument(
        "--own",
        action="append",
        default=[],
        metavar="NETWORK",
        help="mail from and to these is one's own and counted apart, as are one's own probes; may"
        " be repeated",
    )
    parser.add_argument("--from", dest="first", type=day, metavar="DAY", help="not before this")
    parser.add_argument("--to", dest="last", type=day, metavar="DAY", help="not after this")
    parser.add_argument(
        "--jobs",
        type=number(1, _MOST_JOBS, "processes"),
        default=os.cpu_count() or 1,
        metavar="N",
        help="processes to read with (default: %(default)s)",
    )
    parser.add_argument(
        "--save",
        type=Path,
        metavar="FILE",
        help="keep the counts, to be given in place of these logs another time; they stay as they"
        " were counted, with the same --own, --from and --to",
    )
    parser.add_argument(
        "--scheduler",
        default="",
        metavar="ADDRESS",
        help="read with a cluster of dask instead, whose workers see the files",
    )


def add_forms(parser: argparse.ArgumentParser, schema: str) -> None:
    """Add the forms in which it is told; *schema* is the file that JSON is valid by."""
    parser.add_argument("--json", action="store_true", help=f"print JSON (docs/schema/{schema})")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page to this file")


def counted(arguments: argparse.Namespace, troubles: list[str]) -> Tally:
    """What the logs say, with a bar for as long as they are read; kept if that is asked for.

    Args:
        arguments: those of `add_logs`.
        troubles: gets why the counts could not be kept.

    Raises:
        MailsealError: a log cannot be read, or is none; a day after the last; no scheduler; what
            is asked for could not be written, or would take the place of something else.
    """
    first, last = arguments.first or "", arguments.last or ""
    in_order(first, last)
    _look_ahead(arguments)
    wanted = Wanted(tuple(arguments.own), first, last)
    found = tally(
        arguments.logs,
        wanted,
        jobs=arguments.jobs,
        scheduler=arguments.scheduler,
        progress=partial(bar, "reading"),
    )
    if arguments.save:
        _attempt(troubles, keep.save, found, arguments.save)
    finish(found, wanted)
    return found


def _look_ahead(arguments: argparse.Namespace) -> None:
    """See that what is asked for could be written, before all is read, and takes nobody's place."""
    save, html = arguments.save, arguments.html
    for path in filter(None, (save, html)):
        writable(path)
    if save and html and save.resolve() == html.resolve():
        raise MailsealError(f"{html}: --save and --html are the same file")
    if html and any(log.resolve() == html.resolve() for log in arguments.logs):
        raise MailsealError(f"{html}: --html is what is to be read")
    if save and save.is_file() and save.stat().st_size and not keep.is_kept(save):
        raise MailsealError(f"{save}: --save would replace what is no file of kept counts")


def tell(
    arguments: argparse.Namespace,
    found: object,
    show: Callable[[TextIO], None],
    page: Callable[[], bytes],
    troubles: list[str],
) -> None:
    """Print what was found, and write its page if that is asked for.

    Args:
        arguments: those of `add_forms`.
        found: what is printed as JSON.
        show: prints it for people.
        page: makes the page.
        troubles: gets why the page could not be written.
    """
    try:
        if arguments.json:
            sys.stdout.buffer.write(pretty(found))
        else:
            show(sys.stdout)
    finally:  # the page does not wait for who reads the terminal
        if arguments.html:
            _attempt(troubles, put, page(), arguments.html)


def ended(code: int, troubles: list[str]) -> int:
    """Say what could not be written, and give the exit code; *code* if there is no such thing."""
    for trouble in troubles:
        say(f"mailseal: {visible(trouble)}")
    return USAGE if troubles and code != FAILED else code


def _attempt(troubles: list[str], write: Callable[[Any, Path], None], *what: Any) -> None:  # noqa: ANN401
    try:
        write(*what)
    except MailsealError as error:
        troubles.append(str(error))


def in_order(first: str, last: str) -> None:
    """See that the days that are asked for are in their order; an empty one is none.

    Raises:
        MailsealError: they are not.
    """
    if first and last and first > last:
        raise MailsealError(f"--from {first} is after --to {last}")


def day(words: str) -> str:
    """A day as an option has it, YYYY-MM-DD."""
    try:
        return date.fromisoformat(words).isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{words!r} is no day, as 2026-11-29 is one") from None
