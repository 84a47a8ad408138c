"""The compiler as a Jinja filter: what a host reports in, its settings out."""

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

# A checkout needs no installation: the compiler lies beside the roles.
sys.path.append(str(Path(__file__).resolve().parents[3]))

from audit.errors import MailsealError
from audit.policy.compile import compile_policy
from audit.policy.compile.reported import Daemon, target
from audit.policy.load import load
from audit.policy.shadow import Enforcement, in_force


def mailseal_compile(  # noqa: PLR0913 - the variables of a host
    policy: str,
    daemon: Daemon,
    report: str,
    endpoints: Sequence[Mapping[str, Any]],
    day: str | None = None,
    *,
    enforcement: Enforcement = "enforce",
    tail: str = "",
) -> dict[str, Any]:
    """The settings with which the daemon that wrote *report* does what *policy* says.

    Where there are none, the one key `refused` says why: a filter's exception would reach the user
    wrapped in Ansible's own words, several times over.

    Args:
        policy: id or file.
        daemon: cyrus or exim.
        report: what it says of its version and library (audit.policy.compile.reported).
        endpoints: mailseal_endpoints of the host.
        day: the day of the calendar to compile for, YYYY-MM-DD; by default today.
        enforcement: enforce, or shadow for the policy in shadow of *tail*.
        tail: id or file of the policy that was in force before.
    """
    ports = {int(e["port"]): e["profile"] for e in endpoints}
    implicit = tuple(int(e["port"]) for e in endpoints if e["mode"] == "implicit")
    try:
        found = target(daemon, report, ports, implicit)
        when = date.fromisoformat(day) if day else datetime.now(tz=UTC).date()
        measure = in_force(policy, enforcement, tail)
        compiled = compile_policy(load(measure), found, when)
    except MailsealError as error:
        return {"refused": str(error)}
    return {
        "refused": "",
        "policy": measure,
        "kind": found.kind,
        "target": str(found),
        "options": dict(compiled.options),
        "openssl_cnf": compiled.openssl_cnf,
        "required_ports": list(compiled.required_ports),
        "dh_group": compiled.dh_group,
        "left_out": list(compiled.left_out),
    }


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter by name."""
        return {"mailseal_compile": mailseal_compile}
