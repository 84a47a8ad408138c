"""What commands that read logs take, and how they come to their counts."""

import argparse
import os
from datetime import date
from functools import partial
from pathlib import Path

from audit.errors import MailsealError
from audit.options import number
from audit.progress import bar
from audit.traffic.keep import save
from audit.traffic.tally import Tally
from audit.traffic.work import Wanted, finish, tally

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
    parser.add_argument("--from", dest="first", type=_day, metavar="DAY", help="not before this")
    parser.add_argument("--to", dest="last", type=_day, metavar="DAY", help="not after this")
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
        help="keep the counts, to be given in place of these logs another time",
    )
    parser.add_argument(
        "--scheduler",
        default="",
        metavar="ADDRESS",
        help="read with a cluster of dask instead, whose workers see the files",
    )


def counted(arguments: argparse.Namespace) -> Tally:
    """What the logs say, with a bar for as long as they are read; kept if that is asked for.

    Raises:
        MailsealError: a log cannot be read, or is none; a day after the last; no scheduler.
    """
    first, last = arguments.first or "", arguments.last or ""
    if first and last and first > last:
        raise MailsealError(f"--from {first} is after --to {last}")
    if arguments.save and not arguments.save.parent.is_dir():
        raise MailsealError(f"{arguments.save}: there is no such directory")  # before all is read
    wanted = Wanted(tuple(arguments.own), first, last)
    found = tally(
        arguments.logs,
        wanted,
        jobs=arguments.jobs,
        scheduler=arguments.scheduler,
        progress=partial(bar, "reading"),
    )
    if arguments.save:
        save(found, arguments.save)
    finish(found, wanted)
    return found


def _day(words: str) -> str:
    try:
        return date.fromisoformat(words).isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{words!r} is no day, as 2026-11-29 is one") from None
