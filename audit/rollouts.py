"""`mailseal rollout`: the rollouts that were recorded, in the terminal, as JSON, and as a page."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from audit.options import tell_exits
from audit.rollout.place import PAGE, USUAL, find, known_names, load

if TYPE_CHECKING:
    from audit.rollout.model import Rollout

_NAMES = "its name, the beginning of it, latest or previous; without it all are listed"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add its options."""
    parser.description = (
        "Lists the rollouts that rollout.yml, rollback.yml and openssl.yml have recorded, or tells"
        " one of them."
    )
    tell_exits(
        parser,
        "0 it reached every host, or there is a list, 1 a host did not get there, 2 wrong usage,"
        " 3 it did not come to its end or what a host serves is not known",
    )
    parser.add_argument("name", nargs="?", metavar="ROLLOUT", help=_NAMES)
    parser.add_argument(
        "-o", "--output", metavar="FILE", type=Path, help="write its page (HTML) to this file"
    )
    parser.add_argument(
        "--directory",
        type=Path,
        default=USUAL,
        metavar="DIR",
        help="where they are kept: mailseal_rollout_directory (default: %(default)s)",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print JSON (docs/schema/rollout-1.json, and rollouts-1.json for the list)",
    )
    parser.set_defaults(run=_rollout)


def write_page(directory: Path, name: str, path: Path | None = None) -> Path:
    """Write the page of a rollout, beside its record or elsewhere; return where.

    Raises:
        MailsealError: the record cannot be read, or the page not be written.
    """
    from audit.report.rollout_page import rollout_page
    from audit.written import put

    page = rollout_page(load(directory, name))
    where = path or directory / f"{name}{PAGE}"
    put(page, where, private=path is None)
    return where


def _rollout(arguments: argparse.Namespace) -> int:
    from audit.errors import MailsealError
    from audit.report import rollouts as told
    from audit.report.ended import exit_code

    where: Path = arguments.directory
    if arguments.name is None:
        if arguments.output:
            raise MailsealError("-o wants the name of a rollout: mailseal rollout latest -o FILE")
        found = list(_each(where))
        if arguments.json:
            sys.stdout.buffer.write(told.rollouts_document(found))
        else:
            told.show_list(found, where, sys.stdout)
        return 0
    name = find(where, arguments.name)
    found_one = load(where, name)
    if arguments.output:
        write_page(where, name, arguments.output)
    if arguments.json:
        sys.stdout.buffer.write(told.rollout_document(found_one))
    elif not arguments.output:
        told.show(found_one, sys.stdout)
    return exit_code(found_one)


def _each(where: Path) -> "list[Rollout | tuple[str, str]]":
    """Every rollout, or its name and why it cannot be read."""
    from audit.errors import MailsealError

    found: list[Rollout | tuple[str, str]] = []
    for name in known_names(where):
        try:
            found.append(load(where, name, looks=False))
        except MailsealError as error:
            found.append((name, str(error)))
    return found
