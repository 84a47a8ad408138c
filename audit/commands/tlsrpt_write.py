"""`mailseal tlsrpt write`: what it takes and what it prints."""

import argparse
import sys
import time
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

    from audit.domain.resolver import Resolver
    from audit.tlsrpt.applied import Policies
    from audit.tlsrpt.compose import Own
    from audit.tlsrpt.sessions import Sessions

_EXAMPLE = (
    "mailseal tlsrpt write --organization 'Example University' --contact tlsrpt@example.org"
    " --ask --out reports/ /var/log/exim4/mainlog*"
)
_SHOWN = 40  # reports that are named on the terminal
_MOST_SECONDS = 600.0  # for all questions of --ask


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
        " counted for what it is, somebody could not be asked, or there was nothing to report on",
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
    whom = parser.add_mutually_exclusive_group()
    whom.add_argument(
        "--recipients",
        type=Path,
        metavar="FILE",
        help="lines `DOMAIN ADDRESS...`, as domains publish them in _smtp._tls; reports only for"
        " these, and beside each the mail to send",
    )
    whom.add_argument(
        "--ask",
        action="store_true",
        help="ask _smtp._tls of each domain instead, of DNS",
    )
    parser.add_argument(
        "--resolver",
        metavar="ADDRESS[:PORT]",
        help="the resolver to --ask (default: those of the system)",
    )
    parser.add_argument(
        "--mta-sts",
        type=Path,
        metavar="DIR",
        help="the policies that the helper of the role mta_sts keeps on the host of the logs",
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
    from audit.tlsrpt import policies
    from audit.tlsrpt.compose import Sender, compose

    first, last = _days(arguments)
    recipients, resolver = _whom(arguments)
    write.directory(arguments.out)
    known, lost = policies.read(arguments.mta_sts) if arguments.mta_sts else ({}, [])
    sessions = _sessions(arguments, (first, last), known)
    counts = sessions.finish()
    name = text(arguments.organization)
    sender = Sender(name, arguments.contact, arguments.ip or "")
    owns = list(compose(counts, sender, known))
    if resolver:
        recipients, untold = _asked(owns, resolver)
        lost += untold
    written, troubles = write.all_of(owns, sender, arguments.out, recipients)
    _tell(written, arguments.out)
    for words in (*troubles, *lost, *sessions.notices(counts)):
        say(f"mailseal: {visible(words)}")
    if troubles:
        return USAGE
    whole = written and not lost and not sessions.unclear and not sessions.homeless
    return COMPLIANT if whole else UNDETERMINED


def _whom(arguments: argparse.Namespace) -> "tuple[write.Recipients | None, Resolver | None]":
    """Who wants reports as far as a file says it, and whom to ask otherwise."""
    from audit.errors import MailsealError

    if arguments.resolver is not None and not arguments.ask:
        raise MailsealError("--resolver: is for --ask")
    if not arguments.ask:
        return write.recipients(arguments.recipients) if arguments.recipients else None, None
    from audit.domain.resolver import Resolver
    from audit.domain.system import system
    from audit.targets import nameserver

    option, said = "--resolver", arguments.resolver
    at = [nameserver(said, option)] if said is not None else system(option)
    return None, Resolver(at, time.monotonic() + _MOST_SECONDS)


def _asked(owns: "list[Own]", resolver: "Resolver") -> "tuple[write.Recipients, list[str]]":
    """Who wants reports as DNS says it, and a sentence where it could not be told of somebody."""
    from audit.tlsrpt.ask import ask

    found = ask((own.domain for own in owns), resolver)
    if not found.untold:
        return found.wanted, []
    first, why = next(iter(found.untold.items()))
    words = f"of {plural(len(found.untold), 'domain')} could not be told who wants its reports"
    return found.wanted, [f"{words}, which are written without a mail: {first}: {why}"]


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


def _sessions(
    arguments: argparse.Namespace, days: tuple[str, str], policies: "Policies"
) -> "Sessions":
    from audit.tlsrpt.clock import clock
    from audit.tlsrpt.logs import read
    from audit.tlsrpt.sessions import Sessions
    from audit.traffic.own import Own

    own = Own(tuple(arguments.own))
    found = Sessions(
        clock(arguments.zone), own, days, policies=policies, clear=arguments.count_clear
    )
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
