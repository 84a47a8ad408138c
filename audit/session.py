"""One audit: what is planned, what was seen, what it means."""

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec.structs import replace

from audit import control, mail_domains, waivers
from audit.expect import expectation
from audit.facts import Endpoint, EndpointFacts, HostFacts
from audit.findings import Finding, Run, Waiver, timestamp
from audit.host_case import host_case
from audit.inspect.run import inspect_all
from audit.inventory import Host
from audit.judge import shadow
from audit.judge.bench import Aim, Case, DomainTarget, Planned, Target, judge
from audit.judge.case import (
    ClusterCase,
    EndpointCase,
    HostCase,
    PlannedEndpoint,
    PlannedGroup,
    PlannedHost,
)
from audit.judge.catalogue import CATALOGUE
from audit.late import notice as lateness
from audit.measures import distinct, joined, load_all, named
from audit.no_domains import NoDomains
from audit.planning import covered, host_of, plan_all, profile_of
from audit.policy.model import Policy
from audit.policy.shadow import aim
from audit.probe.address import PACES, Pace
from audit.probe.calibration import calibrate
from audit.probe.plan import Task, foresee
from audit.probe.run import knock_all, probe_all

if TYPE_CHECKING:
    from audit.domains import Domains


@dataclass
class Audit:
    """The audit of some hosts of an inventory.

    Attributes:
        inventory: the path that Ansible reads.
        hosts: the hosts to audit.
        policies: the measures for all of them, instead of the one each was rolled out with; the
            first decides how suites are offered.
        pace: how much a server is asked at once.
        whole: whether the hosts are all that the inventory has.
        now: the moment of judgement.
        until: the moment by time.monotonic() after which nothing more is looked at.
        late: whether that came before everything was looked at.
    """

    inventory: str
    hosts: list[Host]
    policies: Sequence[str] = ()
    pace: Pace = "normal"
    whole: bool = True
    now: datetime = field(default_factory=lambda: datetime.now(tz=UTC))
    until: float = math.inf
    late: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        """Plan everything before anything is touched."""
        self._hosts = {host.name: host for host in self.hosts}
        wanted = {host.name: self.policies or (host.measure,) for host in self.hosts}
        known = load_all(name for names in wanted.values() for name in names)
        self._policies = {h: distinct(known[n] for n in names) for h, names in wanted.items()}
        self._endpoints: dict[Endpoint, EndpointFacts] = {}
        self._inside: dict[str, HostFacts] = {}
        self._findings: dict[Planned, Finding] = {}
        self._lock = threading.Lock()
        self._roots = {host.name: control.roots_of(host) for host in self.hosts}
        self._manifests = {host.name: control.manifest_of(host) for host in self.hosts}
        for host in self.hosts:
            place = f"host {host.name}: mailseal_waivers"
            waivers.checked(host.waivers, CATALOGUE, self.now.date(), place)
        self._alive: set[str] = set()
        self.plan = plan_all(self.hosts, self._policies)
        self._domains: Domains | NoDomains = NoDomains()

    def judge_too(self, domains: "Domains | NoDomains") -> None:
        """Judge these mail domains in the same run."""
        self._domains = domains
        self.plan += domains.checks

    @property
    def id(self) -> str:
        """What the run is called; unique by time."""
        return f"{self.now:%Y%m%dT%H%M%SZ}"

    @property
    def measures(self) -> tuple[Policy, ...]:
        """Every policy that something is measured by."""
        return distinct(p for found in self._policies.values() for p in found)

    @property
    def steps(self) -> int:
        """How many endpoints and hosts there are to look at, for a progress bar."""
        asked, closed, inside = self._places()
        return len(asked) + len(closed) + len(inside)

    def connections(self) -> dict[Endpoint, int]:
        """How many each endpoint takes if it is as its policy foresees."""
        asked, _, _ = self._places()
        return {at: foresee(at, self._task(one)).connections for at, one in asked.items()}

    def _places(self) -> tuple[dict[Endpoint, PlannedEndpoint], list[Endpoint], list[str]]:
        """What is asked, what must not answer, and which hosts are looked into.

        Asked are also those servers of the mail domains that the inventory does not have.
        """
        planned = {p.target for p in self.plan}
        endpoints = [t for t in planned if isinstance(t, PlannedEndpoint)]
        serving = {t.endpoint: t for t in endpoints if t.traffic is not None}
        closed = [t.endpoint for t in endpoints if t.traffic is None]
        others = {t.endpoint: t for t in self._domains.others(serving)}
        return serving | others, closed, [t.host for t in planned if isinstance(t, PlannedHost)]

    def look(self, step: Callable[[str], None] = lambda _: None) -> None:
        """Prove that the prober sees, then look at every endpoint and every host.

        Raises:
            MailsealError: the calibration failed; nothing was looked at.
        """
        calibrate()
        asked, closed, inside = self._places()

        def seen(facts: EndpointFacts) -> None:
            self._endpoints[facts.endpoint] = facts
            if facts.answered:
                self._alive.add(facts.endpoint.address)
            step(str(facts.endpoint))

        def told(facts: HostFacts) -> None:
            self._inside[facts.host] = facts
            step(facts.host)

        # Beside each other: the network waits for the servers, the hosts for their shells.
        until = self.until
        how = {"until": until, "done": told}
        asking = threading.Thread(target=inspect_all, args=(inside, self.inventory), kwargs=how)
        asking.start()
        manners = replace(PACES[self.pace], until=until)
        probe_all(asked, lambda e: self._task(asked[e]), manners=manners, done=seen)
        knock_all(closed, until=until, done=seen)
        self._domains.see([self._endpoints[endpoint] for endpoint in asked])
        asking.join()
        self.late = time.monotonic() >= until

    def rejudged(self, run: Run) -> Run:
        """An earlier run by these measures; what it did not look at is left out."""
        seen = {_where(facts.endpoint): facts for facts in run.endpoints}
        planned = {p.target for p in self.plan}
        for endpoint in (t.endpoint for t in planned if isinstance(t, PlannedEndpoint)):
            if (facts := seen.get(_where(endpoint))) is not None:
                self._endpoints[endpoint] = replace(facts, endpoint=endpoint)
                if facts.answered:
                    self._alive.add(endpoint.address)
        self._inside = {facts.host: facts for facts in run.hosts}
        told = [p for p in self.plan if covered(p.target, self._endpoints, self._inside)]
        for one in told:
            self.finding(one)
        found = self.run()
        return replace(
            found, run=run.run, started=run.started, finished=run.finished, planned=len(told)
        )

    def _task(self, planned: PlannedEndpoint) -> Task:
        if not planned.demanded:  # a server of others: what its records are about, and no more
            return Task(quick=True, kinds=True)
        profile = profile_of(planned, self._policies[planned.endpoint.host][0])
        if profile is None:
            return Task()
        return Task(expectation(profile, self.now.date(), planned.key_types), verify=True)

    def finding(self, planned: Planned) -> Finding:
        """The finding of one check; `look` must have been called."""
        with self._lock:
            if planned not in self._findings:
                found, day = self._judged(planned), self.now.date()
                self._findings[planned] = waivers.waived(found, self._waivers(planned), day)
            return self._findings[planned]

    def _judged(self, planned: Planned) -> Finding:
        target = planned.target
        if isinstance(target, DomainTarget):
            roots = dict.fromkeys(
                r for host in self._owners(planned) for r in self._roots[host.name]
            )
            return self._domains.judged(planned, self.now, tuple(roots))
        policy = next(p for p in self._policies[host_of(target)] if p.id == planned.policy)
        new, case = aim(policy), self._case(target, policy)
        return judge(planned, case, Aim(new.id, self._case(target, new)) if new else None)

    def _owners(self, planned: Planned) -> list[Host]:
        """The hosts by whose part of the inventory it is judged."""
        if isinstance(planned.target, DomainTarget):
            return mail_domains.owners(self.hosts, planned.target.domains)
        return [self._hosts[host_of(planned.target)]]

    def _waivers(self, planned: Planned) -> list[Waiver]:
        return [waiver for host in self._owners(planned) for waiver in host.waivers]

    def _case(self, target: Target, policy: Policy) -> Case:
        if isinstance(target, PlannedHost):
            name = target.host
            blank = HostFacts(name, reached=False, errors=("it was not asked",))
            facts = self._inside.get(name) or blank
            said = HostCase(target, facts, self.now, manifest=self._manifests[name])
            return host_case(said, self._hosts[name], policy)
        if isinstance(target, PlannedGroup):
            return ClusterCase(target, tuple(self._endpoints[e] for e in target.endpoints))
        endpoint = target.endpoint
        return EndpointCase(
            target,
            self._endpoints[endpoint],
            profile_of(target, policy),
            self.now,
            self._roots[endpoint.host],
            alive=endpoint.address in self._alive,
        )

    def run(self) -> Run:
        """The run, with a finding for every check that was judged."""
        policies = self.measures
        findings = tuple(self._findings[p] for p in self.plan if p in self._findings)
        every = [waiver for host in self.hosts for waiver in host.waivers]
        judged = [(found, self._waivers(p)) for p, found in self._findings.items()]
        late = (lateness(self._endpoints.values(), self._inside.values()),) if self.late else ()
        return Run(
            run=self.id,
            started=timestamp(self.now),
            finished=timestamp(datetime.now(tz=UTC)),
            policy=joined(policies),
            planned=len(self.plan),
            findings=findings,
            endpoints=tuple(self._endpoints.values()),
            hosts=tuple(self._inside.values()),
            domains=tuple(self._domains.facts),
            policies=tuple(named(p) for p in policies),
            notices=(
                *late,
                *shadow.notices(self._policies, findings),
                *waivers.notices(every, judged, self.now.date(), whole=self.whole),
            ),
        )


def _where(e: Endpoint) -> tuple[str, str, int, str, str]:
    """What makes an endpoint the same in two runs."""
    return e.host, e.address, e.port, e.service, e.mode
