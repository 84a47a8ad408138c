"""`mailseal traffic`: what it takes and what it prints."""

import argparse
from functools import partial
from typing import get_args

from audit.errors import UNDETERMINED


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    from audit.commands.logs import add_forms, add_logs
    from audit.traffic.figures import By

    parser.description = (
        "Says what mail logs tell of TLS: shares, versions, suites, certificates, who has none."
        " Ends with 0, or with 3 if a line that names a TLS session could not be counted for what"
        " it is, or no line is one of mail."
    )
    add_logs(parser)
    add_forms(parser, "traffic-1.json")
    parser.add_argument(
        "--by",
        choices=get_args(By),
        help="tell shares over time by this (default: what suits the days)",
    )
    parser.set_defaults(run=_traffic)


def _traffic(arguments: argparse.Namespace) -> int:
    from audit.commands.logs import counted, ended, tell
    from audit.report.traffic_page import traffic_page
    from audit.report.traffic_text import show
    from audit.traffic.tables import traffic

    troubles: list[str] = []
    figures = traffic(counted(arguments, troubles), arguments.by)
    tell(arguments, figures, partial(show, figures), partial(traffic_page, figures), troubles)
    return ended(0 if figures.whole and figures.counted else UNDETERMINED, troubles)
