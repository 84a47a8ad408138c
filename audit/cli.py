"""`mailseal`: arguments in, calls out, nothing else.

What a command needs is imported when it is called: `mailseal scan` must not wait for Ansible.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from audit import __version__
from audit.errors import USAGE, MailsealError
from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_INTERRUPTED = 130
_POLICY = "mailseal-2026"
_LONGEST = 36500  # days that runs can be kept; whoever wants more keeps all
_EXIT_CODES = (
    "exit codes: 0 compliant or waived, 1 at least one failure, 2 wrong usage,"
    " 3 nothing failed but something could not be determined"
)


def main(argv: list[str] | None = None) -> int:
    """Run one command and give its exit code."""
    if sys.stdout is None:
        raise SystemExit(USAGE)  # nobody to tell anything
    words = sys.argv[1:] if argv is None else argv
    arguments = _parser(words).parse_args(words)
    command: Callable[[argparse.Namespace], int] = arguments.run
    try:
        code = command(arguments)
        sys.stdout.flush()  # a full disk is noticed here
        return code  # noqa: TRY300
    except (MailsealError, LabError) as error:
        print(f"mailseal: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code if isinstance(error, MailsealError) else error.code
    except KeyboardInterrupt:
        print("mailseal: interrupted", file=sys.stderr, flush=True)  # noqa: T201
        os._exit(_INTERRUPTED)  # threads may hang on servers that do not answer
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _INTERRUPTED  # the reader left; there is nobody to tell
    except OSError as error:
        print(f"mailseal: cannot write: {error.strerror or error}", file=sys.stderr)  # noqa: T201
        return USAGE


def _parser(words: "Sequence[str]") -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mailseal",
        description="Hardens the TLS of a mail cluster and proves on every host that it holds.",
        epilog=f"example: mailseal scan mail.example.org:993\n{_EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"mailseal {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_scan(commands)
    _add_audit(commands)
    _add_passage(commands, words)
    _add_history(commands, words)
    _add_policy(commands, words)
    _add_lab(commands, words)
    return parser


Commands = argparse._SubParsersAction  # noqa: SLF001 - argparse has no public name for it


def _command(
    commands: "Commands[argparse.ArgumentParser]", name: str, text: str, example: str
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=f"example: {example}\n{_EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_scan(commands: "Commands[argparse.ArgumentParser]") -> None:
    example = "mailseal scan mail.example.org:587 --starttls smtp --json"
    scan = _command(commands, "scan", "look at any mail server from outside", example)
    scan.add_argument(
        "targets",
        nargs="+",
        metavar="HOST[:PORT]",
        help="without a port, every standard mail port that answers; other ports are implicit TLS",
    )
    scan.add_argument(
        "--starttls",
        choices=("smtp", "imap", "pop3", "sieve", "lmtp"),
        help="the protocol to speak before TLS",
    )
    _add_policy_option(scan, _POLICY)
    scan.add_argument(
        "--profile",
        choices=("access", "submission", "mx", "outgoing"),
        help="the kind of traffic to judge by (default: what the port stands for)",
    )
    scan.add_argument("--ca", metavar="FILE", default="", help="trust these roots (PEM)")
    scan.add_argument("--name", default="", help="the name to ask for and expect")
    scan.add_argument(
        "--expect",
        action="store_true",
        help="ask at once for all that the policy foresees: fastest on a server that follows it",
    )
    scan.add_argument(
        "--quick",
        action="store_true",
        help="only versions, suites and their order, certificates, and what is possible in clear",
    )
    _add_manners(scan)
    scan.add_argument("--json", action="store_true", help="print JSON (docs/schema/scan-1.json)")
    scan.set_defaults(run=_scan)


def _add_audit(commands: "Commands[argparse.ArgumentParser]") -> None:
    example = "mailseal audit -i inventory/lab --limit imap --out out/"
    from audit.report import REPORTERS

    audit = _command(commands, "audit", "prove that the policy holds on every host", example)
    audit.add_argument("-i", "--inventory", required=True, help="the Ansible inventory")
    audit.add_argument("--limit", default="", metavar="PATTERN", help="only these hosts or groups")
    _add_policy_option(audit, "the hosts'")
    audit.add_argument(
        "--out", metavar="DIR", type=Path, help="write report.html, run.json and junit.xml there"
    )
    audit.add_argument(
        "--report",
        action="append",
        default=[],
        metavar="FORMAT=FILE",
        dest="reports",
        help=f"write one more report; may be repeated. Formats: {', '.join(REPORTERS)}",
    )
    _add_manners(audit)
    audit.add_argument("--json", action="store_true", help="print JSON (docs/schema/run-1.json)")
    _add_history_option(audit)
    audit.add_argument(
        "--keep",
        metavar="DAYS",
        type=_days,
        help="forget runs that are older; the last two of each kind stay (default: keep all)",
    )
    audit.set_defaults(run=_audit)


def _days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= _LONGEST:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days")
    return int(text)


def _add_history_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--history",
        metavar="URL|FILE|none",
        help="where runs are kept: an SQLite file or postgresql://... (default: $MAILSEAL_HISTORY,"
        " else /var/lib/mailseal/history.db for root or $XDG_STATE_HOME/mailseal/history.db)",
    )


def _add_history(commands: "Commands[argparse.ArgumentParser]", words: "Sequence[str]") -> None:
    for name, text, example in (
        ("history", "list the audits that were made", "mailseal history --json"),
        ("diff", "say what changed between two audits", "mailseal diff previous latest"),
        ("report", "write a report of an audit", "mailseal report latest --format html -o r.html"),
    ):
        parser = _command(commands, name, text, example)
        if words[:1] == [name]:
            from audit import review

            _add_history_option(parser)
            review.CONFIGURE[name](parser)


def _add_policy(commands: "Commands[argparse.ArgumentParser]", words: "Sequence[str]") -> None:
    text = "show, compare and compile policies (A+B is A in shadow of B)"
    policy = _command(commands, "policy", text, "mailseal policy compile mailseal-2026 --for cyrus")
    if words[:1] == ["policy"]:
        from audit.policy.cli import configure

        configure(policy, _command)


def _add_passage(commands: "Commands[argparse.ArgumentParser]", words: "Sequence[str]") -> None:
    text = "log in and send a mail at every endpoint, as users and servers do"
    passage = _command(commands, "passage", text, "mailseal passage -i inventory/lab --limit imap1")
    if words[:1] == ["passage"]:
        from audit.passage.cli import configure

        configure(passage)


def _add_policy_option(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument(
        "--policy",
        action="append",
        default=[],
        metavar="ID|FILE",
        dest="policies",
        help="the measure; A+B is A in shadow of B; may be repeated, what was seen is judged by"
        f" each (default: {default})",
    )


def _add_manners(parser: argparse.ArgumentParser) -> None:
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


def _add_lab(commands: "Commands[argparse.ArgumentParser]", words: "Sequence[str]") -> None:
    lab = _command(commands, "lab", "run the built-in staging cluster", "mailseal lab up")
    if words[:1] == ["lab"]:
        from lab.cli import configure

        configure(lab)


def _scan(arguments: argparse.Namespace) -> int:
    from audit import progress
    from audit.measures import distinct, load_all
    from audit.scan import scan
    from audit.targets import Options, Target

    def trusted() -> tuple[bytes, ...]:
        from audit import roots

        return roots.read(arguments.ca)

    if arguments.ca:
        trusted()  # a wrong file ends it here; the system's roots can wait
    options = Options(
        policies=distinct(load_all(arguments.policies or [_POLICY]).values()),
        starttls=arguments.starttls,
        profile=arguments.profile,
        name=arguments.name,
        roots=trusted,
        expect=arguments.expect,
        quick=arguments.quick,
        pace=arguments.pace,
        say=progress.say if arguments.verbose else None,
    )
    targets = [Target.parse(text) for text in arguments.targets]
    with progress.bar("scan") as step:
        run = scan(targets, options, step)
    from audit.findings import exit_code
    from audit.report import render
    from audit.report.terminal import show

    if arguments.json:
        sys.stdout.buffer.write(render(run, "json-scan"))
    else:
        show(run, sys.stdout, facts=True)
    return exit_code(run.findings)


def _audit(arguments: argparse.Namespace) -> int:
    from audit import nightly

    return nightly.audit(arguments)
