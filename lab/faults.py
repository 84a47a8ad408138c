"""The table of faults: what each does to a host and which failures an audit must then report."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from lab import paths
from lab.errors import USAGE, LabError
from lab.topology import Host

FAMILIES = ("ipv4", "ipv6")
# Where a host of each group speaks TLS.
TLS_PORTS = {
    "imap": (24, 110, 143, 993, 995, 4190),
    "msa": (465, 587),
    "mx": (25,),
}


@dataclass(frozen=True, order=True)
class Expectation:
    """One failure that an audit must report; `port` and `family` are None for the host itself."""

    check: str
    port: int | None = None
    family: str | None = None


@dataclass(frozen=True)
class Standin:
    """A listener in a daemon's place; the daemon listens on `behind` meanwhile, if not 0."""

    mode: str
    port: int
    behind: int = 0


@dataclass(frozen=True)
class Fault:
    """One way to be broken."""

    name: str
    title: str
    groups: tuple[str, ...]
    service: str | None
    restart: bool
    changes: tuple[Mapping[str, Any], ...]
    closed: tuple[int, ...]
    opened: tuple[int, ...]
    standin: Standin | None
    certificate: str | None
    expect: tuple[Mapping[str, Any], ...]
    together: frozenset[tuple[str, int | None]]

    def applies_to(self, host: Host) -> bool:
        """Whether a host is of a kind that can have this fault."""
        return any(group in host.groups for group in self.groups)

    def expected(self, host: Host) -> frozenset[Expectation]:
        """Return exactly the failures that an audit must report on a host with this fault."""
        found = set()
        for row in self.expect:
            if not host.groups & set(row.get("groups", self.groups)):
                continue
            ports = row.get("ports", ())
            if row.get("tls_ports"):
                ports = tuple(p for group in sorted(host.groups) for p in TLS_PORTS.get(group, ()))
            families = row.get("families", FAMILIES)
            found |= {Expectation(row["check"], port, fam) for port in ports for fam in families}
            if not ports:
                found.add(Expectation(row["check"]))
        return frozenset(found)


@cache
def table() -> dict[str, Fault]:
    """Return every fault by name, in the order of the table."""
    data = yaml.safe_load((paths.PACKAGE / "faults.yaml").read_text(encoding="utf-8"))
    return {name: _fault(name, row) for name, row in data.items()}


def get(name: str) -> Fault:
    """Return a fault by name; raises LabError when the table has none of that name."""
    try:
        return table()[name]
    except KeyError:
        raise LabError(
            f"there is no fault {name!r}; `mailseal lab faults` lists them", USAGE
        ) from None


def _fault(name: str, row: Mapping[str, Any]) -> Fault:
    certificate = row.get("certificate")
    return Fault(
        name=name,
        title=row["title"],
        groups=tuple(row["groups"]),
        service=row.get("service"),
        restart=row.get("restart", True),
        changes=tuple(row.get("changes", ())),
        closed=tuple(row.get("closed", ())),
        opened=tuple(row.get("opened", ())),
        standin=Standin(**row["standin"]) if "standin" in row else None,
        certificate=certificate,
        expect=tuple(row["expect"]),
        together=frozenset(
            (compared["check"], port)
            for compared in row.get("together", ())
            for port in compared.get("ports", (None,))
        ),
    )
