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
# The commands whose options only they know: what each is for, and an example.
_OWN_OPTIONS = {
    "policy": ("show, compare and compile policies", "mailseal policy show mailseal-2026"),
    "clients": ("forecast which mail clients connect", "mailseal clients --policy mailseal-2026"),
    "lab": ("run the built-in staging cluster", "mailseal lab up"),
}
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
    for name, (text, example) in _OWN_OPTIONS.items():
        own = _command(commands, name, text, example)
        if words[:1] == [name]:
            _configure(name, own)
    return parser


def _configure(name: str, parser: argparse.ArgumentParser) -> None:
    if name == "policy":
        from audit.policy.cli import configure as policy

        policy(parser, _command)
    elif name == "clients":
        from audit.forecast.cli import configure as clients

        clients(parser)
    else:
        from lab.cli import configure as lab

        lab(parser)


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
    audit = _command(commands, "audit", "prove that the policy holds on every host", example)
    audit.add_argument("-i", "--inventory", required=True, help="the Ansible inventory")
    audit.add_argument("--limit", default="", metavar="PATTERN", help="only these hosts or groups")
    _add_policy_option(audit, "the hosts'")
    audit.add_argument(
        "--out", metavar="DIR", type=Path, help="write report.html, run.json and junit.xml there"
    )
    _add_manners(audit)
    audit.add_argument("--json", action="store_true", help="print JSON (docs/schema/run-1.json)")
    audit.set_defaults(run=_audit)


def _add_policy_option(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument(
        "--policy",
        action="append",
        default=[],
        metavar="ID|FILE",
        dest="policies",
        help=f"the measure; may be repeated, what was seen is judged by each (default: {default})",
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
        say=_say if arguments.verbose else None,
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
    from audit import progress, runner
    from audit.findings import exit_code
    from audit.report import render, write
    from audit.report.terminal import show

    if arguments.out:
        _make(arguments.out)  # before the work, not after it
    driver = runner.Driver.read(
        arguments.inventory, arguments.limit, arguments.policies, arguments.pace
    )
    if arguments.verbose:
        planned = driver.audit.connections()
        for endpoint, count in planned.items():
            _say(f"{endpoint}: {count} connections planned")
        _say(f"{sum(planned.values())} connections planned for {len(planned)} endpoints")
    with progress.bar("audit", driver.audit.steps) as step:
        driver.step = step
        run = runner.run(driver)
    if arguments.out:
        for name, form in (("run.json", "json"), ("junit.xml", "junit"), ("report.html", "html")):
            write(run, form, arguments.out / name)
    if arguments.json:
        sys.stdout.buffer.write(render(run, "json"))
    else:
        show(run, sys.stdout)
        if arguments.out:
            print(arguments.out / "report.html")  # noqa: T201
    return exit_code(run.findings)


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MailsealError(f"{folder}: cannot be made ({error.strerror})") from None
