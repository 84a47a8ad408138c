"""A cluster that takes deployments and audits in memory, and the inventories it has."""

import json
import sys
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from audit import runner
from audit.errors import MailsealError
from audit.findings import Run
from audit.inventory import Host
from audit.prospect.deployment import Deployment, Replaced, Trouble
from audit.staging.order import Order
from audit.staging.sides import Side, variables
from tests.prospect.prospect_factories import IMAP, IMAPS, NEW, OLD, run, shown

HOST = {
    "ansible_connection": "local",
    "ansible_python_interpreter": sys.executable,
    "mailseal_addresses": ["192.0.2.1"],
    "mailseal_server_name": "imap1.example",
    "mailseal_daemon": "cyrus",
    "mailseal_closed_ports": False,
    "mail_db_password": "hunter4 & co",
    "mailseal_endpoints": [
        {"port": 143, "service": "imap", "mode": "starttls", "profile": "access"},
        {"port": 993, "service": "imap", "mode": "implicit", "profile": "access"},
    ],
}


def hosts(*names: str, where: Path | None = None) -> list[Host]:
    """As the inventory of these tests has them."""
    return [
        Host(name=n, addresses=("192.0.2.1",), rollout_directory=str(where or "")) for n in names
    ]


def inventory_of(folder: Path, name: str = "imap1", **more: Any) -> str:
    folder.mkdir(exist_ok=True)
    hosts = {"all": {"children": {"imap": {"hosts": {name: {**HOST, **more}}}}}}
    (folder / "hosts.json").write_text(json.dumps(hosts), encoding="utf-8")
    return str(folder)


class Cluster:
    """Stands for the staging cluster: what is deployed there is what an audit sees."""

    def __init__(self, *fails: str) -> None:
        """The deployments that fail, by number: d1, d2, ..."""
        self.fails = fails
        self.done: list[str] = []
        self.shown = [("imap1", IMAP), ("imap1", IMAPS)]
        self.blind = ""
        self.policy = ""

    def roll_out(self, side: Side, step: object, log: object, *, check: bool = False) -> Deployment:
        """Deploy."""
        policy = json.loads(side.variables[-1])["mailseal_policy"] if side.variables else NEW
        self.done.append(f"{'check' if check else 'deploy'} {Path(side.inventory).name} {policy}")
        number = sum(one.startswith("deploy") for one in self.done)
        if f"lost{number}" in self.fails and not check:
            raise MailsealError("the deployment did not come to its end", 3)
        if f"d{number}" in self.fails:
            return Deployment(hosts=("imap1",), troubles=(Trouble("imap1", "does not pass"),))
        if not check:
            self.policy = policy
        file = Replaced("imap1", "/etc/imapd.conf", ("@@", "-a", "+b"))
        return Deployment(hosts=("imap1",), changed=("imap1",), files=(file,))

    def audit(self, driver: runner.Driver) -> Run:
        """See, and judge; a cluster that was deployed to passes."""
        self.done.append(f"audit {self.policy}")
        if self.blind == self.policy:
            raise MailsealError("the prober is blind", 3)
        policies = {host.name: host.policy for host in driver.audit.hosts}
        seen = [shown(policies[host], host, place) for host, place in self.shown]
        found = driver.audit.rejudged(run(self.policy, seen))
        fine = tuple(replace(f, verdict="pass", observed="as expected") for f in found.findings)
        return replace(found, findings=fine)


def order_of(folder: Path, **more: Any) -> Order:
    there = inventory_of(folder / "staging")
    now, candidate = (Side(there, variables=variables(policy, ())) for policy in (OLD, NEW))
    return Order(**{"now": now, "candidate": candidate, **more})
