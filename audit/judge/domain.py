"""Which checks are made on a mail domain, who judges each, and the finding that comes of it."""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address

from msgspec import Struct

from audit.facts import DomainFacts
from audit.findings import UNTESTED, Finding
from audit.judge import dane, dnssec, mail_exchange, mta_sts
from audit.judge.bench import DomainTarget, Planned, finding
from audit.judge.case import Judgement
from audit.judge.catalogue import CATALOGUE, Check
from audit.judge.catalogue.check import Scope
from audit.judge.domain_case import DomainCase, MxCase, PlannedDomain, PlannedMx

# These need to know who takes the mail; the others do not.
_ON_HOSTS = mta_sts.HOSTS_JUDGES | mail_exchange.HOSTS_JUDGES
DOMAIN_JUDGES = mail_exchange.JUDGES | dnssec.JUDGES | mta_sts.JUDGES | _ON_HOSTS
MX_JUDGES = mail_exchange.MX_JUDGES | dane.JUDGES
ADDRESS_JUDGES = mail_exchange.ADDRESS_JUDGES | dane.ADDRESS_JUDGES


def plan(facts: Iterable[DomainFacts], policy: str) -> Iterator[Planned]:
    """The checks, domain by domain; those of a server that several have are made once."""
    led: dict[str, dict[str, None]] = {}
    for one in facts:
        for host in one.hosts:
            led.setdefault(host.host, {})[one.domain] = None
    told: set[str] = set()
    for one in facts:
        yield from _checks("domain", PlannedDomain(one.domain), policy)
        for host in one.hosts:
            if host.host in told:
                continue
            told.add(host.host)
            domains = tuple(led[host.host])
            yield from _checks("mx", PlannedMx(host.host, domains=domains), policy)
            for address in host.reverse:
                yield from _checks("mx-address", PlannedMx(host.host, address, domains), policy)


class Part(Struct, frozen=True):
    """The servers of an audit that leaves others out.

    Attributes:
        names: theirs.
        addresses: theirs.
    """

    names: frozenset[str]
    addresses: frozenset[IPv4Address | IPv6Address]


def of_part(
    checks: Iterable[Planned], facts: Iterable[DomainFacts], part: Part
) -> Iterator[Planned]:
    """Those of the checks that are about what these servers show.

    Where nobody can tell which servers these are, the check that says so is one of them: a part
    that was not looked at is not fine.
    """
    domains = {one.domain: one for one in facts}
    hosts = {host.host: host for one in domains.values() for host in one.hosts}
    for planned in checks:
        match planned.target:
            case PlannedDomain(domain=domain):
                lost = planned.check.id == "MT-MX" and domains[domain].mx.outcome == "failed"
                mine = lost
            case PlannedMx(host=host, address=""):
                lost = any(answer.outcome == "failed" for answer in hosts[host].addresses)
                mine = planned.check.id == "MT-MX-NAME" and lost and host in part.names
            case PlannedMx(address=address):
                mine = planned.check.served and ip_address(address) in part.addresses
            case _:
                mine = False
        if mine:
            yield planned


def _checks(scope: Scope, target: DomainTarget, policy: str) -> Iterator[Planned]:
    yield from (Planned(c, target, policy) for c in CATALOGUE.values() if c.scope == scope)


def judge(planned: Planned, case: DomainCase | MxCase) -> Finding:
    """The finding of one planned check."""
    check, target = planned.check, planned.target
    return finding(check, _judgement(check, case), target.place, planned.policy)


def _judgement(check: Check, case: DomainCase | MxCase) -> Judgement:
    match case:
        case DomainCase():
            return _of_domain(check, case)
        case MxCase(planned=PlannedMx(address="")):
            return MX_JUDGES[check.id](case)
        case MxCase():
            return ADDRESS_JUDGES[check.id](case)


def _of_domain(check: Check, case: DomainCase) -> Judgement:
    facts, expected = case.facts, check.title
    if facts.null and check.id not in mail_exchange.JUDGES:
        return Judgement("not-applicable", "takes no mail (null MX)", expected)
    if check.id in _ON_HOSTS and not facts.hosts:
        if facts.mx.outcome == "failed":
            return Judgement("inconclusive", UNTESTED, expected, f"{facts.mx}: {facts.mx.why}")
        return Judgement("not-applicable", "there is no server to verify", expected)
    return DOMAIN_JUDGES[check.id](case)
