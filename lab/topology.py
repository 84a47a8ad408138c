"""The hosts of the lab, read from the Ansible inventory so that there is no second list."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from lab import base, paths, world
from lab.errors import USAGE, LabError

_MAX_NAME = 12


@dataclass(frozen=True)
class Host:
    """One host of the lab.

    Attributes:
        name: in the inventory.
        groups: those it is in.
        ipv4, ipv6: its addresses.
        server_name: the name it serves under.
        root: the kind of root it stands on (lab/roots).
    """

    name: str
    groups: frozenset[str]
    ipv4: str
    ipv6: str
    server_name: str
    root: str = base.COMMON


@dataclass(frozen=True)
class Topology:
    """All hosts of one size.

    Attributes:
        size: its name.
        cluster: those of the inventory, in its order.
        outside: the one that is not in it: nobody hardens or audits it.
    """

    size: str
    cluster: tuple[Host, ...]
    outside: Host

    @property
    def hosts(self) -> tuple[Host, ...]:
        """All of them."""
        return (*self.cluster, self.outside)

    def host(self, name: str) -> Host:
        """Return the host of that name; raises LabError when the lab has none."""
        for host in self.hosts:
            if host.name == name:
                return host
        known = ", ".join(host.name for host in self.hosts)
        raise LabError(f"the lab has no host {name!r}; its hosts are {known}", USAGE)

    def group(self, name: str) -> tuple[Host, ...]:
        """Return the hosts of a group."""
        return tuple(host for host in self.hosts if name in host.groups)


def load(size: str) -> Topology:
    """Read the inventory of a size; raises LabError naming the file and what is wrong in it."""
    if size not in paths.INVENTORIES:
        known = " and ".join(paths.INVENTORIES)
        raise LabError(f"unknown size {size!r}; the lab comes in {known}", USAGE)
    cluster = parse(paths.INVENTORIES[size] / "hosts.yml")
    home, values = paths.PACKAGE / "world.yaml", dict(world.load().host)
    outside = _host(home, str(values.pop("name")), values, {"outside"})
    _check_distinct(home, (*cluster, outside))
    return Topology(size, cluster, outside)


def parse(path: Path) -> tuple[Host, ...]:
    """Return the hosts of an inventory file; raises LabError when the file is not a good one."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LabError(
            f"{path} is missing: the lab runs from a checkout of mailseal", USAGE
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LabError(f"{path} is not YAML: {' '.join(str(error).split())}", USAGE) from None
    variables: dict[str, dict[str, object]] = {}
    groups: dict[str, set[str]] = {}
    for group, name, values in _walk(path, data):
        variables.setdefault(name, {}).update(values)
        groups.setdefault(name, set()).add(group)
    if not variables:
        raise LabError(f"{path} names no hosts", USAGE)
    hosts = tuple(_host(path, name, values, groups[name]) for name, values in variables.items())
    _check_distinct(path, hosts)
    return hosts


def _walk(path: Path, data: object) -> Iterator[tuple[str, str, dict[str, object]]]:
    """Yield (group, host, variables) for each host under each group, nested groups included."""
    todo = list(data.items()) if isinstance(data, dict) else []
    if not todo:
        raise LabError(f"{path} is not an inventory: it has no groups", USAGE)
    while todo:
        group, body = todo.pop(0)
        body = body or {}
        if not isinstance(body, dict):
            raise LabError(f"{path}: group {group} is not a mapping", USAGE)
        for name, values in (body.get("hosts") or {}).items():
            yield str(group), str(name), values or {}
        todo.extend((body.get("children") or {}).items())


def _host(path: Path, name: str, values: dict[str, object], groups: set[str]) -> Host:
    if len(name) > _MAX_NAME:
        raise LabError(f"{path}: host name {name} is longer than {_MAX_NAME} letters", USAGE)
    listed = values.get("mailseal_addresses")
    found: dict[int, str] = {}
    try:
        for address in listed if isinstance(listed, list) else ():
            found[ipaddress.ip_address(address).version] = str(address)
    except ValueError as error:
        raise LabError(f"{path}: host {name}: {error}", USAGE) from None
    if set(found) != {4, 6}:
        raise LabError(
            f"{path}: host {name} needs one IPv4 and one IPv6 address in mailseal_addresses", USAGE
        )
    server_name = str(values.get("mailseal_server_name") or f"{name}.lab.test")
    root = str(values.get("mailseal_lab_root") or base.COMMON)
    if root not in base.kinds():
        known = ", ".join(base.kinds())
        raise LabError(f"{path}: host {name}: mailseal_lab_root: there is {known}", USAGE)
    return Host(name, frozenset(groups), found[4], found[6], server_name, root)


def _check_distinct(path: Path, hosts: tuple[Host, ...]) -> None:
    owners: dict[str, str] = {}
    for host in hosts:
        for address in (host.ipv4, host.ipv6):
            if address in owners:
                raise LabError(
                    f"{path}: {owners[address]} and {host.name} both have {address}", USAGE
                )
            owners[address] = host.name
