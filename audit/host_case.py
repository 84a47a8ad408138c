"""A host before the judge: what it reports, and what its policy compiles to there."""

from msgspec.structs import replace

from audit.errors import MailsealError
from audit.inventory import Host
from audit.judge.case import HostCase
from audit.policy.compile import compile_policy
from audit.policy.compile.reported import compiled_for, target
from audit.policy.model import Policy


def host_case(said: HostCase, host: Host, policy: Policy) -> HostCase:
    """The case; where nothing can be compiled for the host, it says why.

    Args:
        said: what it said.
        host: as the inventory has it.
        policy: the measure.
    """
    daemon = said.planned.daemon
    report = said.facts.reports.get(daemon, "")
    ports = {row.port: row.profile for row in host.endpoints}
    implicit = tuple(row.port for row in host.endpoints if row.mode == "implicit")
    case = replace(said, built=compiled_for(report))
    try:
        found = target(daemon, report, ports, implicit)
    except MailsealError as error:
        return replace(case, obstacle=str(error))
    case = replace(case, kind=found.kind)
    try:
        return replace(case, compiled=compile_policy(policy, found, said.now.date()))
    except MailsealError as error:
        return replace(case, obstacle=str(error))
