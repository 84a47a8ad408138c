"""`mailseal dane`: what its actions take and print."""

import argparse
import sys
from contextlib import nullcontext
from pathlib import Path

from audit.options import EXITS_OF_ACTIONS, add_command, number, tell_exits

_DAY = 86_400  # seconds
_RECORDS = "mailseal dane records -i inventory/lab --out records/"
_PUBLISH = "mailseal dane publish -i inventory/lab --dry-run"
_ROLLOVER = "mailseal dane rollover -i inventory/lab --limit mx"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the actions."""
    tell_exits(parser, EXITS_OF_ACTIONS)
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    records = add_command(actions, "records", "print the records of our own domains", _RECORDS)
    records.description = (
        "Prints the records that our mail domains should have, as lines for a zone file: TLSA for"
        " every SMTP endpoint by every name it is reached by, from the certificates that it"
        " serves; MTA-STS and TLS reports for mailseal_domains. Changes nothing."
    )
    _common(records)
    records.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="write DIR/records.zone and the policy file DIR/mta-sts.DOMAIN/mta-sts.txt instead",
    )
    tell_exits(records, "0 printed, 2 wrong usage, 3 something could not be seen or looked up")
    records.set_defaults(run=_records)

    publish = add_command(actions, "publish", "publish them by dynamic update", _PUBLISH)
    publish.description = (
        "Sends what is missing to the primary (mailseal_dns_server) by dynamic update (RFC 2136)"
        " signed with mailseal_tsig_key_file, and waits until every name server has it. Other TLSA"
        " records at the same names stay: they may be those of the next keys."
    )
    _common(publish)
    publish.add_argument("--dry-run", action="store_true", help="only print what would change")
    publish.add_argument(
        "--prune", action="store_true", help="remove TLSA records of keys that are not served"
    )
    publish.add_argument(
        "--force",
        action="store_true",
        help="also remove records that vouch for what is served or for the next keys, and announce"
        " an MTA-STS policy that its host does not serve",
    )
    _patience(publish)
    _state(publish)
    tell_exits(
        publish,
        "0 every name server has the records, 1 they are not right (--dry-run), or it would do"
        " harm and goes with --force only, 2 wrong usage or the primary refuses, 3 something could"
        " not be determined",
    )
    publish.set_defaults(run=_publish)

    rollover = add_command(actions, "rollover", "change keys without a gap", _ROLLOVER)
    rollover.description = (
        "Makes the next keys and certificates, publishes their records beside the present ones,"
        " waits until nobody can have cached a state without them, switches the certificates by a"
        " rollout, and removes the old records. Before each step what is served is compared with"
        " what every name server has. Whatever ended it, the same command goes on where it was."
    )
    _common(rollover)
    rollover.add_argument(
        "--margin",
        type=number(0, _DAY, "seconds"),
        default=60,
        metavar="SECONDS",
        help="to wait beyond the time to live (default: %(default)s): who has just asked a"
        " resolver may connect a little later",
    )
    rollover.add_argument("--dry-run", action="store_true", help="only say what the next step is")
    _patience(rollover)
    _state(rollover)
    tell_exits(
        rollover,
        "0 only the next keys are served and published, 1 a key is served that no record vouches"
        " for, 2 wrong usage or the primary refuses, 3 it could not go on; run it again",
    )
    rollover.set_defaults(run=_rollover)


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-i", "--inventory", required=True, help="the Ansible inventory")
    parser.add_argument(
        "--limit", default="", metavar="PATTERN", help="only names that these hosts have"
    )
    parser.add_argument(
        "--resolver",
        metavar="ADDRESS[:PORT]",
        help="for MX records and the addresses of name servers (default:"
        " mailseal_audit_resolver, or those of the system)",
    )


def _patience(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--timeout",
        type=number(1, _DAY, "seconds"),
        default=300,
        metavar="SECONDS",
        help="for every name server to follow the primary (default: %(default)s)",
    )


def _state(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        help="where it is noted how far a roll-over came (default: /var/lib/mailseal/dane for root"
        " or $XDG_STATE_HOME/mailseal/dane)",
    )


def _records(arguments: argparse.Namespace) -> int:
    from audit.findings import COMPLIANT
    from audit.mta_sts.page import host_of
    from audit.publish import publish
    from audit.publish.snippet import snippet
    from audit.written import put

    chosen = publish.begin(arguments.inventory, arguments.limit)
    what = publish.look_up(chosen, publish.resolver_of(chosen, arguments.resolver))
    if arguments.out is None:
        sys.stdout.write(snippet(what.records))
        return COMPLIANT
    files = {"records.zone": snippet(what.records).encode()}
    files |= {f"{host_of(domain)}/mta-sts.txt": body for domain, body in what.policies.items()}
    for name, content in files.items():
        path = arguments.out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        put(content, path)
        print(path)  # noqa: T201
    return COMPLIANT


def _publish(arguments: argparse.Namespace) -> int:
    from audit import progress, roots
    from audit.domain.look import Look
    from audit.findings import COMPLIANT, FAILED
    from audit.publish import publish, site
    from audit.publish.zones import Zones

    chosen = publish.begin(arguments.inventory, arguments.limit)
    site.primary(chosen)  # what is missing in the inventory is said before anything is looked at
    key = None if arguments.dry_run else site.key(chosen)
    resolver = publish.resolver_of(chosen, arguments.resolver)
    what = publish.look_up(chosen, resolver)
    zones = Zones(chosen, what.records, resolver)
    changes, after = publish.difference(zones, what, prune=arguments.prune)
    for one in changes:
        print(one)  # noqa: T201
    if key is None:
        return FAILED if changes else COMPLIANT
    if not arguments.force:
        publish.harmless(changes, what, _kept(arguments))
        publish.fetched(changes, what, Look(resolver, roots.read))
    zones.change(changes, key)
    publish.follow(zones, after, arguments.timeout, progress.say)
    progress.say(f"{len(changes)} record sets changed; every name server has what it should")
    return COMPLIANT


def _rollover(arguments: argparse.Namespace) -> int:
    from audit import progress
    from audit.findings import COMPLIANT
    from audit.publish import journal, publish
    from audit.publish.drive import Hands, Pace, Rollover
    from audit.publish.play import Plays

    chosen = publish.begin(arguments.inventory, arguments.limit)
    hosts = publish.hosts_of(arguments.inventory, arguments.limit, chosen)
    state = _kept(arguments)
    only_said = arguments.dry_run  # also of one that is at work: nothing is made or waited for
    alone = nullcontext(-1) if only_said else journal.alone(state, progress.say, arguments.timeout)
    with alone as lock:
        plays = Plays(arguments.inventory, state, lock)
        hands = Hands(lambda: plays.prepare(hosts), plays.switch, progress.say)
        pace = Pace(arguments.margin, arguments.timeout)
        resolver = publish.resolver_of(chosen, arguments.resolver)
        rollover = Rollover(chosen, state, resolver, hands, pace)
        if only_said:
            print(rollover.next())  # noqa: T201
        else:
            rollover.run()
    return COMPLIANT


def _kept(arguments: argparse.Namespace) -> Path:
    from audit import state

    return arguments.state or state.directory() / "dane"
