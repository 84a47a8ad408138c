"""What several commands have in common: how one is described, and options that they share."""

import argparse
from collections.abc import Callable

EXIT_CODES = (
    "exit codes: 0 compliant or waived, 1 at least one failure, 2 wrong usage,"
    " 3 nothing failed but something could not be determined"
)
EXITS_OF_ACTIONS = "each action has its own; its --help says them"
EXAMPLE = "example: "
_DIGITS = 9  # of a number; Python itself refuses thousands
Commands = argparse._SubParsersAction  # noqa: SLF001 - argparse has no public name for it


class Paragraphs(argparse.HelpFormatter):
    """Each line of a description or an epilog is a paragraph, as wide as the terminal.

    An example stays in one line: it is there to be copied.
    """

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        fill = super()._fill_text
        return "\n".join(
            line if line.startswith(EXAMPLE) else fill(line, width, indent)
            for line in text.splitlines()
        )


def add_command(
    commands: "Commands[argparse.ArgumentParser]", name: str, text: str, example: str
) -> argparse.ArgumentParser:
    """Add a command, with what it is for and an example of it."""
    return commands.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=f"{EXAMPLE}{example}\n{EXIT_CODES}",
        formatter_class=Paragraphs,
    )


def tell_exits(parser: argparse.ArgumentParser, words: str) -> None:
    """Say what the exit codes of this command mean, in place of `EXIT_CODES`."""
    example, _, _ = (parser.epilog or "").partition("\n")
    parser.epilog = f"{example}\nexit codes: {words}"


def add_policies(parser: argparse.ArgumentParser, default: str) -> None:
    """Add `--policy`; *default* says what counts without it."""
    parser.add_argument(
        "--policy",
        action="append",
        default=[],
        metavar="ID|FILE",
        dest="policies",
        help="the measure; A+B is A in shadow of B; may be repeated, what was seen is judged by"
        f" each (default: {default})",
    )


def add_manners(parser: argparse.ArgumentParser) -> None:
    """Add how servers are treated, and whether that is told."""
    parser.add_argument(
        "--pace",
        choices=("normal", "slow"),
        default="normal",
        help="slow: for servers that allow two connections a minute (default: %(default)s)",
    )
    parser.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="say how many connections are planned for each endpoint",
    )


def whole(text: str) -> int | None:
    """The whole number that a word is; None if it is none, or longer than any that is asked for."""
    digits = text.isascii() and text.isdigit() and len(text) <= _DIGITS
    return int(text) if digits else None


def number(least: int, most: int, what: str) -> Callable[[str], int]:
    """What reads a whole number between two, named *what* where it is none."""

    def read(text: str) -> int:
        value = whole(text)
        if value is None or not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no number of {what}")
        return value

    return read


def add_history(parser: argparse._ActionsContainer) -> None:
    """Add `--history`."""
    parser.add_argument(
        "--history",
        metavar="URL|FILE|none",
        help="where runs are kept: an SQLite file or postgresql://... (default: $MAILSEAL_HISTORY,"
        " else /var/lib/mailseal/history.db for root or $XDG_STATE_HOME/mailseal/history.db)",
    )
