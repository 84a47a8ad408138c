"""One row of the catalogue."""

from typing import Literal

from msgspec import Struct

from audit.findings import Severity

Scope = Literal["endpoint", "cluster", "host", "domain", "mx", "mx-address"]
# The endpoints of one port of a host; of one port behind a name; of one name; all of them.
Grouping = Literal["family", "nodes", "name", "all"]


class Check(Struct, frozen=True, kw_only=True):
    """One row of the catalogue.

    Attributes:
        id: stable name, used in findings, waivers and reports.
        title: what holds when it passes.
        scope: judged for each endpoint, for several together, for each host; for each mail domain,
            for each server that takes its mail, for each address of that.
        severity: how much a failure matters.
        why: what can happen otherwise.
        how: how it is tested.
        connections: how many connections of its own that takes.
        fix: what to change, by daemon where it differs.
        references: RFC sections, CVE numbers, manuals.
        before_tls: only where there is a time before TLS, that is with STARTTLS.
        required_only: only where the policy makes TLS mandatory.
        services: only these services; empty for all.
        rule: only where this field of the profile has this value.
        groups: of a check of several endpoints, which of them it compares.
        thorough: left out of a quick look.
        closed_too: judged even if nothing answers there.
        dhe_only: only where the policy sets the size of the Diffie-Hellman group.
        served: judged by what a mail server shows, so that it is also of an audit that leaves its
            domain's other servers out.
        by_authority: matters to clients that ask certificate authorities only.
    """

    id: str
    title: str
    scope: Scope
    severity: Severity
    why: str
    how: str
    connections: str
    fix: str
    references: tuple[str, ...]
    before_tls: bool = False
    required_only: bool = False
    services: tuple[str, ...] = ()
    rule: tuple[str, str] | None = None
    groups: Grouping | None = None
    thorough: bool = False
    closed_too: bool = False
    dhe_only: bool = False
    served: bool = False
    by_authority: bool = False


def of_endpoint(**row: object) -> Check:
    """A check that is judged for each endpoint."""
    return Check(scope="endpoint", **row)  # type: ignore[arg-type]


def of_cluster(**row: object) -> Check:
    """A check that is judged for several endpoints together."""
    return Check(scope="cluster", **row)  # type: ignore[arg-type]


def of_host(**row: object) -> Check:
    """A check that is judged for each host, from inside."""
    return Check(scope="host", **row)  # type: ignore[arg-type]


def of_domain(**row: object) -> Check:
    """A check that is judged for each mail domain, from outside."""
    return Check(scope="domain", **row)  # type: ignore[arg-type]


def of_mx(**row: object) -> Check:
    """A check that is judged for each server that takes mail for a domain."""
    return Check(scope="mx", **row)  # type: ignore[arg-type]


def of_mx_address(**row: object) -> Check:
    """A check that is judged for each address of such a server."""
    return Check(scope="mx-address", **row)  # type: ignore[arg-type]
