"""Rollouts that are killed at moments of chance, and what the next run makes of them.

    python -m tests.lab.kills cluster --times 10

The lab must be up in that size and rolled out. Everything of a rollout is ended by SIGKILL; the
next run of the same candidate must bring every host to it: nothing left over, its files new, the
audit passed. Prints a line for each kill, and ends with 1 if one left anything else.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from lab import paths, topology
from lab.progress import say
from lab.topology import Host
from tests.commands import BIN, ROOT, Done, mailseal, run

SNAPSHOTS = "/var/lib/mailseal/snapshots"
_EARLIEST = 3.0  # seconds; before that there is only Python that loads
# A harmless change for each kind of host: the file and the line that shows it.
_SHOWN = {
    "mx": ("/etc/exim4/exim4.conf", "smtp_accept_max = {}"),
    "msa": ("/etc/exim4/exim4.conf", "smtp_accept_max = {}"),
    "imap": ("/etc/imapd.conf", "popminpoll: {}"),
}


def words(**more: object) -> tuple[str, str]:
    """The words that set variables for a run."""
    return "-e", json.dumps(more)


def change(number: int) -> dict[str, object]:
    """A harmless change on every host: something to replace, and to restart for."""
    return {
        "mailseal_exim_accept_max": number,
        # With what the inventory has: without it nobody may deliver, and the gate says so.
        "mailseal_cyrus_options": {"lmtp_admins": "postman", "popminpoll": str(number)},
    }


def said(host: str, command: str) -> str:
    """What a command prints on a host."""
    done = mailseal("lab", "ssh", host, command)
    assert done.returncode == 0, done.stderr
    return done.stdout


def pending(host: str) -> bool:
    """Whether a host has a rollout that has not come to its end."""
    return said(host, f"ls {SNAPSHOTS} | grep -cx pending || true") == "1\n"


def changed(host: Host, number: int) -> bool:
    """Whether a host has that change in its files."""
    (kind,) = host.groups & set(_SHOWN)
    path, line = _SHOWN[kind]
    return said(host.name, f"grep -cx '{line.format(number)}' {path} || true") == "1\n"


def begin(inventory: str, *more: str) -> subprocess.Popen[bytes]:
    """Begin a rollout that can be ended with all that it starts."""
    play = [str(BIN / "ansible-playbook"), "-i", inventory, "rollout.yml", *more]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(play, cwd=ROOT, stdout=quiet, stderr=quiet, start_new_session=True)


def wait(begun: subprocess.Popen[bytes], seconds: float, until: Callable[[], bool]) -> bool:
    """Wait until something is so; whether the rollout was still at work then."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and begun.poll() is None and not until():
        time.sleep(0.1)
    return begun.poll() is None


def end(begun: subprocess.Popen[bytes]) -> None:
    """kill -9 of a rollout and everything of it."""
    with suppress(ProcessLookupError):  # it may be at its end already
        os.killpg(begun.pid, signal.SIGKILL)
    begun.wait()


@dataclass(frozen=True)
class Kill:
    """What became of one rollout that was killed.

    Attributes:
        after: seconds from its beginning.
        at_work: whether it had not come to its end by itself.
        between: hosts that it was in the middle of.
        next: how the next run of it ended.
        wrong: what is not as it must be after that; empty: everything is.
    """

    after: float
    at_work: bool
    between: tuple[str, ...]
    next: Done
    wrong: tuple[str, ...]

    def __str__(self) -> str:
        """One line."""
        when = f"killed after {self.after:.1f} s" + ("" if self.at_work else " (it was done)")
        middle = ", ".join(self.between) or "no host"
        after = "; ".join(self.wrong) or "all new, all pass"
        return f"{when}, in the middle of {middle}; then {after}"


def kill(size: str, hosts: Sequence[Host], number: int, after: float) -> Kill:
    """Kill the rollout of a change after some seconds, run it again, and look what is there."""
    inventory, limit = str(paths.INVENTORIES[size]), ":".join(host.name for host in hosts)
    candidate = ("--limit", limit, *words(**change(number)))
    begun = begin(inventory, *candidate)
    at_work = wait(begun, after, lambda: False)
    end(begun)
    between = tuple(host.name for host in hosts if pending(host.name))
    done = run(
        str(BIN / "ansible-playbook"), "-i", inventory, "rollout.yml", *candidate, seconds=3600
    )
    wrong = [f"the next run ended with {done.returncode}"] if done.returncode else []
    wrong += [f"{host.name} has something pending" for host in hosts if pending(host.name)]
    wrong += [f"{host.name} is not changed" for host in hosts if not changed(host, number)]
    audit = ("audit", "-i", inventory, "--limit", limit, "--history", "none")
    looked = run(str(BIN / "mailseal"), *audit, seconds=1800)
    if looked.returncode != 0:
        wrong.append(f"the audit ended with {looked.returncode}: {looked.stdout[-500:]}")
    return Kill(after, at_work, between, done, tuple(wrong))


def mail_hosts(size: str) -> list[Host]:
    """The hosts that a rollout changes, in its order."""
    known = topology.load(size)
    return [host for kind in _SHOWN for host in known.group(kind)]


def main() -> int:
    """Kill rollouts; 1 if one left what it must not."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("size", choices=("small", "cluster"))
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--seed", type=int, default=None, help="to have the same moments again")
    arguments = parser.parse_args()
    seed = random.randrange(10**6) if arguments.seed is None else arguments.seed  # noqa: S311
    chance = random.Random(seed)  # noqa: S311 - no secret
    hosts, begun = mail_hosts(arguments.size), time.monotonic()
    inventory = str(paths.INVENTORIES[arguments.size])
    first = run(
        str(BIN / "ansible-playbook"),
        "-i",
        inventory,
        "rollout.yml",
        *words(**change(99)),
        seconds=3600,
    )
    whole = time.monotonic() - begun
    if first.returncode:
        say(f"the rollout before the first kill ended with {first.returncode}; is the lab up?")
        return 2
    say(f"seed {seed}; a whole rollout takes {whole:.0f} s")
    bad = False
    for number in range(arguments.times):
        found = kill(arguments.size, hosts, 100 + number, chance.uniform(_EARLIEST, whole))
        bad |= bool(found.wrong)
        say(f"{number + 1} of {arguments.times}: {found}")
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
