"""Failures that others report, set beside what our own audit saw of the same host. Pure.

Not every check that could have seen the same was made: what was not looked at is never fine.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from audit.findings import Finding, Run
from audit.tlsrpt.document import (
    AuditDocument,
    BesideDocument,
    DomainDocument,
    FailureDocument,
    OrganizationDocument,
    SeenDocument,
    Sight,
    TlsReportsDocument,
)
from audit.tlsrpt.results import meaning

_SMTP = 25
_FOUND = ("fail", "waived")  # a failure that was accepted is there all the same

Places = Mapping[str, list[Finding]]  # by the name of a host, or an address


def beside(found: TlsReportsDocument, run: Run) -> TlsReportsDocument:
    """The same, with what the audit says of each failure."""
    places = _places(run)
    return replace(
        found,
        audit=AuditDocument(run.run, run.started),
        domains=[_domain(one, places) for one in found.domains],
    )


def _domain(domain: DomainDocument, places: Places) -> DomainDocument:
    organizations = [_organization(one, domain.domain, places) for one in domain.organizations]
    return replace(domain, organizations=organizations)


def _organization(one: OrganizationDocument, domain: str, places: Places) -> OrganizationDocument:
    failures = [replace(row, beside=_beside(row, domain, places)) for row in one.failures]
    return replace(one, failures=failures)


def _beside(failure: FailureDocument, domain: str, places: Places) -> BesideDocument:
    """What checks of the same thing say of the host, its addresses, or the domain."""
    checks = meaning(failure.result).checks
    names = [failure.host, *failure.receiving, domain]
    about = {id(finding): finding for name in names if name for finding in places.get(name, ())}
    mine = [one for one in about.values() if one.check in checks]
    seen = [_seen(one) for one in mine if one.verdict in _FOUND]
    return BesideDocument("the same" if seen else _without(checks, mine), seen)


def _without(checks: tuple[str, ...], mine: list[Finding]) -> Sight:
    """What it means that no check failed; the first of them is the one that would have."""
    made = any(one.check == checks[0] and one.verdict == "pass" for one in mine)
    unsure = any(one.verdict == "inconclusive" for one in mine)
    return "nothing wrong" if made and not unsure else "did not look"


def _places(run: Run) -> Places:
    """Findings about mail from other servers, by every name and address of where they are."""
    names: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for facts in run.endpoints:
        endpoint = facts.endpoint
        names[endpoint.host, endpoint.address] |= {endpoint.name} - {""}
    found: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in run.findings:
        if finding.port in (0, _SMTP):
            for name in _names(finding, names):
                found[name].append(finding)
    return found


def _names(finding: Finding, names: Mapping[tuple[str, str], set[str]]) -> Iterable[str]:
    own = names.get((finding.host, finding.address), set())
    return {one.lower().removesuffix(".") for one in (finding.host, finding.address, *own) if one}


def _seen(finding: Finding) -> SeenDocument:
    at = f"{finding.host} [{finding.address}]:{finding.port}" if finding.port else finding.host
    return SeenDocument(finding.check, finding.verdict, at, finding.observed)
