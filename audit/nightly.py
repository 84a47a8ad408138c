"""`mailseal audit`: look, compare with the last run, report, keep."""

import argparse
import sys
from pathlib import Path

from audit import progress, runner
from audit.errors import USAGE
from audit.findings import FAILED, Run, exit_code, timestamp
from audit.history.entry import Series
from audit.history.keep import keeping
from audit.history.place import place
from audit.history.store import Plan
from audit.measures import joined
from audit.options import add_history, add_manners, add_policies
from audit.past import Past
from audit.report import REPORTERS, render, wanted, write
from audit.report.reporters import Wanted
from audit.report.terminal import show
from audit.session import Audit

_LONGEST = 36500  # days that runs can be kept; whoever wants more keeps all


def configure(parser: argparse.ArgumentParser) -> None:
    """Add its options."""
    parser.add_argument("-i", "--inventory", required=True, help="the Ansible inventory")
    parser.add_argument("--limit", default="", metavar="PATTERN", help="only these hosts or groups")
    add_policies(parser, "the hosts'")
    parser.add_argument(
        "--out", metavar="DIR", type=Path, help="write report.html, run.json and junit.xml there"
    )
    parser.add_argument(
        "--report",
        action="append",
        default=[],
        metavar="FORMAT=FILE",
        dest="reports",
        help=f"write one more report; may be repeated. Formats: {', '.join(REPORTERS)}",
    )
    add_manners(parser)
    parser.add_argument("--json", action="store_true", help="print JSON (docs/schema/run-1.json)")
    add_history(parser)
    parser.add_argument(
        "--keep",
        metavar="DAYS",
        type=_days,
        help="forget runs that are older; the last two of each kind stay (default: keep all)",
    )
    parser.set_defaults(run=audit)


def _days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= _LONGEST:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days")
    return int(text)


def audit(arguments: argparse.Namespace) -> int:
    """Make the run and give its exit code.

    Whatever becomes of the history, the result is reported first; a failure is then still a
    failure, and any other result is no clean one.
    """
    files = wanted(arguments.reports, arguments.out)  # before the work, not after it
    where = place(arguments.history)
    driver = runner.Driver.read(
        arguments.inventory, arguments.limit, arguments.policies, arguments.pace
    )
    if arguments.verbose:
        planned = driver.audit.connections()
        for endpoint, count in planned.items():
            progress.say(f"{endpoint}: {count} connections planned")
        progress.say(f"{sum(planned.values())} connections planned for {len(planned)} endpoints")
    with keeping(where, _plan(driver.audit, arguments)) as kept:
        with progress.bar("audit", driver.audit.steps) as step:
            driver.step = step
            run, past = kept.placed(runner.run(driver))
        try:
            _report(run, past, files, arguments)
        finally:  # the reader of a pipe may have left
            kept.finish(run, arguments.keep)
            if kept.trouble:
                progress.say(f"mailseal: {kept.trouble}")
    code = exit_code(run.findings)
    return USAGE if kept.trouble and code != FAILED else code


def _plan(planned: Audit, arguments: argparse.Namespace) -> Plan:
    policies = joined(planned.measures)
    return Plan(
        run=planned.id,
        series=Series(
            inventory=_absolute(arguments.inventory),
            limit=arguments.limit,
            policies=policies.id if arguments.policies else "",
        ),
        policies=policies.id,
        editions=policies.version,
        started=timestamp(planned.now),
        planned=len(planned.plan),
    )


def _absolute(inventory: str) -> str:
    """One name for one inventory, from wherever it is called; a list of hosts stays a list."""
    return inventory if "," in inventory else str(Path(inventory).resolve())


def _report(run: Run, past: Past, files: list[Wanted], arguments: argparse.Namespace) -> None:
    if arguments.json:
        sys.stdout.buffer.write(render(run, "json", past))
    else:
        show(run, sys.stdout, past)
    for form, path in files:
        write(run, form, path, past)
    if arguments.out and not arguments.json:
        print(arguments.out / "report.html")  # noqa: T201
