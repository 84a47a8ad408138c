"""The mail domains of a scan: their questions, their servers' endpoints, their findings."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from audit.domain.look import PORT, Look
from audit.domain.resolver import Resolver
from audit.domain.system import system
from audit.errors import MailsealError
from audit.facts import DomainFacts, Endpoint, EndpointFacts, MxFacts
from audit.findings import Finding
from audit.judge import dane
from audit.judge.case import PlannedEndpoint
from audit.judge.domain import PlannedCheck, judge, plan
from audit.judge.domain_case import DomainCase, MxCase, PlannedDomain, PlannedMx
from audit.targets import Options


class Domains:
    """All domains of one scan.

    Attributes:
        facts: what DNS and their policy hosts say.
        checks: what is planned on them.
    """

    def __init__(self, options: Options) -> None:
        """Ask for all of them.

        Raises:
            MailsealError: there is no resolver to ask, or no such domain.
        """
        self._look = Look(Resolver(options.nameservers or system()), options.roots)
        self.facts: Sequence[DomainFacts] = [self._look.at(name) for name in options.domains]
        for one in self.facts:
            if one.mx.outcome == "no-name" and one.mx.security != "bogus":
                raise MailsealError(f"{one.domain}: there is no such domain")
        self.checks: Sequence[PlannedCheck] = list(plan(self.facts, options.policies[0].id))
        self._seen: dict[tuple[str, str], EndpointFacts] = {}

    def endpoints(self) -> list[PlannedEndpoint]:
        """Port 25 of every address of every server."""
        return [
            PlannedEndpoint(
                Endpoint(host.host, address, PORT, "smtp", "starttls", host.host),
                "mx",
                demanded=False,
            )
            for host in self._hosts()
            for address in host.reverse
        ]

    def see(self, seen: Iterable[EndpointFacts]) -> None:
        """Take what the endpoints showed, and look up what they call themselves."""
        for one in seen:
            at = one.endpoint
            if (at.port, at.service, at.mode) == (PORT, "smtp", "starttls"):
                self._seen[at.host, at.address] = one
        self.facts = [self._look.greeted(one, self._seen) for one in self.facts]

    def pinned(self, at: Endpoint) -> bool:
        """Whether senders verify this endpoint by DANE-EE, and ask no authority."""
        seen = self._seen.get((at.host, at.address))
        if seen is None or seen.endpoint != at:
            return False
        return any(dane.pinned(host, seen) for host in self._hosts() if host.host == at.host)

    def findings(self, now: datetime, roots: tuple[bytes, ...]) -> list[Finding]:
        """What came of the checks; `see` must have been called."""
        domains = {one.domain: one for one in self.facts}
        hosts = {host.host: host for host in self._hosts()}

        def mx(planned: PlannedMx) -> MxCase:
            facts = hosts[planned.host]
            at = [planned.address] if planned.address else list(facts.reverse)
            seen = [self._seen[planned.host, a] for a in at if (planned.host, a) in self._seen]
            return MxCase(planned, facts, tuple(seen), now, roots)

        def domain(planned: PlannedDomain) -> DomainCase:
            facts = domains[planned.domain]
            cases = [mx(PlannedMx(h.host, domains=(facts.domain,))) for h in facts.hosts]
            return DomainCase(planned, facts, tuple(cases), now, roots)

        return [
            judge(c, mx(c.target) if isinstance(c.target, PlannedMx) else domain(c.target))
            for c in self.checks
        ]

    def ordered(self, findings: Iterable[Finding]) -> list[Finding]:
        """Each domain with its servers and their addresses; what is about none of them last."""
        places = dict.fromkeys(check.target.place[:2] for check in self.checks)
        rank = {place: number for number, place in enumerate(places)}
        return sorted(findings, key=lambda f: rank.get((f.host, f.address), len(rank)))

    def _hosts(self) -> list[MxFacts]:
        return [host for one in self.facts for host in one.hosts]
