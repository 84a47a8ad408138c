"""Which checks an audit makes: those of each host by its policies, and of what belongs together."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

from audit.errors import MailsealError
from audit.facts import Endpoint
from audit.inventory import Host
from audit.judge.bench import DomainTarget, Planned, Target, plan_endpoint, plan_group, plan_host
from audit.judge.case import PlannedEndpoint, PlannedGroup, PlannedHost
from audit.judge.groups import groups
from audit.policy.model import Policy, Profile
from audit.policy.shadow import aim

Policies = Mapping[str, Sequence[Policy]]


def plan_all(hosts: Iterable[Host], policies: Policies) -> list[Planned]:
    """Return every check, in the order of the hosts.

    Args:
        hosts: those that are audited.
        policies: what each is measured by, by its name; the first decides for what is in common.

    Raises:
        MailsealError: a policy has no profile for the traffic of an endpoint.
    """
    plan = [p for host in hosts for policy in policies[host.name] for p in _plan(host, policy)]
    single = dict.fromkeys(p.target for p in plan if isinstance(p.target, PlannedEndpoint))
    for group in groups(single):
        plan += plan_group(group, policies[group.endpoints[0].host][0].id)
    return plan


def _plan(host: Host, policy: Policy) -> Iterator[Planned]:
    for endpoint, traffic in host.expected():
        there = PlannedEndpoint(
            endpoint,
            traffic,
            key_types=host.certificate_types,
            names=host.certificate_names,
        )
        ahead = profile_of(there, new) if (new := aim(policy)) else None
        yield from plan_endpoint(there, profile_of(there, policy), policy.id, ahead=ahead)
    for endpoint in host.unexpected():
        yield from plan_endpoint(PlannedEndpoint(endpoint, None), None, policy.id)
    if host.daemon:
        inside = PlannedHost(host.name, host.daemon, host.library_prefix)
        yield from plan_host(inside, policy.id)


def profile_of(planned: PlannedEndpoint, policy: Policy) -> Profile | None:
    """Return what a policy says of an endpoint; nothing of one that must not answer.

    Raises:
        MailsealError: the policy has no such profile.
    """
    if planned.traffic is None:
        return None
    if planned.traffic not in policy.profiles:
        raise MailsealError(f"{policy.id} has no profile {planned.traffic}")
    return policy.profiles[planned.traffic]


def covered(
    target: Target | DomainTarget, endpoints: Container[Endpoint], hosts: Container[str]
) -> bool:
    """Whether all that a check is about was looked at; of mail domains nobody else can tell."""
    match target:
        case PlannedHost(host=host):
            return host in hosts
        case PlannedEndpoint(endpoint=endpoint):
            return endpoint in endpoints
        case PlannedGroup(endpoints=members):
            return all(endpoint in endpoints for endpoint in members)
        case _:
            return False


def host_of(target: Target) -> str:
    """Return the host that a check is about; of a group, that of the first."""
    match target:
        case PlannedHost(host=host):
            return host
        case PlannedEndpoint(endpoint=endpoint):
            return endpoint.host
        case PlannedGroup(endpoints=endpoints):
            return endpoints[0].host
