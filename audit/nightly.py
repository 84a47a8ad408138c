"""`mailseal audit`: look, compare with the last run, report, keep, tell."""

import argparse
import os
import sys
import time
from pathlib import Path

from msgspec.structs import replace

from audit import progress, runner
from audit.errors import USAGE, MailsealError
from audit.findings import FAILED, exit_code, timestamp
from audit.herald import Herald, Made
from audit.history.entry import Series
from audit.history.keep import Kept, keeping
from audit.history.place import Place, place
from audit.history.store import Plan
from audit.measures import joined
from audit.notify.options import add_notify, post
from audit.notify.post import Post
from audit.options import add_history, add_manners, add_policies, number
from audit.report import REPORTERS, render, wanted, write
from audit.report.reporters import Wanted
from audit.report.terminal import show
from audit.report.visible import visible
from audit.session import Audit

_LONGEST = 36500  # days that runs can be kept; whoever wants more keeps all
_DAY = 1440  # minutes


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
    parser.add_argument(
        "--within",
        metavar="MINUTES",
        type=number(1, _DAY, "minutes from 1 to 1440"),
        help="ask nothing more after that; what was not asked by then is inconclusive",
    )
    parser.add_argument("--json", action="store_true", help="print JSON (docs/schema/run-1.json)")
    add_history(parser)
    parser.add_argument(
        "--keep",
        metavar="DAYS",
        type=number(1, _LONGEST, "days"),
        help="forget runs that are older; the last two of each kind stay (default: keep all)",
    )
    add_notify(parser)
    parser.set_defaults(run=audit)


def audit(arguments: argparse.Namespace) -> int:
    """Make the run and give its exit code.

    Whatever becomes of the history, of a report's file and of who is told, the result is on the
    terminal first; a failure is then still a failure, and any other result is no clean one.
    """
    began = time.monotonic()
    where, told = place(arguments.history), post(arguments)
    agree(where, told)
    herald = Herald(told, _series(arguments))
    with herald.watching(Kept()):  # until a run is begun there is no history that keeps a letter
        files = wanted(arguments.reports, arguments.out)  # before the work, not after it
        driver = _driver(arguments, began)
        with keeping(where, _plan(driver.audit, arguments)) as kept:
            try:
                made = _made(driver, kept, herald)
            except MailsealError as error:
                if kept.trouble:
                    progress.say(f"mailseal: {visible(kept.trouble)}")
                if kept.trouble or herald.troubles:  # nobody may ever hear of it
                    error.exit_code = USAGE
                raise
            troubles: list[str] = []
            try:
                _report(made, files, arguments, troubles)
            finally:  # somebody may have interrupted it
                herald.finish(kept, made, arguments.keep, "; ".join(troubles))
                for trouble in filter(None, (*troubles, kept.trouble)):
                    progress.say(f"mailseal: {visible(trouble)}")
    code = exit_code(made.run.findings)
    return USAGE if (troubles or kept.trouble or herald.troubles) and code != FAILED else code


def agree(where: Place | None, told: Post | None) -> None:
    """See that what is kept and who is told go together.

    Raises:
        MailsealError: they do not.
    """
    if told and where is None:
        raise MailsealError("--notify needs a history: without one nobody knows what changed")


def _driver(arguments: argparse.Namespace, began: float) -> runner.Driver:
    """What is to be looked at, and until when."""
    driver = runner.Driver.read(
        arguments.inventory, arguments.limit, arguments.policies, arguments.pace
    )
    if arguments.within:
        driver.audit.until = began + 60 * arguments.within
    driver.ask()
    if arguments.verbose:
        planned = driver.audit.connections()
        for endpoint, count in planned.items():
            progress.say(f"{endpoint}: {count} connections planned")
        progress.say(f"{sum(planned.values())} connections planned for {len(planned)} endpoints")
    return driver


def _made(driver: runner.Driver, kept: Kept, herald: Herald) -> Made:
    with herald.watching(kept), progress.bar("audit", driver.audit.steps) as step:
        driver.step = step
        run, past = kept.placed(runner.run(driver))
    return Made(run, past, driver.audit.late)


def _series(arguments: argparse.Namespace) -> Series:
    return Series(inventory=_absolute(arguments.inventory), limit=arguments.limit)


def _plan(planned: Audit, arguments: argparse.Namespace) -> Plan:
    policies = joined(planned.measures)
    return Plan(
        run=planned.id,
        series=replace(_series(arguments), policies=policies.id if arguments.policies else ""),
        policies=policies.id,
        editions=policies.version,
        started=timestamp(planned.now),
        planned=len(planned.plan),
    )


def _absolute(inventory: str) -> str:
    """One name for one inventory, from wherever it is called; a list of hosts stays a list."""
    return inventory if "," in inventory else os.path.realpath(inventory)


def _report(
    made: Made, files: list[Wanted], arguments: argparse.Namespace, troubles: list[str]
) -> None:
    """Print the run and write each report; *troubles* gets why that could not be."""
    run, past = made.run, made.past
    try:
        with progress.printing(troubles):
            if arguments.json:
                sys.stdout.buffer.write(render(run, "json", past))
            else:
                show(run, sys.stdout, past)
    finally:  # no file waits for who reads the terminal, or for another one
        for form, path in files:
            try:
                write(run, form, path, past)
            except MailsealError as error:
                troubles.append(str(error))
    if arguments.out and not arguments.json and not troubles:
        with progress.printing(troubles):
            print(arguments.out / "report.html")  # noqa: T201
