"""`mailseal tlsrpt` and what its action `read` takes and prints."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from audit.commands import tlsrpt_write
from audit.options import EXITS_OF_ACTIONS, add_command, add_history, tell_exits

if TYPE_CHECKING:
    from audit.tlsrpt.document import TlsReportsDocument

_READ = "mailseal tlsrpt read /var/mail/tlsrpt --run latest"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the actions."""
    tell_exits(parser, EXITS_OF_ACTIONS)
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    read = add_command(actions, "read", "say what others met when they sent to us", _READ)
    read.description = (
        "Says what TLS reports (RFC 8460) of others tell: by domain of ours and by organization,"
        " sessions that came about and that failed, why, where, and what to do. Each report counts"
        " once, however often it came. What a report says is its sender's word for it."
    )
    tell_exits(
        read,
        "0 every report was read and none tells of a failure, 1 one does, 2 wrong usage or a path"
        " cannot be read, 3 no failure, but a report was refused or contradicts itself, or there"
        " was none",
    )
    read.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="a report (JSON, also in gzip), a mail, an mbox, a maildir, or a directory of these",
    )
    read.add_argument(
        "--run",
        dest="name",
        metavar="RUN",
        help="set each failure beside what this kept audit saw of the host (mailseal history)",
    )
    add_history(read)
    read.add_argument("--json", action="store_true", help="print JSON (docs/schema/tlsrpt-1.json)")
    read.set_defaults(run=_read)
    tlsrpt_write.configure(actions)


def _read(arguments: argparse.Namespace) -> int:
    from audit.report.encode import pretty
    from audit.report.tlsrpt_text import show
    from audit.tlsrpt.beside import beside
    from audit.tlsrpt.gather import gather
    from audit.tlsrpt.merge import merged

    run = None
    if arguments.name:  # said before anything is read
        from audit.history.store import named

        run = named(arguments.history, arguments.name, "--run")
    found = merged(gather(arguments.paths))
    if run:
        found = beside(found, run)
    if arguments.json:
        sys.stdout.buffer.write(pretty(found))
    else:
        show(found, sys.stdout)
    return exit_code(found)


def exit_code(found: "TlsReportsDocument") -> int:
    """1 somebody could not reach us, 0 nobody says so, 3 not everything could be read."""
    from audit.findings import COMPLIANT, FAILED, UNDETERMINED

    if found.sessions.failed:
        return FAILED
    whole = found.reports and not found.refused and not found.lapses
    return COMPLIANT if whole else UNDETERMINED
