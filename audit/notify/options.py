"""The options of who is told, and how."""

import argparse
from collections.abc import Sequence

from audit.notify import mail, webhook
from audit.notify.post import Post
from audit.notify.target import targets


def add_notify(parser: argparse.ArgumentParser) -> None:
    """Add them."""
    parser.add_argument(
        "--notify",
        action="append",
        default=[],
        metavar="mailto:ADDRESS|https://...|@FILE",
        help="tell them what changed since the run before, if anything did, and of a run that was"
        " not made or not in time; FILE has one a line and is for URLs that are secrets; may be"
        " repeated",
    )
    parser.add_argument(
        "--mail-relay",
        default=mail.USUAL,
        metavar="smtp[s]://HOST[:PORT]",
        help="who takes mail; smtp: TLS where it is offered, smtps: TLS first, and verified"
        " (default: %(default)s)",
    )
    parser.add_argument(
        "--mail-from", metavar="ADDRESS", help="who mail is from (default: root@ this host)"
    )
    parser.add_argument(
        "--webhook-secret",
        metavar="FILE",
        help="what webhooks are signed with, in base64 (Standard Webhooks; default:"
        f" ${webhook.VARIABLE}, else no signature)",
    )


def post(arguments: argparse.Namespace) -> Post | None:
    """Who is told; None for nobody.

    Raises:
        MailsealError: one of the options is wrong.
    """
    return addressed(arguments, arguments.notify, webhook.secret(arguments.webhook_secret))


def addressed(arguments: argparse.Namespace, notify: Sequence[str], key: bytes) -> Post | None:
    """The same, with whom to tell and the key in other places than where the options say.

    Raises:
        MailsealError: one of them is wrong.
    """
    relay = mail.relay(arguments.mail_relay)
    sender = mail.sender(arguments.mail_from) if notify else ""
    found = targets(notify)
    return Post(targets=found, relay=relay, sender=sender, key=key) if found else None
