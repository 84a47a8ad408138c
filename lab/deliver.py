"""One mail to each domain of the world, and a look at each: is it as the table expects?"""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml
from msgspec import Struct

from lab import cluster, deliveries, far, host, net, paths, world
from lab.capture import captured, streams
from lab.deliveries import Got, Looked
from lab.errors import USAGE, LabError
from lab.lock import locked
from lab.matrix import Row
from lab.submission import Mail, Order, submit
from lab.topology import Host, Topology

_SENDER_LOG = "/var/log/exim4/mainlog"
_SMTP = 25
_DELIVERY_LIMIT = 240.0
_SCAN_LIMIT = 240.0
_AT_ONCE = 4
# By the policy that says what a foreign server need not be: it has its levels, and no more.
_POLICY = "rfc9325"
# What Exim remembers of servers that it could not deliver to: it would not try again.
_FORGET = "rm -f /var/spool/exim4/db/retry* /var/spool/exim4/db/wait-*"


def deliver(names: tuple[str, ...] = ()) -> tuple[Row, ...]:
    """Try the cases of these names, or all.

    Raises LabError when the lab is not up, has no submission host that takes mails, or there is no
    case of a name.
    """
    up = cluster.current()
    cases = world.select(world.load().cases, names)
    sender = _sender(up)
    run = secrets.token_hex(4)
    recipients = {name: f"{run}-{name}@{world.domain(name)}" for name in cases}
    with locked(paths.LOCK), ThreadPoolExecutor(_AT_ONCE) as pool:
        looks = {name: pool.submit(_look, world.domain(name), up) for name in cases}
        try:
            mailed = _mail(sender, up.outside, run, recipients)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # nobody waits for what is no use
            raise
        looked = {name: look.result() for name, look in looks.items()}
    places = world.load().places()
    rows = []
    for name, case in cases.items():
        servers = {place.address for place in places[name]}
        token = f"{run}-{name}@".encode()
        got = Got(
            deliveries.delivery(mailed.log[name]),
            deliveries.arrival(mailed.received, recipients[name]),
            clear=any(token in said for said in mailed.said),
            connected=any(target in servers for target in mailed.targets),
            log=mailed.log[name],
            looked=looked[name],
        )
        rows.append(Row(name, case, got, deliveries.differences(case.expected, got)))
    return tuple(rows)


class _Mailed(Struct, frozen=True):
    """Of all mails: the sender's log of each, the receiver's log, and what was on the wire."""

    log: dict[str, tuple[str, ...]]
    received: str
    said: tuple[bytes, ...]
    targets: frozenset[str]


def _mail(sender: Host, receiver: Host, run: str, recipients: Mapping[str, str]) -> _Mailed:
    began = len(_read(receiver, far.LOG))
    capture = paths.world() / "deliver.pcap"
    host.execute(sender.name, ["sh", "-c", _FORGET])
    try:
        with captured(capture, f"p-{receiver.name}"):
            numbers = submit(_order(sender, run, recipients))
            log = _wait(sender, {name: numbers[to] for name, to in recipients.items()})
    finally:
        _clear(sender, run)
    said = streams(capture)
    targets = frozenset(stream.target for stream in said if stream.target_port == _SMTP)
    return _Mailed(log, _read(receiver, far.LOG)[began:], tuple(said.values()), targets)


def _sender(up: Topology) -> Host:
    found = up.group("msa")
    if not found:
        raise LabError(f"the lab in size {up.size} has no host that mails are submitted at", USAGE)
    return found[0]


def _order(sender: Host, run: str, recipients: Mapping[str, str]) -> Order:
    variables = paths.INVENTORIES["small"] / "group_vars" / "msa.yml"  # of every size
    account = yaml.safe_load(variables.read_text(encoding="utf-8"))["mailseal_test_account"]
    mails = []
    for name, recipient in recipients.items():
        origin = f"{run}-{name}@lab.test"
        head = f"From: {origin}\r\nTo: {recipient}\r\nSubject: {name}\r\n"
        mails.append(Mail(origin, recipient, f"{head}\r\nA mail of the lab to {recipient}.\r\n"))
    return Order(
        sender.server_name,
        str(paths.ca() / "ca.crt"),
        account["user"],
        account["password"],
        tuple(mails),
    )


def _wait(sender: Host, numbers: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Read the sender's log until it says of each mail what became of it, but not for ever."""
    end = time.monotonic() + _DELIVERY_LIMIT
    while True:
        log = _read(sender, _SENDER_LOG)
        found = {name: deliveries.about(log, number) for name, number in numbers.items()}
        waiting = [n for n, lines in found.items() if deliveries.delivery(lines) == "unknown"]
        if not waiting or time.monotonic() > end:
            return found
        time.sleep(0.5)


def _clear(sender: Host, run: str) -> None:
    """Leave no mail of ours in the queue, and no bounce."""
    ours = f"(exiqgrep -i -r '^{run}-'; exiqgrep -i -f '^<?{run}-') | sort -u"
    remove = f"{ours} | xargs -r exim4 -Mrm >/dev/null"
    host.execute(sender.name, ["sh", "-c", f"{remove}; {_FORGET}"])


def _read(one: Host, path: str) -> str:
    """A file of a host, read without entering it."""
    file = Path(f"/proc/{host.require_running(one.name)}/root{path}")
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""


def _look(domain: str, up: Topology) -> Looked:
    """Look at a domain from the hub, by the lab's resolver."""
    (resolver, *_) = up.group("resolver")
    words = ["--domain", domain, "--resolver", resolver.ipv4, "--ca", str(paths.world_ca())]
    command = [*net.at_hub(), sys.executable, "-m", "audit", "scan", *words]
    try:
        done = subprocess.run(
            [*command, "--policy", _POLICY, "--quick", "--json"],
            capture_output=True,
            text=True,
            timeout=_SCAN_LIMIT,
            check=False,
            env={**os.environ, "PYTHONPATH": str(paths.PACKAGE.parent)},
        )
        findings = json.loads(done.stdout)["findings"]
    except subprocess.TimeoutExpired:
        raise LabError(f"looking at {domain} took longer than {_SCAN_LIMIT:.0f} seconds") from None
    except (ValueError, KeyError):
        words = done.stderr.strip().splitlines() or ["no word from it"]
        raise LabError(f"mailseal scan --domain {domain}: {words[-1]}") from None
    failed = {finding["check"] for finding in findings if finding["verdict"] == "fail"}
    return Looked(done.returncode, tuple(sorted(failed)))
