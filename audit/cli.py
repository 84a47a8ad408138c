"""`mailseal`: arguments in, calls out, nothing else.

What a command needs is imported when it is called: `mailseal scan` must not wait for Ansible.
"""

import argparse
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from audit import __version__
from audit.errors import USAGE, MailsealError
from audit.options import EXAMPLE, EXIT_CODES, Paragraphs, add_command, add_manners, add_policies
from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_INTERRUPTED = 130
_POLICY = "mailseal-2026"
_DOMAIN = "mailseal scan --domain example.org --resolver 127.0.0.1"
# What each command is for, an example, and what adds its options once it is called.
COMMANDS: "Mapping[str, tuple[str, str, str]]" = {
    "scan": (
        "look at any mail server from outside",
        f"mailseal scan mail.example.org:587 --starttls smtp --json\n{EXAMPLE}{_DOMAIN}",
        "audit.cli:configure_scan",
    ),
    "audit": (
        "prove that the policy holds on every host",
        "mailseal audit -i inventory/lab --limit imap --out out/",
        "audit.nightly:configure",
    ),
    "passage": (
        "log in and send a mail at every endpoint, as users and servers do",
        "mailseal passage -i inventory/lab --limit imap1",
        "audit.passage.cli:configure",
    ),
    "history": (
        "list the audits that were made",
        "mailseal history --json",
        "audit.review:configure_history",
    ),
    "diff": (
        "say what changed between two audits",
        "mailseal diff previous latest",
        "audit.review:configure_diff",
    ),
    "report": (
        "write a report of an audit",
        "mailseal report latest --format html -o r.html",
        "audit.review:configure_report",
    ),
    "rollout": (
        "tell how rollouts went, and make the page of one",
        "mailseal rollout latest -o rollout.html",
        "audit.rollouts:configure",
    ),
    "staging": (
        "say what a change would bring, by trying it on a staging cluster",
        "mailseal staging --policy mailseal-2026 --now-policy univie-2015 --limit imap",
        "audit.staging.cli:configure",
    ),
    "policy": (
        "show, compare and compile policies (A+B is A in shadow of B)",
        "mailseal policy compile mailseal-2026 --for cyrus",
        "audit.policy.cli:configure",
    ),
    "clients": (
        "forecast which mail clients connect",
        "mailseal clients --policy mailseal-2026",
        "audit.forecast.cli:configure",
    ),
    "traffic": (
        "say what mail logs tell of TLS",
        "mailseal traffic /var/log/exim4/mainlog* --own 192.0.2.0/24 --html tls.html",
        "audit.commands.traffic:configure",
    ),
    "whatif": (
        "say who a policy would hurt, from mail logs",
        "mailseal whatif --policy mailseal-2026 --server-order policy:univie-2015 mainlog*",
        "audit.commands.whatif:configure",
    ),
    "tlsrpt": (
        "read the TLS reports of others, and write our own",
        "mailseal tlsrpt read /var/mail/tlsrpt --run latest",
        "audit.commands.tlsrpt:configure",
    ),
    "dane": (
        "publish the records of our own domains, and change keys without a gap",
        "mailseal dane records -i inventory/lab",
        "audit.commands.dane:configure",
    ),
    "lab": ("run the built-in staging cluster", "mailseal lab up", "lab.cli:configure"),
}


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
        _say(str(error))
        return error.exit_code if isinstance(error, MailsealError) else error.code
    except KeyboardInterrupt:
        _say("interrupted")
        os._exit(_INTERRUPTED)  # threads may hang on servers that do not answer
    except BrokenPipeError:
        from audit import progress

        progress.give_up(sys.stdout)
        return _INTERRUPTED  # the reader left; there is nobody to tell
    except OSError as error:
        _say(f"{error.filename or 'cannot write'}: {error.strerror or error}")
        return USAGE


def _say(sentence: str) -> None:
    """One line, whatever files and servers have put into it."""
    from audit import progress
    from audit.report.visible import visible

    progress.say(f"mailseal: {visible(sentence)}")


def _parser(words: "Sequence[str]") -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mailseal",
        description="Hardens the TLS of a mail cluster and proves on every host that it holds.",
        epilog=f"example: mailseal scan mail.example.org:993\n{EXIT_CODES}",
        formatter_class=Paragraphs,
    )
    parser.add_argument("--version", action="version", version=f"mailseal {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, (text, example, configure) in COMMANDS.items():
        command = add_command(commands, name, text, example)
        if words[:1] == [name]:
            module, _, function = configure.partition(":")
            getattr(import_module(module), function)(command)
    return parser


def configure_scan(parser: argparse.ArgumentParser) -> None:
    """Add its options."""
    parser.add_argument(
        "targets",
        nargs="*",
        metavar="HOST[:PORT]",
        help="without a port, every standard mail port that answers; others: IMAP in TLS",
    )
    parser.add_argument(
        "--domain",
        action="append",
        default=[],
        metavar="DOMAIN",
        dest="domains",
        help="a whole mail domain: port 25 of every server that takes its mail, DNSSEC, DANE,"
        " MTA-STS, TLS reports; may be repeated",
    )
    parser.add_argument(
        "--resolver",
        metavar="ADDRESS[:PORT]",
        help="the validating resolver to ask for --domain (default: those of the system); it is"
        " believed, so the way there has to be safe",
    )
    parser.add_argument(
        "--starttls",
        choices=("smtp", "imap", "pop3", "sieve", "lmtp"),
        help="the protocol to speak before TLS",
    )
    add_policies(parser, _POLICY)
    parser.add_argument(
        "--profile",
        choices=("access", "submission", "mx", "outgoing"),
        help="the kind of traffic to judge by (default: what the port stands for)",
    )
    parser.add_argument("--ca", metavar="FILE", default="", help="trust these roots (PEM)")
    parser.add_argument("--name", default="", help="the name to ask for and expect")
    parser.add_argument(
        "--expect",
        action="store_true",
        help="ask at once for all that the policy foresees: fastest on a server that follows it",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="only versions, suites and their order, certificates, and what is possible in clear",
    )
    add_manners(parser)
    parser.add_argument("--json", action="store_true", help="print JSON (docs/schema/scan-1.json)")
    parser.set_defaults(run=_scan)


def _agree(arguments: argparse.Namespace) -> None:
    """See that the options of a scan go together."""
    if not (arguments.targets or arguments.domains):
        raise MailsealError("nothing to look at: name a HOST or a --domain")
    if arguments.resolver is not None and not arguments.domains:
        raise MailsealError("--resolver: only --domain asks a resolver of its own")
    for option in ("starttls", "profile", "name"):
        if arguments.domains and getattr(arguments, option):
            words = "is for a HOST; a --domain is looked at on port 25, as mx"
            raise MailsealError(f"--{option}: {words}")


def _scan(arguments: argparse.Namespace) -> int:
    from audit import progress
    from audit.measures import distinct, load_all
    from audit.scan import scan
    from audit.targets import Options, Target, guessed, mail_domain, nameserver

    _agree(arguments)

    def trusted() -> tuple[bytes, ...]:
        from audit import roots

        return roots.read(arguments.ca)

    if arguments.ca:
        trusted()  # a wrong file ends it here; the system's roots can wait
    resolvers = [] if arguments.resolver is None else [arguments.resolver]
    options = Options(
        policies=distinct(load_all(arguments.policies or [_POLICY]).values()),
        starttls=arguments.starttls,
        profile=arguments.profile,
        name=arguments.name,
        roots=trusted,
        expect=arguments.expect,
        quick=arguments.quick,
        pace=arguments.pace,
        domains=tuple(dict.fromkeys(mail_domain(name, "--domain") for name in arguments.domains)),
        nameservers=tuple(nameserver(one, "--resolver") for one in resolvers),
        say=progress.say if arguments.verbose else None,
    )
    targets = [Target.parse(text) for text in arguments.targets]
    for sentence in guessed(targets, options):
        progress.say(f"note: {sentence}")
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
