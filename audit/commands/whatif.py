"""`mailseal whatif`: what it takes and what it prints."""

import argparse
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from audit.commands.logs import add_forms, add_logs, counted, ended, tell
from audit.forecast.manners import LIBRARIES, OPENSSL_3_0, Manners
from audit.options import add_history, tell_exits
from audit.policy.model import KEY_TYPES, Traffic
from audit.traffic.tally import text

if TYPE_CHECKING:
    from audit.policy.model import KeyType, Policy
    from audit.traffic.tally import Tally
    from audit.whatif.document import WhatIfDocument
    from audit.whatif.hellos import Hellos
    from audit.whatif.premises import Before

USES = get_args(Traffic)
_DOMAIN = re.compile(r"(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.description = (
        "Says who a policy would hurt, from mail logs: what each client negotiated proves what it"
        " offers and what it does not, if the server's configuration at the time is known. Keep and"
        " break are proofs; all else is unknown, with what is likely."
    )
    tell_exits(
        parser,
        "0 nobody breaks, 1 somebody does, 2 wrong usage, or a file could not be read or written,"
        " 3 nobody breaks for certain and something is unknown, or nobody was seen",
    )
    add_logs(parser)
    parser.add_argument(
        "--policy", required=True, metavar="ID|FILE", help="what would come into force"
    )
    parser.add_argument(
        "--server-order",
        action="append",
        default=[],
        metavar="RUN|policy:ID",
        help="what the servers were while the logs were written: a kept audit, or what had been"
        " rolled out (policy:A+B for a shadow); may be repeated, if it may have been either"
        " (default: the kept audits of these days)",
    )
    add_history(parser)
    parser.add_argument(
        "--library",
        action="append",
        type=_library,
        default=[],
        metavar="[TRAFFIC=]ID",
        help=f"the TLS library of the servers ({', '.join(LIBRARIES)}; default: {OPENSSL_3_0.id}),"
        f" of all or of one kind of traffic ({', '.join(USES)}); may be repeated",
    )
    parser.add_argument(
        "--certificates",
        choices=(*KEY_TYPES, "both"),
        help="what the servers have (default: what an audit saw, or else whatever the logs allow)",
    )
    parser.add_argument(
        "--hellos",
        action="append",
        default=[],
        type=Path,
        metavar="PCAP",
        help="a capture with hellos of clients, which narrows what is unknown; may be repeated",
    )
    parser.add_argument(
        "--require-verified",
        action="store_true",
        help="outgoing mail goes only to hosts whose certificate can be verified",
    )
    parser.add_argument(
        "--require-dane",
        action="append",
        type=_domain,
        default=[],
        metavar="DOMAIN",
        help="outgoing mail to this domain goes by DANE or not at all (hosts_require_dane of Exim);"
        " '*.example.org' is all below it, '*' every domain; may be repeated",
    )
    parser.add_argument(
        "--hash-users", action="store_true", help="keyed hashes in place of the names of users"
    )
    parser.add_argument(
        "--key-file",
        type=Path,
        metavar="FILE",
        help="the key for them, to have the same in several reports (default: one for this report)",
    )
    add_forms(parser, "whatif-1.json")
    parser.set_defaults(run=_whatif)


def _whatif(arguments: argparse.Namespace) -> int:
    from audit.policy.load import load
    from audit.report import whatif_text
    from audit.report.whatif_page import whatif_page

    troubles: list[str] = []
    found = answer(arguments, load(arguments.policy), troubles)
    tell(arguments, found, partial(whatif_text.show, found), partial(whatif_page, found), troubles)
    return ended(exit_code(found), troubles)


def answer(
    arguments: argparse.Namespace, policy: "Policy", troubles: list[str]
) -> "WhatIfDocument":
    """Everything that is asked for on the command line, read and weighed.

    Args:
        arguments: the command line.
        policy: what would come into force.
        troubles: gets why something could not be written.

    Raises:
        MailsealError: a log, a capture, a run, a policy or a key cannot be read.
    """
    from datetime import UTC, datetime

    from msgspec.structs import replace

    from audit.clients.load import clients, offer
    from audit.whatif.hellos import read
    from audit.whatif.hide import hasher
    from audit.whatif.ja3 import by_sight
    from audit.whatif.premises import Question
    from audit.whatif.weigh import Narrowing, weigh

    name = None
    if arguments.hash_users or arguments.key_file:
        name = hasher(arguments.key_file)
    captured: Hellos = read(arguments.hellos)
    tally = counted(arguments, troubles)
    libraries: dict[Any, Manners] = dict(arguments.library)
    question = Question(
        policy=policy,
        day=datetime.now(tz=UTC).date(),
        manners=libraries.pop("", OPENSSL_3_0),
        others=libraries,
        before=_before(arguments, tally),
        certificates=_kinds(arguments.certificates),
        verify=arguments.require_verified,
        dane=tuple(arguments.require_dane),
    )
    narrowing = Narrowing(
        hellos=captured.offers,
        ja3=by_sight(tally.offers),
        models=tuple((one, offer(one)) for one in clients()),
    )
    found = weigh(tally, question, narrowing, name)
    notices = [*found.notices, *captured.notices()]
    there = {(use, text(ip)) for use, ip, *_ in tally.clients}
    if name and arguments.save:
        notices.append(
            f"{arguments.save}: the counts that are kept have the names of users in clear"
        )
    if absent := len(set(captured.offers) - there):
        notices.append(f"not observed: {absent} addresses have hellos, and nothing in the logs")
    return replace(found, notices=notices)


def _library(words: str) -> tuple[str, Manners]:
    """A kind of traffic, or none for all, and a library."""
    use, _, name = words.rpartition("=")
    if name not in LIBRARIES or use not in ("", *USES):
        raise argparse.ArgumentTypeError(
            f"{words!r} is no library: {', '.join(LIBRARIES)}, of all or of {', '.join(USES)},"
            f" as mx={OPENSSL_3_0.id}"
        )
    return use, LIBRARIES[name]


def _domain(words: str) -> str:
    """A domain, all below one, or `*`, in small letters."""
    name = words.lower().rstrip(".")
    if name != "*" and not _DOMAIN.fullmatch(name):
        raise argparse.ArgumentTypeError(
            f"{words!r} is no domain, as example.org, '*.example.org' and '*' are"
        )
    return name


def _kinds(word: str | None) -> "tuple[KeyType, ...]":
    """What a word for certificates means; nothing if there is none."""
    return KEY_TYPES if word == "both" else tuple(kind for kind in KEY_TYPES if kind == word)


def _before(arguments: argparse.Namespace, tally: "Tally") -> "dict[Traffic, tuple[Before, ...]]":
    from audit.whatif import order

    if arguments.server_order:
        found: dict[Traffic, tuple[Before, ...]] = {}
        for name in arguments.server_order:
            for use, before in order.by_name(name, arguments.history).items():
                found[use] = (*found.get(use, ()), *before)
        return found
    days = sorted(day.decode("ascii", "replace") for day in tally.days)
    return dict(order.by_days(days[0], days[-1], arguments.history)) if days else {}


def exit_code(found: "WhatIfDocument") -> int:
    """0 nobody breaks, 1 somebody does, 3 nobody does for certain, or nobody was seen."""
    from audit.findings import COMPLIANT, FAILED, UNDETERMINED

    if any(one.broken for one in found.traffic.values()) or any(r.broken for r in found.sending):
        return FAILED
    unknown = any(one.unknown for one in found.traffic.values()) or any(
        rule.unknown or rule.not_observed for rule in found.sending
    )
    return UNDETERMINED if unknown or not found.traffic else COMPLIANT
