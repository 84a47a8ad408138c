"""The world outside the cluster, as lab/world.yaml describes it: domains, what is expected."""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal

import msgspec
import yaml
from msgspec import Meta, Struct

from lab import paths
from lab.errors import USAGE, LabError
from lab.zones import Signing

TOP = "test"
# Where the servers of the cases are, one address each, in the order of the table.
_NETWORKS = {"ipv4": "10.80.0.", "ipv6": "fd00:80::"}
_FIRST = 101
_BEHIND = 2500
POLICY_IPV4 = "10.80.0.100"

# A record of a server: usage, selector, matching type, and whose key it is of.
Record = Annotated[str, Meta(pattern=r"^\d \d \d (leaf|authority|previous|nothing)$")]
Name = Annotated[str, Meta(pattern="^[a-z0-9]+(-[a-z0-9]+)*$")]
Kind = Literal["good", "expired", "untrusted", "misnamed"]


class Server(Struct, frozen=True, forbid_unknown_fields=True):
    """A server that takes the mail of a domain.

    Attributes:
        tlsa: its records: usage, selector, matching type, and what is vouched for: its own key
            (`leaf`), its authority's, the key it had before (`previous`), or `nothing`.
        certificate: what it serves.
        starttls: whether it offers TLS; `stripped` is by a man in the middle.
        family: the one it has an address in.
    """

    tlsa: tuple[Record, ...] = ()
    certificate: Kind = "good"
    starttls: Literal["offered", "none", "stripped"] = "offered"
    family: Literal["ipv4", "ipv6"] = "ipv4"


class Policy(Struct, frozen=True, forbid_unknown_fields=True):
    """An MTA-STS policy and its host (RFC 8461).

    Attributes:
        mode: what it asks of senders.
        mx: the patterns; by default the names of the servers.
        certificate: what the policy host serves.
        answer: what it says when it is asked.
    """

    mode: Literal["enforce", "testing", "none"]
    mx: tuple[str, ...] = ()
    certificate: Kind = "good"
    answer: Literal["policy", "endless", "redirect", "page"] = "policy"


class Forgery(Struct, frozen=True, forbid_unknown_fields=True):
    """What is replaced in a zone once it is signed."""

    before: str
    after: str


class Expected(Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of a mail to a domain, and of a look at it; see the head of the table."""

    delivery: Literal["delivered", "deferred", "bounced"]
    arrival: Literal["tls", "clear", "none"]
    exit: int
    log: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


class Case(Struct, frozen=True, forbid_unknown_fields=True):
    """A domain; its zone is signed as told, see `lab.zones.Zone`."""

    title: str
    servers: tuple[Server, ...]
    expected: Expected
    policy: Policy | None = None
    signing: Signing = "good"
    forged: Forgery | None = None
    lame: bool = False


class Place(Struct, frozen=True):
    """Where a server of the world is.

    Attributes:
        name: its host name.
        address: where it listens, on port 25.
        behind: where Exim listens if somebody stands before it, on loopback; otherwise 0.
        server: what it is.
    """

    name: str
    address: str
    behind: int
    server: Server


class World(Struct, frozen=True, forbid_unknown_fields=True):
    """The host that all of it is on, as an inventory has hosts, and the domains by name."""

    host: dict[str, Any]
    cases: dict[Name, Case]

    def places(self) -> dict[str, tuple[Place, ...]]:
        """The servers of each case, in the order of preference."""
        found: dict[str, tuple[Place, ...]] = {}
        number = 0
        for name, case in self.cases.items():
            row = []
            for nth, server in enumerate(case.servers, 1):
                host = f"mx{nth if nth > 1 else ''}.{domain(name)}"
                address = _NETWORKS[server.family] + str(_FIRST + number)
                behind = _BEHIND + number if server.starttls == "stripped" else 0
                row.append(Place(host, address, behind, server))
                number += 1
            found[name] = tuple(row)
        return found


def domain(case: str) -> str:
    """The mail domain of a case."""
    return f"{case}.{TOP}"


def policy_host(case: str) -> str:
    """Where the MTA-STS policy of a case is (RFC 8461, section 3.3)."""
    return f"mta-sts.{domain(case)}"


@cache
def load() -> World:
    """Read the table; raises LabError when it is not a good one."""
    path = paths.PACKAGE / "world.yaml"
    return parse(path.read_text(encoding="utf-8"), str(path))


def parse(text: str, name: str) -> World:
    """Read a table; raises LabError naming it and what is wrong in it."""
    try:
        return msgspec.convert(yaml.safe_load(text), World, strict=True)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise LabError(f"{name}: {' '.join(str(error).split())}", USAGE) from None


def select(cases: Mapping[str, Case], names: tuple[str, ...]) -> dict[str, Case]:
    """The cases of these names, or all; raises LabError when there is none of a name."""
    for name in names:
        if name not in cases:
            known = ", ".join(cases)
            raise LabError(f"there is no case {name!r}; the cases are {known}", USAGE)
    return {name: case for name, case in cases.items() if not names or name in names}
