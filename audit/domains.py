"""Mail domains of a run: their questions, their servers' endpoints, their findings."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address

from audit.domain.look import PORT, Look
from audit.domain.resolver import Resolver
from audit.domain.system import system
from audit.errors import MailsealError
from audit.facts import DomainFacts, Endpoint, EndpointFacts, MxFacts
from audit.findings import Finding
from audit.judge import dane
from audit.judge.bench import Planned
from audit.judge.case import PlannedEndpoint
from audit.judge.domain import Part, judge, of_part, plan
from audit.judge.domain_case import DomainCase, MxCase, PlannedDomain, PlannedMx
from audit.targets import Options

# A name and an address of it, on port 25.
Key = tuple[str, IPv4Address | IPv6Address]


class Domains:
    """The domains of one run.

    Attributes:
        kinds: their records name keys, so the certificate of each kind of key is wanted.
        facts: what DNS and their policy hosts say.
        checks: what is planned on them.
    """

    kinds = True

    def __init__(
        self, names: Iterable[str], look: Look, policy: str, part: Part | None = None
    ) -> None:
        """Ask for all of them.

        Args:
            names: theirs, as A-labels.
            look: asks.
            policy: the id that findings have for their measure.
            part: only checks of what these serve; None for all.
        """
        self._look = look
        self.facts: Sequence[DomainFacts] = [look.at(name) for name in names]
        checks = plan(self.facts, policy)
        self.checks: Sequence[Planned] = list(of_part(checks, self.facts, part) if part else checks)
        self._seen: dict[Key, EndpointFacts] = {}

    def endpoints(self) -> list[PlannedEndpoint]:
        """Port 25 of every address that a check is about."""
        targets = dict.fromkeys(c.target for c in self.checks if isinstance(c.target, PlannedMx))
        return [
            PlannedEndpoint(
                Endpoint(one.host, one.address, PORT, "smtp", "starttls", one.host),
                "mx",
                demanded=False,
            )
            for one in targets
            if one.address
        ]

    def others(self, known: Iterable[Endpoint]) -> list[PlannedEndpoint]:
        """Those of `endpoints` that none of the known ones is."""
        there = {_key(at) for at in known}
        return [one for one in self.endpoints() if _key(one.endpoint) not in there]

    def see(self, seen: Iterable[EndpointFacts]) -> None:
        """Take what the endpoints showed, and look up what they call themselves."""
        self._seen = {key: one for one in seen if (key := _key(one.endpoint))}
        at = [one.endpoint for one in self.endpoints()]
        shown = {(e.host, e.address): self._seen[k] for e in at if (k := _key(e)) in self._seen}
        self.facts = [self._look.greeted(one, shown) for one in self.facts]

    def pinned(self, at: Endpoint) -> bool:
        """Whether senders verify this endpoint by DANE-EE, and ask no authority."""
        key = _key(at)
        if key is None or (seen := self._seen.get(key)) is None:
            return False
        return any(dane.pinned(host, seen) for host in self._hosts() if host.host == key[0])

    def judged(self, planned: Planned, now: datetime, roots: tuple[bytes, ...]) -> Finding:
        """What came of one check; `see` must have been called."""
        hosts = {host.host: host for host in self._hosts()}

        def mx(target: PlannedMx) -> MxCase:
            facts = hosts[target.host]
            at = [target.address] if target.address else list(facts.reverse)
            keys = [(target.host, ip_address(address)) for address in at]
            seen = [self._seen[key] for key in keys if key in self._seen]
            return MxCase(target, facts, tuple(seen), now, roots)

        if isinstance(planned.target, PlannedMx):
            return judge(planned, mx(planned.target))
        assert isinstance(planned.target, PlannedDomain)  # noqa: S101 - it is one of ours
        (facts,) = (one for one in self.facts if one.domain == planned.target.domain)
        cases = [mx(PlannedMx(h.host, domains=(facts.domain,))) for h in facts.hosts]
        return judge(planned, DomainCase(planned.target, facts, tuple(cases), now, roots))

    def ordered(self, findings: Iterable[Finding]) -> list[Finding]:
        """Each domain with its servers and their addresses; what is about none of them last."""
        places = dict.fromkeys(check.target.place[:2] for check in self.checks)
        rank = {place: number for number, place in enumerate(places)}
        return sorted(findings, key=lambda f: rank.get((f.host, f.address), len(rank)))

    def _hosts(self) -> list[MxFacts]:
        return [host for one in self.facts for host in one.hosts]


def _key(at: Endpoint) -> Key | None:
    """What a server that takes mail is found by, whatever it is called; None of others."""
    if (at.port, at.service, at.mode) != (PORT, "smtp", "starttls"):
        return None
    return at.name.lower().removesuffix("."), ip_address(at.address)


def asked(options: Options) -> Domains:
    """Those that a scan is asked for.

    Raises:
        MailsealError: there is no resolver to ask, or no such domain.
    """
    look = Look(Resolver(options.nameservers or system("--resolver")), options.roots)
    found = Domains(options.domains, look, options.policies[0].id)
    for one in found.facts:
        if one.mx.outcome == "no-name" and one.mx.security != "bogus":
            raise MailsealError(f"{one.domain}: there is no such domain")
    return found
