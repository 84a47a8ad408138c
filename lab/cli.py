"""The commands of `mailseal lab`: arguments in, calls out."""

import argparse
import json
import os
import shutil
import sys

from lab import cluster, deliver, faults, host, machine, matrix, net, paths, processes, sabotage
from lab.errors import USAGE, LabError
from lab.progress import say

_EXITS = "0 done, 2 wrong usage, 3 it could not be done here"
_EXITS_OF_COMMAND = "those of the command, or of ssh; 2 wrong usage, 3 it could not be run"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the lab's sub-commands to a parser; each sets `run`, which takes the arguments."""
    example, _, _ = (parser.epilog or "").partition("\n")
    parser.epilog = f"{example}\nexit codes: each command has its own; its --help says them"
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def add(name: str, text: str, example: str, exits: str = _EXITS) -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            help=text,
            description=text[0].upper() + text[1:] + ".",
            epilog=f"example: {example}\nexit codes: {exits}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    one = add("up", "start the staging cluster", "mailseal lab up --size small")
    sizes = tuple(paths.INVENTORIES)
    one.add_argument("--size", choices=sizes, default="small", help="how many hosts (%(default)s)")
    one.set_defaults(run=_up)
    one = add("down", "end the staging cluster and leave nothing behind", "mailseal lab down")
    one.set_defaults(run=_down)
    one = add("status", "show the hosts and what is broken on them", "mailseal lab status --json")
    one.add_argument("--json", action="store_true", help="print JSON")
    one.set_defaults(run=_status)
    one = add(
        "ssh",
        "open a shell or run a command on a host",
        "mailseal lab ssh imap1 uptime",
        _EXITS_OF_COMMAND,
    )
    one.add_argument("host", metavar="HOST")
    one.add_argument("command", metavar="COMMAND", nargs=argparse.REMAINDER)
    one.set_defaults(run=_ssh)
    one = add(
        "run",
        "run a command on the lab's network, where its host names resolve",
        "mailseal lab run -- mailseal scan imap1.lab.test:993",
        _EXITS_OF_COMMAND,
    )
    one.add_argument("command", metavar="COMMAND", nargs=argparse.REMAINDER)
    one.set_defaults(run=_run)
    one = add(
        "deliver",
        "send a mail to each domain of the world outside, and compare what becomes of it",
        "mailseal lab deliver --case good --case bogus",
        "0 all as expected, 1 something is otherwise, 2 wrong usage, 3 it could not be done here",
    )
    words = "one of lab/world.yaml; may be given several times (default: all)"
    one.add_argument("--case", action="append", default=[], metavar="NAME", help=words)
    one.add_argument("--json", action="store_true", help="print JSON")
    one.set_defaults(run=_deliver)
    one = add("faults", "list the faults that a host can be given", "mailseal lab faults")
    one.set_defaults(run=_faults)
    one = add("break", "give a host a fault", "mailseal lab break imap1 plaintext-login-imap")
    one.add_argument("host", metavar="HOST")
    one.add_argument("fault", metavar="FAULT", help="a name that `mailseal lab faults` lists")
    one.set_defaults(run=_break)
    one = add("mend", "undo every fault of a host", "mailseal lab mend imap1")
    which = one.add_mutually_exclusive_group(required=True)
    which.add_argument("host", metavar="HOST", nargs="?")
    which.add_argument("--all", action="store_true", help="mend every broken host")
    one.set_defaults(run=_mend)


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code; an error is one sentence on stderr."""
    parser = argparse.ArgumentParser(prog="mailseal lab", description="The staging cluster.")
    configure(parser)
    args = parser.parse_args(argv)
    try:
        return int(args.run(args))
    except LabError as error:
        sys.stderr.write(f"mailseal: {error}\n")
        return error.code
    except KeyboardInterrupt:
        sys.stderr.write("mailseal: interrupted\n")
        return 130


def _up(args: argparse.Namespace) -> int:
    cluster.up(args.size)
    return 0


def _down(_args: argparse.Namespace) -> int:
    say("the lab is down" if cluster.down() else "the lab was not up")
    return 0


def _status(args: argparse.Namespace) -> int:
    machine.require_root()
    size = cluster.running_size()
    rows = cluster.status(cluster.current()) if size else ()
    broken = _broken_hosts() if size else {}
    if args.json:
        hosts = [
            {
                "name": row.host.name,
                "groups": sorted(row.host.groups),
                "ipv4": row.host.ipv4,
                "ipv6": row.host.ipv6,
                "running": row.running,
                "ssh": row.ssh,
                "ports": row.ports,
                "faults": broken.get(row.host.name, ()),
            }
            for row in rows
        ]
        sys.stdout.write(json.dumps({"up": bool(size), "size": size, "hosts": hosts}, indent=2))
        sys.stdout.write("\n")
        return 0
    if not size:
        sys.stdout.write("the lab is not up\n")
    for row in rows:
        state = "up" if row.ssh else "no SSH" if row.running else "down"
        ports = " ".join(str(port) for port in row.ports)
        line = f"{row.host.name:8} {row.host.ipv4:12} {row.host.ipv6:14} {state:7} {ports}"
        sys.stdout.write(line.rstrip() + "\n")
        for name in broken.get(row.host.name, ()):
            sys.stdout.write(f"{'':8} broken: {name}\n")
    return 0


def _deliver(args: argparse.Namespace) -> int:
    if not args.json:
        say("sending mails to the world outside, and looking at its domains")
    rows = deliver.deliver(tuple(args.case))
    sys.stdout.write(matrix.document(rows) if args.json else matrix.table(rows))
    return 1 if any(row.differences for row in rows) else 0


def _faults(_args: argparse.Namespace) -> int:
    for fault in faults.table().values():
        kinds = ",".join(fault.groups)
        sys.stdout.write(f"{fault.name:24} {kinds:12} {fault.title}\n")
    return 0


def _break(args: argparse.Namespace) -> int:
    sabotage.break_host(args.host, args.fault)
    say(f"{args.host} is broken: {faults.get(args.fault).title}")
    return 0


def _mend(args: argparse.Namespace) -> int:
    names = list(_broken_hosts()) if args.all else [args.host]
    for name in names:
        sabotage.mend_host(name)
        say(f"{name} is mended")
    if not names:
        say("no host is broken")
    return 0


def _broken_hosts() -> dict[str, tuple[str, ...]]:
    cluster.current()
    found = {name: sabotage.broken(pid) for name, pid in processes.inits().items()}
    return {name: names for name, names in sorted(found.items()) if names}


def _ssh(args: argparse.Namespace) -> int:
    one = cluster.current().host(args.host)
    host.require_running(one.name)
    proxy = f"nsenter --net={paths.NETNS / paths.HUB} nc %h %p"
    options = [
        f"ProxyCommand={proxy}",
        "UserKnownHostsFile=/dev/null",
        "StrictHostKeyChecking=no",
        "LogLevel=ERROR",
        "ConnectTimeout=10",
    ]
    words = [word for option in options for word in ("-o", option)]
    _become(["ssh", "-i", str(paths.ssh_key()), *words, f"root@{one.ipv4}", *_words(args.command)])
    return 0


def _run(args: argparse.Namespace) -> int:
    cluster.current()
    command = _words(args.command) or [os.environ.get("SHELL", "/bin/sh")]
    if shutil.which(command[0]) is None:
        raise LabError(f"there is no program {command[0]}", USAGE)
    _become([*net.at_hub(), *command])
    return 0


def _words(given: list[str]) -> list[str]:
    """Return a command without the `--` that kept its options from being ours."""
    return given[1:] if given[:1] == ["--"] else given


def _become(argv: list[str]) -> None:
    sys.stdout.flush()
    try:
        os.execvp(argv[0], argv)  # noqa: S606
    except FileNotFoundError:
        raise LabError(f"{argv[0]} is not installed") from None
