"""`mailseal traffic`: what it takes and what it prints."""

import argparse
from functools import partial
from typing import TYPE_CHECKING, get_args

from audit.errors import UNDETERMINED

if TYPE_CHECKING:
    from audit.traffic.figures import Traffic


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    from audit.commands.logs import add_forms, add_logs
    from audit.options import tell_exits
    from audit.traffic.shares import By

    parser.description = (
        "Says what mail logs tell of TLS: shares, versions, suites, certificates, who has none."
    )
    tell_exits(
        parser,
        "0 all was counted, 2 wrong usage, or a file could not be read or written, 3 a line that"
        " names a TLS session could not be counted for what it is, or no line is one of mail",
    )
    add_logs(parser)
    add_forms(parser, "traffic-1.json")
    parser.add_argument(
        "--by",
        choices=get_args(By),
        help="tell shares over time by this (default: what suits the days)",
    )
    parser.set_defaults(run=_traffic)


def _page(figures: "Traffic") -> bytes:
    from audit.report.traffic_page import traffic_page  # mostly nobody wants it

    return traffic_page(figures)


def _traffic(arguments: argparse.Namespace) -> int:
    from audit.commands.logs import counted, ended, tell
    from audit.report.traffic_text import show
    from audit.traffic.tables import traffic

    troubles: list[str] = []
    figures = traffic(counted(arguments, troubles), arguments.by)
    tell(arguments, figures, partial(show, figures), partial(_page, figures), troubles)
    return ended(0 if figures.whole and figures.counted else UNDETERMINED, troubles)
