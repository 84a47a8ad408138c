"""`mailseal policy`: what its actions take and what they print."""

import argparse
import sys

from audit.options import EXITS_OF_ACTIONS, tell_exits
from audit.options import add_command as command

_POLICY = "one that `mailseal policy list` names, or a file; A+B is A in shadow of B"
_JSON = "print JSON (docs/schema/{})"


def configure(policy: argparse.ArgumentParser) -> None:
    """Add the actions."""
    tell_exits(policy, EXITS_OF_ACTIONS)
    actions = policy.add_subparsers(title="actions", metavar="ACTION", required=True)
    listing = command(actions, "list", "list the policies", "mailseal policy list")
    listing.add_argument("--json", action="store_true", help=_JSON.format("policies-1.json"))
    listing.set_defaults(run=_policy_list)
    show = command(actions, "show", "show a policy", "mailseal policy show mailseal-2026")
    show.add_argument("policy", metavar="ID|FILE", help=_POLICY)
    show.add_argument("--json", action="store_true", help=_JSON.format("policy-1.json"))
    show.set_defaults(run=_policy_show)
    example = "mailseal policy compile mailseal-2026 --for cyrus"
    make = command(actions, "compile", "print the settings of a daemon", example)
    make.add_argument("policy", metavar="ID|FILE", help=_POLICY)
    kinds = ("cyrus", "exim-openssl", "exim-gnutls")
    make.add_argument(
        "--for",
        dest="kind",
        choices=kinds,
        required=True,
        help="the target; Debian's is exim-gnutls",
    )
    make.add_argument(
        "--profile",
        choices=("access", "submission", "mx"),
        help="this profile on every port (default: what each port stands for)",
    )
    for part, what in (("--daemon", "the daemon"), ("--library", "its library")):
        words = f"version of {what} (default: Debian 12's)"
        make.add_argument(part, default="", metavar="VERSION", help=words)
    make.set_defaults(run=_policy_compile)
    text = "say what changes from one policy to another"
    example = "mailseal policy diff mozilla-intermediate-5.7 mozilla-intermediate-5.8"
    compare = command(actions, "diff", text, example)
    compare.add_argument("before", metavar="A", help=_POLICY)
    compare.add_argument("after", metavar="B", help=_POLICY)
    compare.add_argument("--json", action="store_true", help=_JSON.format("policy-diff-1.json"))
    compare.set_defaults(run=_policy_diff)
    for action in (listing, show, make, compare):
        tell_exits(action, "0 it could be told, 2 wrong usage")


def _policy_list(arguments: argparse.Namespace) -> int:
    from audit.policy import document, show
    from audit.policy.load import built_in_ids, load

    policies = [load(name) for name in built_in_ids()]
    if arguments.json:
        _print(document.listed(policies))
    else:
        sys.stdout.write(show.listing(policies))
    return 0


def _policy_show(arguments: argparse.Namespace) -> int:
    from audit.policy import document, show
    from audit.policy.load import load

    policy = load(arguments.policy)
    if arguments.json:
        _print(document.shown(policy))
    else:
        sys.stdout.write(show.details(policy))
    return 0


def _print(found: object) -> None:
    import msgspec

    sys.stdout.write(msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n")


def _policy_compile(arguments: argparse.Namespace) -> int:
    from audit.policy import show
    from audit.policy.load import load

    text = show.settings(
        load(arguments.policy),
        arguments.kind,
        profile=arguments.profile,
        version=arguments.daemon,
        library=arguments.library,
    )
    sys.stdout.write(text)
    return 0


def _policy_diff(arguments: argparse.Namespace) -> int:
    from audit.policy import diff
    from audit.policy.load import load

    found = diff.diff(load(arguments.before), load(arguments.after))
    if arguments.json:
        _print(found)
    else:
        sys.stdout.write(diff.text(found))
    return 0
