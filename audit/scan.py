"""A scan: any server, no inventory, no root.

The server is asked as soon as it is known what to ask. What judges and reports takes longer to load
than a near server to answer, so that is done meanwhile.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from audit.ahead import Ahead
from audit.expect import expectation
from audit.facts import Endpoint
from audit.findings import Run, timestamp
from audit.judge.case import ClusterCase, EndpointCase, PlannedEndpoint
from audit.judge.groups import groups
from audit.measures import joined, named
from audit.policy.model import Policy, Profile, Traffic
from audit.policy.shadow import aim
from audit.probe.address import PACES
from audit.probe.calibration import calibrate
from audit.probe.plan import Task, foresee
from audit.probe.run import probe_all
from audit.targets import Options, Target, plan, traffic

if TYPE_CHECKING:
    from audit.domains import Domains
    from audit.no_domains import NoDomains


class _Measured(Struct, frozen=True):
    """One endpoint by one policy."""

    target: PlannedEndpoint
    policy: Policy
    kind: Traffic

    @property
    def rules(self) -> Profile:
        """The profile that it is judged by."""
        return self.policy.profiles[self.kind]

    @property
    def ahead(self) -> Profile | None:
        """The one that a shadow leads to."""
        new = aim(self.policy)
        return new.profiles[self.kind] if new else None


def scan(
    targets: Sequence[Target],
    options: Options,
    step: Callable[[str], None] = lambda _: None,
) -> Run:
    """Look at the targets once, and judge what was seen by each policy.

    Raises:
        MailsealError: a host name does not resolve, no mail port answers, or the prober is blind.
    """
    now = datetime.now(tz=UTC)
    calibration = Ahead(calibrate)  # beside the rest, but nothing is said before it has passed
    planned = {p.endpoint: p for target in targets for p in plan(target, options)}
    domains = _domains(options)
    planned |= {p.endpoint: p for p in domains.endpoints()}
    measured = [
        _Measured(target, policy, traffic(target.endpoint, options, policy))
        for policy in options.policies
        for target in planned.values()
    ]
    first = {one.target.endpoint: one.rules for one in reversed(measured)}

    def task(endpoint: Endpoint) -> Task:
        expected = expectation(first[endpoint], now.date())
        return Task(expected, verify=options.expect, quick=options.quick, kinds=domains.kinds)

    if options.say:
        for endpoint in planned:
            options.say(f"{endpoint}: {foresee(endpoint, task(endpoint)).connections} connections")
    looking = Ahead(
        lambda: probe_all(
            planned,
            task,
            manners=PACES[options.pace],
            done=lambda facts: step(str(facts.endpoint)),
        )
    )
    # Takes longer to load than a near server to answer.
    from audit.judge import bench, identity, path  # noqa: F401

    checks = [
        (check, one)
        for one in measured
        for check in bench.plan_endpoint(
            one.target, one.rules, one.policy.id, quick=options.quick, ahead=one.ahead
        )
    ]
    compared = [
        (check, group)
        for group in groups(planned.values())
        for check in bench.plan_group(group, options.policies[0].id)
    ]
    roots = options.roots()
    calibration.result()
    seen = looking.result()
    facts = {f.endpoint: f for f in seen}
    domains.see(seen)

    def case(one: _Measured, rules: Profile) -> EndpointCase:
        at = one.target.endpoint
        return EndpointCase(one.target, facts[at], rules, now, roots, pinned=domains.pinned(at))

    def aimed(one: _Measured) -> bench.Aim | None:
        new = aim(one.policy)
        return bench.Aim(new.id, case(one, new.profiles[one.kind])) if new else None

    findings = [domains.judged(check, now, roots) for check in domains.checks]
    findings += [bench.judge(check, case(one, one.rules), aimed(one)) for check, one in checks]
    findings += [
        bench.judge(check, ClusterCase(group, tuple(facts[e] for e in group.endpoints)))
        for check, group in compared
    ]
    return Run(
        run=f"{now:%Y%m%dT%H%M%SZ}",
        started=timestamp(now),
        finished=timestamp(datetime.now(tz=UTC)),
        policy=joined(options.policies),
        planned=len(checks) + len(compared) + len(domains.checks),
        findings=tuple(domains.ordered(findings)),
        endpoints=tuple(seen),
        domains=tuple(domains.facts),
        policies=tuple(named(p) for p in options.policies),
    )


def _domains(options: Options) -> "Domains | NoDomains":
    """Those that are asked for; what asks for them is loaded only then."""
    if options.domains:
        from audit.domains import asked

        return asked(options)
    from audit.no_domains import NoDomains

    return NoDomains()
