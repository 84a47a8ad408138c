"""A scan: any server, no inventory, no root.

The server is asked as soon as it is known what to ask. What judges and reports takes longer to load
than a near server to answer, so that is done meanwhile.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

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
    measured = [
        (target, policy, traffic(target.endpoint, options, policy))
        for policy in options.policies
        for target in planned.values()
    ]
    first = {t.endpoint: policy.profiles[kind] for t, policy, kind in reversed(measured)}

    def task(endpoint: Endpoint) -> Task:
        expected = expectation(first[endpoint], now.date())
        return Task(expected, verify=options.expect, quick=options.quick)

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
        (check, rules, new)
        for target, policy, kind in measured
        for rules, new in [(policy.profiles[kind], _aim(policy, kind))]
        for check in bench.plan_endpoint(
            target, rules, policy.id, quick=options.quick, ahead=new and new[1]
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

    def case(target: PlannedEndpoint, rules: Profile) -> EndpointCase:
        return EndpointCase(target, facts[target.endpoint], rules, now, roots)

    findings = [
        bench.judge(check, case(target, rules), new and bench.Aim(new[0], case(target, new[1])))
        for check, rules, new in checks
        if isinstance(target := check.target, PlannedEndpoint)
    ]
    findings += [
        bench.judge(check, ClusterCase(group, tuple(facts[e] for e in group.endpoints)))
        for check, group in compared
    ]
    return Run(
        run=f"{now:%Y%m%dT%H%M%SZ}",
        started=timestamp(now),
        finished=timestamp(datetime.now(tz=UTC)),
        policy=joined(options.policies),
        planned=len(checks) + len(compared),
        findings=tuple(findings),
        endpoints=tuple(seen),
        policies=tuple(named(p) for p in options.policies),
    )


def _aim(policy: Policy, kind: Traffic) -> tuple[str, Profile] | None:
    """The policy that a shadow leads to, by its id, and its rules."""
    new = aim(policy)
    return (new.id, new.profiles[kind]) if new else None
