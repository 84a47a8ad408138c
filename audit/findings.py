"""A finding: one check on one endpoint or host, and its verdict."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from audit.facts import DomainFacts, EndpointFacts, HostFacts

Verdict = Literal["pass", "fail", "inconclusive", "not-applicable", "waived"]
# The level of the worst thing a check saw; empty where it is not about levels.
Reached = Literal["", "good", "sufficient", "phase-out", "insufficient"]
Severity = Literal["critical", "high", "medium", "low"]

# What is observed by every check of an endpoint that did not answer; reports show it once.
UNTESTED = "could not be tested"

COMPLIANT, FAILED, UNDETERMINED = 0, 1, 3

_Words = Annotated[str, Meta(min_length=1, pattern=r"\S")]


class Waiver(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of mailseal_waivers.

    Attributes:
        check: the id of the check.
        reason: why the failure is accepted.
        owner: who answers for it.
        expires: the last day that it holds.
        hosts: a shell pattern of inventory names.
        ports: the ports it is for; empty for all of them and for the host itself.
        ticket: where it was decided.
    """

    check: _Words
    reason: _Words
    owner: _Words
    expires: date
    hosts: _Words = "*"
    ports: tuple[Annotated[int, Meta(ge=1, le=65535)], ...] = ()
    ticket: str = ""

    def __str__(self) -> str:
        """MT-SSL3 on mx*, port 25."""
        ports = f", port {', '.join(map(str, self.ports))}" if self.ports else ""
        return f"{self.check} on {self.hosts}{ports}"

    @property
    def accepted(self) -> str:
        """Who accepted it, until when and why."""
        ticket = f" ({self.ticket})" if self.ticket else ""
        return f"until {self.expires} by {self.owner}: {self.reason}{ticket}"


class Finding(Struct, frozen=True, kw_only=True):
    """What one check found.

    Attributes:
        check: its id in the catalogue.
        host: inventory name, what was given on the command line, a mail domain, or the name in DNS
            of a server that takes its mail.
        address, port, service: the endpoint; empty, 0 and empty for a check of the host itself.
        verdict: "could not test" is inconclusive and never pass.
        severity: how much a failure matters.
        observed: what was seen, in words.
        expected: what the policy asks for, in words.
        evidence: the raw material behind `observed`.
        item: the item of the policy that was judged.
        level: the level reached, by the worst item seen; empty where the check knows none. What
            passes in shadow only is on phase-out.
        policy: the id of the policy that was the measure.
        waiver: who accepted a failure and until when; only of what is waived.
    """

    check: str
    host: str
    address: str
    port: int
    service: str
    verdict: Verdict
    severity: Severity
    observed: str
    expected: str
    evidence: str = ""
    item: str = ""
    level: Reached = ""
    policy: str = ""
    waiver: Waiver | None = None


class PolicyId(Struct, frozen=True, kw_only=True):
    """Which edition of which policy was the measure."""

    id: str
    version: str


class Run(Struct, frozen=True, kw_only=True):
    """One audit or scan.

    Attributes:
        run: its id, unique by time.
        started, finished: RFC 3339, UTC.
        policy: the measure; several in one if there were several.
        policies: the measures one by one, in the order they were named.
        notices: what has to be said beside the findings, a sentence each.
        planned: the number of checks that were to be made.
        findings: what came of them.
        endpoints, hosts, domains: the facts they rest on.
    """

    run: str
    started: str
    finished: str
    policy: PolicyId
    planned: int
    findings: tuple[Finding, ...]
    endpoints: tuple[EndpointFacts, ...] = ()
    hosts: tuple[HostFacts, ...] = ()
    domains: tuple[DomainFacts, ...] = ()
    policies: tuple[PolicyId, ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def executed(self) -> int:
        """The number of checks that were made."""
        return len(self.findings)


def timestamp(moment: datetime) -> str:
    """The moment in RFC 3339, to the millisecond; it must be in UTC."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def exit_code(findings: Iterable[Finding]) -> int:
    """0 compliant or waived, 1 at least one failure, 3 something could not be determined."""
    verdicts = {f.verdict for f in findings}
    if "fail" in verdicts:
        return FAILED
    return UNDETERMINED if "inconclusive" in verdicts or not verdicts else COMPLIANT
