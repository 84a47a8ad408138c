"""Which checks are made, who judges each, and the finding that comes of it."""

from collections.abc import Iterator

from msgspec import Struct

from audit.findings import UNTESTED, Finding
from audit.judge import (
    certificate,
    cluster,
    extensions,
    host,
    library,
    package,
    protocol,
    starttls,
    strength,
    support,
    transport,
)
from audit.judge.case import (
    ClusterCase,
    EndpointCase,
    HostCase,
    Judgement,
    Place,
    PlannedEndpoint,
    PlannedGroup,
    PlannedHost,
)
from audit.judge.catalogue import CATALOGUE, Check
from audit.judge.domain_case import PlannedDomain, PlannedMx
from audit.judge.shadow import shadowed
from audit.policy.model import Profile

ENDPOINT_JUDGES = (
    transport.JUDGES
    | starttls.JUDGES
    | protocol.JUDGES
    | extensions.JUDGES
    | certificate.JUDGES
    | strength.JUDGES
)
CLUSTER_JUDGES = cluster.JUDGES
HOST_JUDGES = library.JUDGES | package.JUDGES | support.JUDGES | host.JUDGES

Target = PlannedEndpoint | PlannedGroup | PlannedHost
DomainTarget = PlannedDomain | PlannedMx  # audit.judge.domain has the judges of these
Case = EndpointCase | ClusterCase | HostCase


class Aim(Struct, frozen=True):
    """What a shadow leads to.

    Attributes:
        policy: the id of the new policy.
        case: the same facts under it.
    """

    policy: str
    case: Case


class Planned(Struct, frozen=True):
    """One check somewhere: what must have a finding when the run is over.

    Attributes:
        check: the row of the catalogue.
        target: where.
        policy: the id of the measure.
    """

    check: Check
    target: Target | DomainTarget
    policy: str = ""

    def __str__(self) -> str:
        """The name of the test: imap1-10.80.0.31-993-MT-SSL3-mailseal-2026."""
        by = f"{self.check.id}-{self.policy}" if self.policy else self.check.id
        return f"{self.target.label}-{by}"


def plan_endpoint(
    target: PlannedEndpoint,
    profile: Profile | None,
    policy: str = "",
    *,
    quick: bool = False,
    ahead: Profile | None = None,
) -> Iterator[Planned]:
    """The checks that make sense on this endpoint, in the catalogue's order.

    Those of the profile that a shadow leads to, *ahead*, are made as well.
    """
    ruled = [profile] if ahead is None else [profile, ahead]
    for check in CATALOGUE.values():
        if quick and check.thorough:
            continue
        if check.scope == "endpoint" and any(_applies(check, target, rules) for rules in ruled):
            yield Planned(check, target, policy)


def plan_group(target: PlannedGroup, policy: str = "") -> Iterator[Planned]:
    """The checks that compare these endpoints."""
    yield from (Planned(c, target, policy) for c in CATALOGUE.values() if c.groups == target.kind)


def plan_host(target: PlannedHost, policy: str = "") -> Iterator[Planned]:
    """The checks that are made inside this host."""
    yield from (Planned(c, target, policy) for c in CATALOGUE.values() if c.scope == "host")


def _applies(check: Check, target: PlannedEndpoint, profile: Profile | None) -> bool:
    at = target.endpoint
    if profile is None:
        return check.id == "MT-PORT-EXPECT"
    return (
        (not check.before_tls or at.mode == "starttls")
        and (not check.required_only or profile.tls == "required")
        and (not check.services or at.service in check.services)
        and (check.rule is None or getattr(profile, check.rule[0]) == check.rule[1])
        and (not check.dhe_only or profile.dh_bits is not None)
    )


def judge(planned: Planned, case: Case, aim: Aim | None = None) -> Finding:
    """The finding of one planned check; in shadow it also says what it would be without."""
    check = planned.check
    if aim is None:
        judgement = _judgement(check, case)
    else:
        now, then = (_judgement(check, c) if _made(check, c) else None for c in (case, aim.case))
        judgement = shadowed(now, then, aim.policy)
    return finding(check, judgement, planned.target.place, planned.policy)


def finding(check: Check, judgement: Judgement, where: Place, policy: str) -> Finding:
    """What a judgement is to the reports."""
    host, address, port, service = where
    return Finding(
        check=check.id,
        host=host,
        address=address,
        port=port,
        service=service,
        verdict=judgement.verdict,
        severity=check.severity,
        observed=judgement.observed,
        expected=judgement.expected,
        evidence=judgement.evidence,
        item=judgement.item,
        level=judgement.level,
        policy=policy,
    )


def _made(check: Check, case: Case) -> bool:
    return not isinstance(case, EndpointCase) or _applies(check, case.planned, case.profile)


def _judgement(check: Check, case: Case) -> Judgement:
    match case:
        case HostCase():
            return HOST_JUDGES[check.id](case)
        case ClusterCase():
            return CLUSTER_JUDGES[check.id](case)
        case EndpointCase():
            return _judge_endpoint(check, case)


def _judge_endpoint(check: Check, case: EndpointCase) -> Judgement:
    if case.facts.reach != "open" and not check.closed_too:
        why = "; ".join(case.facts.errors)
        return Judgement("inconclusive", UNTESTED, "an endpoint that answers", why)
    if case.pinned and check.by_authority:
        return Judgement(
            "not-applicable", "DANE-EE records vouch for its keys", "what senders verify"
        )
    return ENDPOINT_JUDGES[check.id](case)
