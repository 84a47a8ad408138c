"""`mailseal tlsrpt write`: what it takes and what it prints."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from audit.commands.logs import day, in_order
from audit.options import Commands, add_command, tell_exits
from audit.progress import bar, say
from audit.report.encode import text
from audit.report.summary import plural
from audit.report.visible import visible
from audit.tlsrpt import write

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from audit.tlsrpt.sessions import Sessions

_EXAMPLE = (
    "mailseal tlsrpt write --organization 'Example University' --contact tlsrpt@example.org"
    " --out reports/ /var/log/exim4/mainlog*"
)
_SHOWN = 40  # reports that are named on the terminal


def configure(actions: "Commands[argparse.ArgumentParser]") -> None:
    """Add it to the actions of `mailseal tlsrpt`."""
    parser = add_command(actions, "write", "report to others on sending to them", _EXAMPLE)
    parser.description = (
        "Writes a report (RFC 8460) for each domain that Exim's logs say mail was sent to, and each"
        " day in UTC: what was applied, sessions that came about and that failed, and why. Nothing"
        " is sent. docs/tlsrpt.md says what an Exim log can tell and what it cannot."
    )
    tell_exits(
        parser,
        "0 written, 2 wrong usage, or a file could not be read or written, 3 something could not be"
        " counted for what it is, or there was nothing to report on",
    )
    parser.add_argument(
        "logs",
        nargs="+",
        type=Path,
        metavar="LOG",
        help="Exim's mainlog, or a syslog with its lines, compressed or not, in any order",
    )
    parser.add_argument("--organization", required=True, metavar="NAME", help="who reports")
    parser.add_argument(
        "--contact",
        required=True,
        type=_address,
        metavar="ADDRESS",
        help="whom to ask about them; reports come from its domain",
    )
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="where they go")
    parser.add_argument(
        "--from", dest="first", type=day, metavar="DAY", help="the first day (default: yesterday)"
    )
    parser.add_argument(
        "--to", dest="last", type=day, metavar="DAY", help="the last (default: the first)"
    )
    parser.add_argument(
        "--recipients",
        type=Path,
        metavar="FILE",
        help="lines `DOMAIN ADDRESS...`, as domains publish them in _smtp._tls; reports only for"
        " these, and beside each the mail to send",
    )
    parser.add_argument(
        "--own",
        action="append",
        default=[],
        metavar="NETWORK",
        help="what goes there is delivered to ourselves; may be repeated",
    )
    parser.add_argument(
        "--ip", type=_ip, metavar="ADDRESS", help="where mail is sent from, to be named"
    )
    parser.add_argument(
        "--zone",
        type=_zone,
        metavar="ZONE",
        help="of stamps without one, as Europe/Vienna (default: this machine's)",
    )
    parser.add_argument(
        "--count-clear",
        action="store_true",
        help="mail in clear was not offered TLS: right only where Exim tries it with everybody (no"
        " hosts_avoid_tls, and +tls_cipher is logged)",
    )
    parser.set_defaults(run=_write)


def _write(arguments: argparse.Namespace) -> int:
    from audit.errors import USAGE
    from audit.findings import COMPLIANT, UNDETERMINED
    from audit.tlsrpt.compose import Sender, compose

    first, last = _days(arguments)
    recipients = write.recipients(arguments.recipients) if arguments.recipients else None
    write.directory(arguments.out)
    sessions = _sessions(arguments, (first, last))
    counts = sessions.finish()
    name = text(arguments.organization)
    sender = Sender(name, arguments.contact, arguments.ip or "")
    written, troubles = write.all_of(compose(counts, sender), sender, arguments.out, recipients)
    _tell(written, arguments.out)
    for words in (*troubles, *sessions.notices(counts)):
        say(f"mailseal: {visible(words)}")
    if troubles:
        return USAGE
    whole = written and not sessions.unclear and not sessions.homeless
    return COMPLIANT if whole else UNDETERMINED


def _days(arguments: argparse.Namespace) -> tuple[str, str]:
    """The days that are asked for, all of them over."""
    from datetime import UTC, datetime, timedelta

    from audit.errors import MailsealError

    today = datetime.now(tz=UTC).date()
    first = arguments.first or arguments.last or (today - timedelta(days=1)).isoformat()
    last = arguments.last or first
    in_order(first, last)
    if last >= today.isoformat():
        raise MailsealError(f"{last} is not over in UTC, and reports are about whole days")
    return first, last


def _sessions(arguments: argparse.Namespace, days: tuple[str, str]) -> "Sessions":
    from audit.tlsrpt.clock import clock
    from audit.tlsrpt.logs import read
    from audit.tlsrpt.sessions import Sessions
    from audit.traffic.own import Own

    own = Own(tuple(arguments.own))
    found = Sessions(clock(arguments.zone), own, days, clear=arguments.count_clear)
    with bar("reading", len(arguments.logs)) as done:
        read(arguments.logs, found, done)
    return found


def _tell(written: list[Path], out: Path) -> None:
    """Name what was written."""
    names = [path.name for path in written[:_SHOWN]]
    if len(written) > _SHOWN:
        names.append(f"and {len(written) - _SHOWN:,} more")
    sys.stdout.write("\n".join([*names, f"{plural(len(written), 'report')} in {out}", ""]))


def _address(words: str) -> str:
    if not write.ADDRESS.fullmatch(words):
        raise argparse.ArgumentTypeError(f"{words!r} is no address, as tlsrpt@example.org is one")
    return words


def _ip(words: str) -> str:
    from audit.names import is_address

    if not is_address(words):
        raise argparse.ArgumentTypeError(f"{words!r} is no IP address")
    return words


def _zone(words: str) -> "ZoneInfo":
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(words)
    except (ValueError, OSError, LookupError):
        raise argparse.ArgumentTypeError(
            f"{words!r} is no time zone, as Europe/Vienna is one"
        ) from None
