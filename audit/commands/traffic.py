"""`mailseal traffic`: what it takes and what it prints."""

import argparse
import sys
from pathlib import Path

from audit.errors import UNDETERMINED


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    from audit.commands.logs import add_logs

    parser.description = (
        "Says what mail logs tell of TLS: shares, versions, suites, certificates, who has none."
        " Ends with 0, or with 3 if a line that names a TLS session could not be counted for what"
        " it is, or no line is one of mail."
    )
    add_logs(parser)
    parser.add_argument(
        "--json", action="store_true", help="print JSON (docs/schema/traffic-1.json)"
    )
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page to this file")
    parser.set_defaults(run=_traffic)


def _traffic(arguments: argparse.Namespace) -> int:
    from audit.commands.logs import counted
    from audit.report import traffic_text
    from audit.report.encode import pretty
    from audit.report.reporters import put
    from audit.traffic.tables import traffic

    figures = traffic(counted(arguments))
    if arguments.html:
        from audit.report.traffic_page import traffic_page

        put(traffic_page(figures), arguments.html)
    if arguments.json:
        sys.stdout.buffer.write(pretty(figures))
    else:
        traffic_text.show(figures, sys.stdout)
    return 0 if figures.whole and figures.counted else UNDETERMINED
