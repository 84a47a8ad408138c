"""The Ansible inventory, as the audit needs it: who must serve what, where."""

import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import product
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct, field

from audit.account import Account, still_encrypted
from audit.errors import UNDETERMINED, MailsealError
from audit.facts import Endpoint, Mode, Service
from audit.findings import Waiver
from audit.names import to_ascii
from audit.own_domains import DomainVariables
from audit.policy.compile.reported import Daemon
from audit.policy.model import KEY_TYPES, KeyType, Traffic
from audit.policy.shadow import Enforcement, in_force
from audit.ports import MAIL_PORTS

_SECONDS = 120
_PREFIX = "mailseal_"


class EndpointRow(Struct, frozen=True, forbid_unknown_fields=True):
    """One row of mailseal_endpoints."""

    port: Annotated[int, Meta(ge=1, le=65535)]
    service: Service
    mode: Mode
    profile: Traffic


class Host(DomainVariables, frozen=True, rename=lambda name: f"{_PREFIX}{name}"):
    """The mailseal_* variables of one host; those about its domains are in `own_domains`.

    Attributes:
        addresses: every address that clients may connect to.
        server_name: the name they use; SNI, and what the certificate must be for.
        certificate_names: further names that the certificate must be for.
        endpoints: what must listen.
        daemon: the mail daemon that serves them; empty if there is none.
        policy: the policy the host is rolled out with.
        enforcement: "shadow" if what it forbids is still served, at the end, and reported.
        shadow_tail: the policy that was in force before the shadow.
        certificate_types: the certificates it has.
        ca_file: the roots to trust, on the control host; empty for the system's.
        library_prefix: where the TLS libraries must come from.
        library_manifest: what the package holds that they are from, a file on the control host;
            empty if they are the system's.
        control_netns: the network namespace that the hosts can be reached from.
        closed_ports: also prove that no other mail port answers.
        waivers: failures that somebody has accepted until a day.
        test_account: who logs in and sends for `mailseal passage`; no check uses it.
        rollout_directory: where its rollouts are recorded, if not in the usual place; likewise.
    """

    addresses: tuple[str, ...] = ()
    server_name: str = ""
    certificate_names: tuple[str, ...] = ()
    endpoints: tuple[EndpointRow, ...] = ()
    daemon: Daemon | Literal[""] = ""
    policy: str = "mailseal-2026"
    enforcement: Enforcement = "enforce"
    shadow_tail: str = ""
    certificate_types: tuple[KeyType, ...] = KEY_TYPES
    ca_file: str = ""
    library_prefix: tuple[str, ...] = ("/usr/lib/", "/lib/")
    library_manifest: str = ""
    control_netns: str = ""
    closed_ports: bool = True
    waivers: tuple[Waiver, ...] = ()
    test_account: Account | None = None
    rollout_directory: str = ""
    name: str = field(default="", name="inventory_hostname")

    @property
    def measure(self) -> str:
        """What it is judged by: its policy, or that in shadow of another."""
        return in_force(self.policy, self.enforcement, self.shadow_tail)

    def expected(self) -> list[tuple[Endpoint, Traffic]]:
        """Every endpoint that must answer, with the profile that rules it."""
        return [
            (Endpoint(self.name, a, row.port, row.service, row.mode, self.server_name), row.profile)
            for a in self.addresses
            for row in self.endpoints
        ]

    def unexpected(self) -> list[Endpoint]:
        """Every mail port that must not answer."""
        if not self.closed_ports:
            return []
        wanted = {row.port for row in self.endpoints}
        return [
            Endpoint(self.name, a, port, service, mode, self.server_name)
            for a in self.addresses
            for port, (service, mode) in MAIL_PORTS.items()
            if port not in wanted
        ]


class _Meta(Struct):
    hostvars: dict[str, dict[str, object]]


class _Group(Struct):
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Inventory:
    """What `ansible-inventory --list` prints, as far as it is read here.

    A host without variables is named by its groups only.
    """

    meta: _Meta
    groups: dict[str, _Group]

    @classmethod
    def read(cls, output: bytes) -> "_Inventory":
        raw = msgspec.json.decode(output, type=dict[str, msgspec.Raw])
        meta = msgspec.json.decode(raw.pop("_meta"), type=_Meta)
        return cls(meta, {name: msgspec.json.decode(g, type=_Group) for name, g in raw.items()})


def read(inventory: str, limit: str = "", variables: Sequence[str] = ()) -> list[Host]:
    """The hosts of an inventory, imap2 before imap10.

    Args:
        inventory: the path that Ansible reads.
        limit: only these hosts or groups.
        variables: what else is set, in the words of Ansible's `-e`.

    Raises:
        MailsealError: there is no such inventory, it or the limit is malformed, or no host is left.
    """
    if not inventory or not Path(inventory).exists():
        raise MailsealError(f"there is no inventory {inventory or repr(inventory)}")
    # Ansible drops a bracket without its other: of "~[" it would leave what matches every host.
    if limit.count("[") != limit.count("]"):
        raise MailsealError(f"--limit {limit!r} has a bracket without its other")
    data = _ansible_inventory(inventory, limit, variables)
    names = {name for group in data.groups.values() for name in group.hosts}
    if not names:
        which = f" that matches {limit!r}" if limit else ""
        raise MailsealError(f"{inventory}: there is no host{which}")
    found = {name: data.meta.hostvars.get(name, {}) for name in names}
    return [_host(name, found[name]) for name in sorted(names, key=_by_number)]


def _by_number(name: str) -> list[tuple[str, int]]:
    """imap2 comes before imap10."""
    return [(word, int(digits or 0)) for word, digits in re.findall(r"(\D*)(\d*)", name)]


def _ansible_inventory(inventory: str, limit: str, variables: Sequence[str]) -> _Inventory:
    program = shutil.which("ansible-inventory", path=str(Path(sys.executable).parent))
    program = program or shutil.which("ansible-inventory")
    if program is None:
        raise MailsealError("ansible-inventory is not installed", UNDETERMINED)
    command = [program, "-i", inventory, "--list", *(["--limit", limit] if limit else [])]
    command += [word for words in variables for word in ("-e", words)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise MailsealError(f"{inventory}: not read within {_SECONDS} s") from None
    words = done.stderr.decode(errors="replace")
    if done.returncode != 0 or "Failed to parse inventory" in words or "Unable to parse" in words:
        raise MailsealError(f"{inventory}: {_reason(words)}")
    try:
        return _Inventory.read(done.stdout)
    except (msgspec.DecodeError, KeyError):
        raise MailsealError(f"{inventory}: ansible-inventory printed no inventory") from None


def _host(name: str, variables: Mapping[str, object]) -> Host:
    if "mailseal_addresses" not in variables:
        words = "has no mailseal_addresses, so nothing can be said about it (--limit leaves it out)"
        raise MailsealError(f"host {name} {words}")
    _no_misspelling(name, variables)
    _out_of_the_vault(name, variables)
    try:
        host = msgspec.convert({**variables, "inventory_hostname": name}, Host)
        for address in host.addresses:
            ip_address(address)
    except ValueError as error:
        if not isinstance(error, msgspec.ValidationError):
            raise MailsealError(f"host {name}: mailseal_addresses: {error}") from None
        message, _, where = str(error).partition(" - at `$")
        variable = where.strip(".`") or "its variables"
        raise MailsealError(f"host {name}: {variable}: {message}") from None
    _check(name, host)
    return host


def _check(name: str, host: Host) -> None:
    """What the types do not say."""
    for variable, names in (
        ("mailseal_server_name", (host.server_name,)),
        ("mailseal_certificate_names", host.certificate_names),
    ):
        for one in names:
            to_ascii(one, f"host {name}: {variable}")
    ports = [row.port for row in host.endpoints]
    for port in ports:
        if ports.count(port) > 1:
            raise MailsealError(f"host {name}: mailseal_endpoints: port {port} is there twice")
    if "/" in host.control_netns:
        raise MailsealError(f"host {name}: mailseal_control_netns: a name, not a path")
    try:
        in_force(host.policy, host.enforcement, host.shadow_tail)
    except MailsealError as error:
        raise MailsealError(f"host {name}: {error}") from None
    if host.daemon and not host.endpoints:
        raise MailsealError(f"host {name}: has a mailseal_daemon but no mailseal_endpoints")


def _no_misspelling(name: str, variables: Mapping[str, object]) -> None:
    """A variable one letter from ours, or with two swapped, is ours; others belong to the roles."""
    known = [f.encode_name.removeprefix(_PREFIX) for f in msgspec.structs.fields(Host)]
    ours = [v.removeprefix(_PREFIX) for v in variables if v.startswith(_PREFIX)]
    for variable, right in product(ours, known):
        more, less = Counter(variable) - Counter(right), Counter(right) - Counter(variable)
        if variable not in known and max(more.total(), less.total()) <= 1:
            words = f"{_PREFIX}{variable} is unknown: is it {_PREFIX}{right}?"
            raise MailsealError(f"host {name}: {words}")


def _out_of_the_vault(name: str, variables: Mapping[str, object]) -> None:
    """ansible-inventory decrypts whole files, and leaves single values as they are."""
    if key := still_encrypted(variables.get("mailseal_test_account")):
        words = "is still encrypted; put the whole file into the vault (ansible-vault encrypt FILE)"
        raise MailsealError(f"host {name}: mailseal_test_account.{key}: {words}")


def _reason(words: str) -> str:
    """The line of Ansible's complaint that names the fault."""
    # In parentheses it says why it does not quote what it complains of.
    stripped = (line.strip() for line in words.splitlines())
    lines = [line for line in stripped if line and not line.startswith("(")]
    telling = [line for line in lines if "error" in line.lower() or "pattern" in line] or lines
    return telling[-1][:300] if telling else "ansible-inventory could not read it"
