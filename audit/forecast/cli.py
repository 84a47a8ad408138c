"""`mailseal clients`: what it takes and what it prints."""

import argparse
import sys
from typing import TYPE_CHECKING

from audit.forecast.manners import LIBRARIES, OPENSSL_3_0
from audit.options import tell_exits
from audit.policy.model import KEY_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audit.clients.model import Client
    from audit.policy.model import Policy


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    tell_exits(
        parser,
        "0 it could be told, also of clients that cannot connect (a policy may mean them to),"
        " 2 wrong usage",
    )
    parser.add_argument(
        "clients", nargs="*", metavar="CLIENT", help="only these (default: all there are)"
    )
    parser.add_argument(
        "--policy",
        action="append",
        default=[],
        metavar="ID|FILE",
        dest="policies",
        help="say what each client gets under this policy; may be repeated, to compare",
    )
    parser.add_argument(
        "--library",
        choices=tuple(LIBRARIES),
        default=OPENSSL_3_0.id,
        help="the TLS library of the servers (default: %(default)s)",
    )
    parser.add_argument(
        "--certificates",
        choices=(*KEY_TYPES, "both"),
        default="both",
        help="what the servers have, as far as the policy allows it (default: %(default)s)",
    )
    parser.add_argument(
        "--json", action="store_true", help="print JSON (docs/schema/clients-1.json)"
    )
    parser.set_defaults(run=_clients)


def _clients(arguments: argparse.Namespace) -> int:
    from datetime import UTC, datetime

    from audit.clients.load import offer
    from audit.forecast import outcome, text
    from audit.forecast.server import keys
    from audit.measures import distinct, load_all

    policies: tuple[Policy, ...] = distinct(load_all(arguments.policies).values())
    kinds = KEY_TYPES if arguments.certificates == "both" else (arguments.certificates,)
    found = outcome.forecast(
        [(one, offer(one)) for one in _chosen(arguments.clients)],
        policies,
        {key.kind: key for key in keys(kinds)},
        LIBRARIES[arguments.library],
        datetime.now(tz=UTC).date(),
    )
    if arguments.json:
        import msgspec

        sys.stdout.write(msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n")
    else:
        sys.stdout.write(text.text(found) if policies else text.listing(found))
    return 0


def _chosen(ids: "Iterable[str]") -> "tuple[Client, ...]":
    from audit.clients.load import clients
    from audit.errors import MailsealError

    known = {one.id: one for one in clients()}
    unknown = [name for name in ids if name not in known]
    if unknown:
        raise MailsealError(f"there is no client {unknown[0]!r}: `mailseal clients` lists them")
    return tuple(known[name] for name in dict.fromkeys(ids)) or tuple(known.values())
