"""One audit: what is planned, what was seen, what it means."""

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from msgspec.structs import replace

from audit import control, waivers
from audit.errors import MailsealError
from audit.expect import expectation
from audit.facts import Endpoint, EndpointFacts, HostFacts
from audit.findings import Finding, Run, timestamp
from audit.inspect.run import inspect_all
from audit.inventory import Host
from audit.judge import shadow
from audit.judge.bench import Aim, Case, Planned, judge
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
from audit.planning import covered, host_of, plan_all, profile_of
from audit.policy.compile import compile_policy
from audit.policy.compile.reported import compiled_for, target
from audit.policy.model import Policy
from audit.policy.shadow import aim
from audit.probe.address import PACES, Pace
from audit.probe.calibration import calibrate
from audit.probe.plan import Task, foresee
from audit.probe.run import knock_all, probe_all


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

    def _policy(self, planned: Planned) -> Policy:
        return next(p for p in self._policies[host_of(planned)] if p.id == planned.policy)

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
        return len({p.target for p in self.plan if not isinstance(p.target, PlannedGroup)})

    def connections(self) -> dict[Endpoint, int]:
        """How many each endpoint takes if it is as its policy foresees."""
        targets = {p.target for p in self.plan if isinstance(p.target, PlannedEndpoint)}
        serving = [t for t in targets if t.traffic is not None]
        return {t.endpoint: foresee(t.endpoint, self._task(t)).connections for t in serving}

    def look(self, step: Callable[[str], None] = lambda _: None) -> None:
        """Prove that the prober sees, then look at every endpoint and every host.

        Raises:
            MailsealError: the calibration failed; nothing was looked at.
        """
        calibrate()
        planned = {p.target for p in self.plan}
        endpoints = [t for t in planned if isinstance(t, PlannedEndpoint)]
        serving = {t.endpoint: t for t in endpoints if t.traffic is not None}
        closed = [t.endpoint for t in endpoints if t.traffic is None]
        inside = [t.host for t in planned if isinstance(t, PlannedHost)]

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
        asking = threading.Thread(
            target=inspect_all,
            args=(inside, self.inventory),
            kwargs={"until": until, "done": told},
        )
        asking.start()
        manners = replace(PACES[self.pace], until=until)
        probe_all(serving, lambda e: self._task(serving[e]), manners=manners, done=seen)
        knock_all(closed, until=until, done=seen)
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
        told = [p for p in self.plan if covered(p, self._endpoints, self._inside)]
        for one in told:
            self.finding(one)
        found = self.run()
        return replace(
            found, run=run.run, started=run.started, finished=run.finished, planned=len(told)
        )

    def _task(self, planned: PlannedEndpoint) -> Task:
        profile = profile_of(planned, self._policies[planned.endpoint.host][0])
        if profile is None:
            return Task()
        return Task(expectation(profile, self.now.date(), planned.key_types), verify=True)

    def finding(self, planned: Planned) -> Finding:
        """The finding of one check; `look` must have been called."""
        with self._lock:
            if planned not in self._findings:
                policy = self._policy(planned)
                new, case = aim(policy), self._case(planned, policy)
                ahead = Aim(new.id, self._case(planned, new)) if new else None
                self._findings[planned] = self._waived(planned, judge(planned, case, ahead))
            return self._findings[planned]

    def _waived(self, planned: Planned, found: Finding) -> Finding:
        waiver = waivers.waived_by(self._hosts[host_of(planned)].waivers, found, self.now.date())
        return replace(found, verdict="waived", waiver=waiver) if waiver else found

    def _case(self, planned: Planned, policy: Policy) -> Case:
        if isinstance(planned.target, PlannedHost):
            return self._host_case(planned.target, policy)
        if isinstance(planned.target, PlannedGroup):
            members = tuple(self._endpoints[e] for e in planned.target.endpoints)
            return ClusterCase(planned.target, members)
        endpoint = planned.target.endpoint
        facts = self._endpoints[endpoint]
        return EndpointCase(
            planned.target,
            facts,
            profile_of(planned.target, policy),
            self.now,
            self._roots[endpoint.host],
            alive=endpoint.address in self._alive,
        )

    def _host_case(self, planned: PlannedHost, policy: Policy) -> HostCase:
        facts = self._inside.get(planned.host) or HostFacts(
            planned.host, reached=False, errors=("it was not asked",)
        )
        host = self._hosts[planned.host]
        report = facts.reports.get(planned.daemon, "")
        ports = {row.port: row.profile for row in host.endpoints}
        implicit = tuple(row.port for row in host.endpoints if row.mode == "implicit")
        case = HostCase(
            planned,
            facts,
            self.now,
            built=compiled_for(report),
            manifest=self._manifests[host.name],
        )
        try:
            found = target(planned.daemon, report, ports, implicit)
        except MailsealError as error:
            return replace(case, obstacle=str(error))
        case = replace(case, kind=found.kind)
        try:
            return replace(case, compiled=compile_policy(policy, found, self.now.date()))
        except MailsealError as error:
            return replace(case, obstacle=str(error))

    def run(self) -> Run:
        """The run, with a finding for every check that was judged."""
        policies = self.measures
        findings = tuple(self._findings[p] for p in self.plan if p in self._findings)
        accepted = [waiver for host in self.hosts for waiver in host.waivers]
        today = self.now.date()
        seen = self._endpoints.values(), self._inside.values()
        late = (lateness(*seen),) if self.late else ()
        return Run(
            run=self.id,
            started=timestamp(self.now),
            finished=timestamp(datetime.now(tz=UTC)),
            policy=joined(policies),
            planned=len(self.plan),
            findings=findings,
            endpoints=tuple(self._endpoints.values()),
            hosts=tuple(self._inside.values()),
            policies=tuple(named(p) for p in policies),
            notices=(
                *late,
                *shadow.notices(self._policies, findings),
                *waivers.notices(accepted, findings, today, whole=self.whole),
            ),
        )


def _where(endpoint: Endpoint) -> tuple[str, str, int, str, str]:
    """What makes an endpoint the same in two runs."""
    e = endpoint
    return e.host, e.address, e.port, e.service, e.mode
