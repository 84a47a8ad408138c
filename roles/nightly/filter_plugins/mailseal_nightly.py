"""What `mailseal audit` says of the words that it would be started with, as a Jinja filter."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

# A checkout needs no installation: the auditor lies beside the roles.
sys.path.append(str(Path(__file__).resolve().parents[3]))

from audit.errors import MailsealError
from audit.history.place import place
from audit.measures import load_all
from audit.nightly import agree, configure
from audit.notify import webhook
from audit.notify.options import addressed


class _Parser(argparse.ArgumentParser):
    """One that says what is wrong and ends nothing."""

    def error(self, message: str) -> NoReturn:
        raise MailsealError(message)


def mailseal_nightly_refusal(words: Sequence[str], notify: Sequence[str], secret: str) -> str:
    """Why every night would end before anybody could be told of it; empty if none would.

    Args:
        words: the program, `audit` and its options.
        notify: what is to stand in the file of whom to tell, which is not there yet.
        secret: what is to stand in that of the key; empty for none.
    """
    parser = _Parser()
    configure(parser)
    try:
        arguments = parser.parse_args([str(word) for word in words[2:]])
        if not Path(arguments.inventory).exists():
            return f"there is no inventory {arguments.inventory}"
        load_all(arguments.policies or ())
        key = webhook.key(secret, "mailseal_nightly_webhook_secret") if secret else b""
        told = addressed(arguments, notify, key)
        if arguments.history:  # where it is otherwise, only the environment of its user says
            agree(place(arguments.history), told)
    except MailsealError as error:
        return str(error)
    return ""


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """All filters."""
        return {"mailseal_nightly_refusal": mailseal_nightly_refusal}
