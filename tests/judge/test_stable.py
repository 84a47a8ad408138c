"""An unchanged cluster is observed in the same words every night."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from audit.changes import compare
from audit.facts import EndpointFacts, Observation, Process
from audit.findings import Finding, PolicyId, Run
from audit.judge.bench import Planned, judge, plan_endpoint, plan_group, plan_host
from audit.judge.case import ClusterCase, EndpointCase, HostCase, PlannedGroup
from audit.judge.catalogue import CATALOGUE
from tests.judge.domain_factories import FACTS, SIGNED, domain_case
from tests.judge.domain_factories import finding as domain_finding
from tests.judge.factories import (
    CHAINS,
    EC_KEY,
    MANIFEST,
    NOW,
    OWN,
    chain,
    changed,
    good_endpoint,
    good_host,
    own_library,
)

NIGHTS = 1, 9  # days on which the same is looked at again
LIBSSL, LIBCRYPTO = f"{OWN}/lib/libssl.so.3", f"{OWN}/lib/libcrypto.so.3"

ENDING = (chain(EC_KEY, days=(-80, 5)), *CHAINS[1:])
LOST = Observation("inconclusive", "nothing came within 5.0 s")
ENDPOINTS = {
    "good": good_endpoint(),
    "a certificate that ends soon": changed(good_endpoint(), chains=ENDING),
    "nothing more to be told": changed(
        good_endpoint(), rest=dict.fromkeys(good_endpoint().facts.rest, LOST)
    ),
    "closed": changed(good_endpoint(), reach="refused", errors=("connection refused",)),
}


def _host(case: HostCase, *processes: Process) -> HostCase:
    return replace(case, facts=replace(case.facts, processes=processes))


def _children(case: HostCase, **facts: object) -> tuple[Process, ...]:
    first, *others = case.facts.processes
    return (*(replace(first, pid=n, **facts) for n in (412, 97, 1033)), *others)


GOOD, OURS = good_host(), own_library()
HOSTS = {
    "good": GOOD,
    "on exim": good_host("exim"),
    "many processes": _host(GOOD, *_children(GOOD)),
    "older than its files": _host(GOOD, *_children(GOOD, started=1.0)),
    "on a replaced library": _host(
        GOOD, *_children(GOOD, libraries=dict.fromkeys(GOOD.facts.processes[0].libraries, True))
    ),
    "on another library": _host(GOOD, *_children(GOOD, libraries={"/opt/x/libssl.so.3": False})),
    "without a library": _host(GOOD, *_children(GOOD, libraries={"/opt/x/libz.so": False})),
    "with other bytes": _host(OURS, *_children(OURS, digests={LIBSSL: "00" * 32})),
    "with bytes not read": _host(OURS, *_children(OURS, digests={})),
    "without ours": replace(GOOD, manifest=MANIFEST),
    "compiled for another": replace(_host(OURS, *_children(OURS)), built="4.0.0"),
    "near the end of support": replace(GOOD, now=GOOD.now.replace(year=2028, month=5, day=1)),
    "of nobody's support": replace(
        _host(GOOD, *_children(GOOD, libraries={"/opt/x/libssl.so.3": False})),
    ),
}


def _run(findings: list[Finding]) -> Run:
    return Run(
        run="r",
        started="",
        finished="",
        policy=PolicyId(id="p", version=""),
        planned=len(findings),
        findings=tuple(findings),
    )


def _judged(case: EndpointCase | HostCase) -> Run:
    """Every check of an endpoint or a host."""
    if isinstance(case, HostCase):
        plan = plan_host(case.planned)
    else:
        plan = plan_endpoint(case.planned, case.profile)
    return _run([judge(planned, case) for planned in plan])


def _next_day(case: HostCase, days: int) -> HostCase:
    """The same host after a restart: other numbers, other times, another order."""
    processes = [
        replace(
            p,
            pid=p.pid + 1000 * days,
            started=p.started + 1800 * (p.started > 1.0),
            libraries=dict(reversed([*p.libraries.items()])),
            digests=dict(reversed([*p.digests.items()])),
        )
        for p in reversed(case.facts.processes)
    ]
    facts = replace(case.facts, processes=tuple(processes[:1] + processes))
    return replace(case, facts=facts, now=case.now + timedelta(days=days))


def _answered(facts: EndpointFacts) -> EndpointFacts:
    """The same server in another mood: its words of doubt differ."""
    rest = {
        v: replace(o, evidence="the connection was reset") if o.seen == "inconclusive" else o
        for v, o in facts.rest.items()
    }
    return replace(facts, rest=rest, seconds=facts.seconds + 1.5, errors=("reset by peer",))


@pytest.mark.parametrize("days", NIGHTS)
@pytest.mark.parametrize("name", HOSTS)
def test_a_host_that_was_not_touched_has_not_changed(name: str, days: int) -> None:
    """Whatever its processes are numbered and however many there are of them."""
    case = HOSTS[name]
    before, after = _judged(case), _judged(_next_day(case, days))
    assert before.executed > 5
    assert compare(before, after) == ()


@pytest.mark.parametrize("name", ENDPOINTS)
def test_an_endpoint_that_was_not_touched_has_not_changed(name: str) -> None:
    """Some hours later, with other words of doubt from a busy server."""
    case = ENDPOINTS[name]
    later = replace(case, facts=_answered(case.facts), now=case.now + timedelta(days=2))
    before, after = _judged(case), _judged(later)
    assert before.executed > 20
    assert compare(before, after) == ()


def test_a_domain_that_is_signed_every_day_has_not_changed() -> None:
    """Each night all its signatures are others."""

    def night(days: int) -> Run:
        fresh = replace(SIGNED, since=NOW + timedelta(days=days), until=NOW + timedelta(days + 14))
        facts = replace(FACTS, mx=replace(FACTS.mx, signed=fresh))
        case = replace(domain_case(facts), now=NOW + timedelta(days=days))
        names = [c.id for c in CATALOGUE.values() if c.scope == "domain"]
        return _run([domain_finding(name, case) for name in names])

    before, after = night(0), night(1)
    assert {f.check: f.verdict for f in before.findings}["MT-DNSSEC-EXPIRY"] == "pass"
    assert compare(before, after) == ()


def test_a_difference_between_nodes_is_told_in_one_order() -> None:
    """Whichever answer of an endpoint came first."""
    one, two = good_endpoint().facts, good_endpoint().facts
    two = replace(
        two,
        endpoint=replace(two.endpoint, host="h2"),
        preference=dict.fromkeys(two.preference, "client"),
        groups=dict.fromkeys(two.groups, ("P-256",)),
    )
    turned = replace(
        one,
        groups=dict(reversed([*one.groups.items()])),
        preference=dict(reversed([*one.preference.items()])),
    )
    group = PlannedGroup("nodes", "m.example", 143, "imap", (one.endpoint, two.endpoint))
    checks: list[Planned] = list(plan_group(group))
    runs = [
        _run([judge(c, ClusterCase(group, facts)) for c in checks])
        for facts in ((one, two), (turned, two), (replace(one, groups=two.groups), two))
    ]
    assert {f.verdict for f in runs[0].findings} == {"fail"}
    assert compare(runs[0], runs[1]) == ()
    assert compare(runs[0], runs[2]) != ()
