"""`mailseal staging`: what it takes, and where its result goes."""

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from audit import progress
from audit.errors import USAGE, MailsealError
from audit.findings import FAILED
from audit.options import add_history, tell_exits, whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit.prospect.compare import Allowed
    from audit.staging.order import Baseline, Order, Seen

_TOP = Path(__file__).resolve().parents[2]
_INVENTORY = "inventory/staging"
# What --out gets: a page, a document and a comment, and of each audit these reports.
_PAGE, _DOCUMENT, _COMMENT = "staging.html", "staging.json", "staging.md"
_BEFORE = {"html": "before.html", "junit": "before.xml"}
_AFTER = {"html": "after.html", "junit": "after.xml"}
LOGS = ("now", "candidate", "back", "production")
_DESCRIPTION = (
    "Deploys to a staging cluster what production has now, then the candidate, audits both, and"
    " says what the change brings: findings fixed and new, versions and suites gone and come,"
    " recorded clients that can no longer connect, files replaced. Rests on what the servers"
    " showed, not on policy files. The staging cluster is left on the candidate; where the"
    " candidate cannot be deployed, on what there was."
)
_EXITS = (
    "0 the candidate holds and takes TLS from no client that is not announced, 1 it cannot be"
    " deployed, fails its own policy or takes TLS from others, 2 wrong usage, 3 something could"
    " not be determined, or somebody else is at work on the cluster"
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add its options."""
    parser.description = _DESCRIPTION
    tell_exits(parser, _EXITS)
    parser.add_argument(
        "-i",
        "--inventory",
        default=str(_TOP / _INVENTORY),
        help=f"the staging cluster, as the candidate has it (default: {_INVENTORY}, the lab)",
    )
    parser.add_argument("--limit", default="", metavar="PATTERN", help="only these hosts or groups")
    parser.add_argument(
        "--policy",
        metavar="ID|FILE",
        help="the candidate's mailseal_policy, for roles and audit alike; A+B is A in shadow of B"
        " (default: the inventory's)",
    )
    parser.add_argument(
        "-e",
        "--extra-vars",
        action="append",
        default=[],
        metavar="VARS",
        help="further variables of the candidate, as for ansible-playbook; may be repeated",
    )
    now = parser.add_argument_group("what production has now (default: what the inventory says)")
    now.add_argument(
        "--now-policy", metavar="ID|FILE", help="deploy and audit with this mailseal_policy first"
    )
    now.add_argument(
        "--now-inventory",
        metavar="PATH",
        help="deploy and audit by this inventory of the same hosts first, as of another branch",
    )
    now.add_argument(
        "--baseline",
        metavar="RUN",
        help="compare with this run of the history instead: an id, the beginning of one, latest or"
        " previous; hosts with other names are compared port by port",
    )
    add_history(now)
    parser.add_argument(
        "--production",
        metavar="INVENTORY",
        help="also say what the deployment would replace there (--check --diff; changes nothing)",
    )
    parser.add_argument(
        "--allow-breaking",
        action="append",
        default=[],
        metavar="N|CLIENT",
        help="clients whose loss is announced: a name or shell pattern (`mailseal clients` lists"
        " them), or how many others may be lost (default: none); may be repeated",
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        help="write staging.html, staging.json, staging.md, reports of both audits, Ansible's"
        " words and the records of the deployments there",
    )
    parser.add_argument(
        "--json", action="store_true", help="print JSON (docs/schema/staging-1.json)"
    )
    parser.add_argument(
        "--pace",
        choices=("normal", "slow"),
        default="normal",
        help="slow: for servers that allow two connections a minute (default: %(default)s)",
    )
    parser.set_defaults(run=_staging)


def _staging(arguments: argparse.Namespace) -> int:
    from audit.report.prospect_json import staging_document
    from audit.report.prospect_text import show
    from audit.staging.flow import stage

    seen = stage(_order(arguments))
    # Whoever reads the terminal may have left; the files are what took all the time.
    troubles = _written(seen, arguments.out) if arguments.out else []
    with progress.printing(troubles):
        if arguments.json:
            sys.stdout.buffer.write(staging_document(seen.staged))
        else:
            show(seen.staged, sys.stdout)
    for trouble in troubles:
        progress.say(f"mailseal: {trouble}")
    code = seen.staged.exit_code
    return USAGE if troubles and code != FAILED else code


def _order(arguments: argparse.Namespace) -> "Order":
    from audit.staging.order import Order
    from audit.staging.sides import Side, variables

    asked = arguments
    if asked.baseline and (asked.now_policy or asked.now_inventory):
        raise MailsealError(
            "--baseline is a run of what there is now, so it goes without --now-..."
        )
    if not any(
        (asked.policy, asked.extra_vars, asked.now_policy, asked.now_inventory, asked.baseline)
    ):
        words = "name a candidate (--policy, -e) or what production has now (--now-policy,"
        raise MailsealError(f"there is nothing to compare: {words} --now-inventory, --baseline)")
    if asked.out:
        try:
            asked.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MailsealError(f"{asked.out}: cannot be made ({error.strerror})") from None
        _emptied(asked.out)
    before = asked.now_inventory or asked.inventory
    return Order(
        now=Side(before, asked.limit, variables(asked.now_policy, ())),
        candidate=Side(asked.inventory, asked.limit, variables(asked.policy, asked.extra_vars)),
        baseline=_baseline(asked.baseline, asked.history) if asked.baseline else None,
        production=asked.production or "",
        allowed=_allowed(asked.allow_breaking),
        pace=asked.pace,
        out=asked.out,
    )


def _baseline(name: str, history: str | None) -> "Baseline":
    from audit.history.entry import find
    from audit.history.place import place
    from audit.history.store import opened
    from audit.staging.order import Baseline

    where = place(history)
    if where is None:
        raise MailsealError("--baseline wants a history, and it is switched off by 'none'")
    with opened(where) as store:
        entry = find(store.entries(), name)
        run = store.load(entry)
    return Baseline(run=run, inventory=entry.series.inventory, limit=entry.series.limit)


def _allowed(words: list[str]) -> "Allowed":
    """Numbers and names apart; a name that fits no client is a mistake."""
    from fnmatch import filter as fitting

    from audit.clients.load import clients
    from audit.prospect.compare import Allowed

    counts = [count for count in map(whole, words) if count is not None]
    names = [word for word in words if whole(word) is None]
    known = [client.id for client in clients()]
    for name in names:
        if not fitting(known, name):
            words_ = "no client fits; `mailseal clients` lists them"
            raise MailsealError(f"--allow-breaking {name}: {words_}")
    return Allowed(tuple(names), max(counts, default=0))


def _emptied(out: Path) -> None:
    """See that the files can be written, and leave none that tells of another candidate."""
    from audit.written import writable

    results = (_PAGE, _DOCUMENT, _COMMENT, *_BEFORE.values(), *_AFTER.values())
    for file in (*results, *(f"{name}.log" for name in LOGS)):
        writable(out / file)
        (out / file).unlink(missing_ok=True)


def _written(seen: "Seen", out: Path) -> list[str]:
    """Write every file; why one could not be."""
    from audit.report import write
    from audit.report.prospect_html import staging_page
    from audit.report.prospect_json import staging_document
    from audit.report.prospect_markdown import markdown
    from audit.written import put

    works: list[Callable[[], None]] = [
        lambda: put(staging_page(seen.staged), out / _PAGE),
        lambda: put(staging_document(seen.staged), out / _DOCUMENT),
        lambda: put(markdown(seen.staged), out / _COMMENT),
    ]
    for files, run in ((_BEFORE, seen.before), (_AFTER, seen.after)):
        if run is not None:
            works += [partial(write, run, form, out / file) for form, file in files.items()]
    troubles = []
    for work in works:
        try:
            work()
        except MailsealError as error:
            troubles.append(str(error))
    return troubles
