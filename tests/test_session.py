"""An audit's plan and findings, without any network."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from audit.errors import MailsealError
from audit.facts import EndpointFacts, Reach
from audit.findings import PolicyId, Run, Waiver
from audit.inventory import EndpointRow, Host
from audit.judge.case import PlannedEndpoint
from audit.judge.catalogue import CATALOGUE
from audit.session import Audit
from tests.judge.factories import good_endpoint

HOST = Host(
    name="h",
    addresses=("192.0.2.1",),
    server_name="m.example",
    endpoints=(EndpointRow(143, "imap", "starttls", "access"),),
    daemon="cyrus",
)


def _audit(*policies: str, host: Host = HOST) -> Audit:
    return Audit("", [host], policies)


def test_without_a_word_a_host_is_judged_by_its_own_policy() -> None:
    """The one it was rolled out with."""
    plan = _audit(host=HOST).plan
    assert {p.policy for p in plan} == {"mailseal-2026"}


def test_each_policy_plans_all_checks_of_a_host_and_nothing_is_looked_at_twice() -> None:
    """Every test has a name of its own; the places to look at are the same."""
    one, two = _audit("mailseal-2026"), _audit("mailseal-2026", "ncsc-nl-2025")
    assert len({str(p) for p in two.plan}) == len(two.plan)
    assert one.steps == two.steps
    per = {
        name: [p for p in two.plan if p.policy == name]
        for name in ("mailseal-2026", "ncsc-nl-2025")
    }
    assert len(per["mailseal-2026"]) == len(one.plan)
    ours, theirs = ({p.check for p in per[name]} for name in per)
    # Endpoints are compared with each other once; each policy has wishes of its own.
    assert {c for c in ours ^ theirs if c.scope != "cluster"} == {
        CATALOGUE["MT-DH-SIZE"],  # NCSC knows DHE
        CATALOGUE["MT-RENEG-CLIENT"],  # and allows ten renegotiations
    }


def test_the_same_facts_are_judged_by_each_policy() -> None:
    """What is exactly ours is on phase-out for another; findings say by whom."""
    audit = _audit("mailseal-2026", "ncsc-nl-2025", "mailseal-2026")
    facts = good_endpoint().facts
    for planned in audit.plan:
        if isinstance(planned.target, PlannedEndpoint):
            at = planned.target.endpoint
            seen = facts if at.port == 143 else EndpointFacts(at, "refused")
            audit._endpoints[at] = replace(seen, endpoint=at)
    keys = [audit.finding(p) for p in audit.plan if p.check.id == "MT-CERT-KEY"]
    assert [(f.policy, f.verdict, f.level) for f in keys] == [
        ("mailseal-2026", "pass", "good"),
        ("ncsc-nl-2025", "pass", "phase-out"),
    ]
    for planned in audit.plan:
        audit.finding(planned)
    run = audit.run()
    assert run.executed == run.planned
    assert [p.id for p in run.policies] == ["mailseal-2026", "ncsc-nl-2025"]
    assert run.policy.id == "mailseal-2026, ncsc-nl-2025"


def test_a_host_in_shadow_is_judged_by_both_its_policies() -> None:
    """All checks of either are planned and made once; notices say what the shadow is about."""
    host = replace(HOST, enforcement="shadow", shadow_tail="univie-2015")
    audit, alone = _audit(host=host), _audit(host=HOST)
    assert {p.policy for p in audit.plan} == {"mailseal-2026+univie-2015"}
    assert {p.check.id for p in alone.plan} <= {p.check.id for p in audit.plan}
    assert len({str(p) for p in audit.plan}) == len(audit.plan)
    facts = good_endpoint().facts
    for planned in audit.plan:
        if isinstance(planned.target, PlannedEndpoint):
            at = planned.target.endpoint
            seen = facts if at.port == 143 else EndpointFacts(at, "refused")
            audit._endpoints[at] = replace(seen, endpoint=at)
    by_id = {f.check: f for p in audit.plan if (f := audit.finding(p)).port == 143}
    assert by_id["MT-TLS10"].verdict == "fail"  # it is not rolled out as it should be
    assert by_id["MT-EMS"].verdict == "pass"  # a wish of the new policy alone
    run = audit.run()
    assert run.executed == run.planned
    assert run.policy.id == "mailseal-2026+univie-2015"
    assert [n for n in run.notices if n.startswith("In shadow of univie-2015: h: 0 passed")]
    named = _audit("mailseal-2026+univie-2015")
    assert [str(p) for p in named.plan] == [str(p) for p in audit.plan]
    assert {p.policy for p in _audit("mailseal-2026", host=host).plan} == {"mailseal-2026"}


def test_a_policy_that_is_none_is_refused_before_anything_is_touched() -> None:
    """By its name."""
    with pytest.raises(MailsealError, match="no policy 'nosuch'"):
        _audit("mailseal-2026", "nosuch")


def _waiver(**more: Any) -> Waiver:
    fields = {"check": "MT-PORT-EXPECT", "reason": "r", "owner": "o", "expires": date(2026, 12, 1)}
    return Waiver(**{**fields, **more})


def test_a_waived_failure_is_no_failure_and_still_says_what_it_is() -> None:
    """On the named host and port only, and not beyond its day."""
    host = replace(HOST, waivers=(_waiver(ports=(143,)),))
    for day, verdicts in ((1, {"waived"}), (2, {"fail"})):
        audit = Audit("", [host], now=datetime(2026, 12, day, 12, tzinfo=UTC))
        for planned in audit.plan:
            if isinstance(planned.target, PlannedEndpoint):
                at = planned.target.endpoint
                audit._endpoints[at] = EndpointFacts(at, "refused")
        found = [audit.finding(p) for p in audit.plan]
        found = [f for f in found if (f.check, f.port) == ("MT-PORT-EXPECT", 143)]
        assert {f.verdict for f in found} == verdicts
        assert {f.waiver is not None for f in found} == {day == 1}
        notices = audit.run().notices
        assert len(notices) == 1
        assert ("expires today" in notices[0]) == (day == 1)


def test_a_waiver_of_a_check_that_is_none_is_refused_before_anything_is_touched() -> None:
    """By host and variable."""
    with pytest.raises(MailsealError, match=r"^host h: mailseal_waivers: there is no check 'MT-X'"):
        _audit(host=replace(HOST, waivers=(_waiver(check="MT-X"),)))


@pytest.mark.parametrize(("data", "words"), [(None, "is not there"), ("{}", "is no manifest")])
def test_a_manifest_that_is_none_is_refused_before_anything_is_touched(
    tmp_path: Path, data: str | None, words: str
) -> None:
    """By host, variable and file."""
    path = tmp_path / "manifest.json"
    if data is not None:
        path.write_text(data)
    host = replace(HOST, library_manifest=str(path))
    with pytest.raises(MailsealError, match=words) as caught:
        _audit(host=host)
    assert str(caught.value).startswith(f"host h: mailseal_library_manifest: {path}: ")
    assert _audit(host=replace(host, daemon="")).plan  # no daemon, no library


def test_an_earlier_run_is_judged_by_other_measures() -> None:
    """What it looked at, and no more: a host that nobody asked has no findings."""
    audit = _audit("mailseal-2026")
    endpoint = next(
        p.target.endpoint
        for p in audit.plan
        if isinstance(p.target, PlannedEndpoint) and p.target.endpoint.port == 143
    )
    seen = replace(good_endpoint().facts, endpoint=replace(endpoint, name="another"))
    empty = _audit("univie-2015").rejudged(
        Run(
            run="x",
            started="then",
            finished="later",
            policy=PolicyId(id="", version=""),
            planned=0,
            findings=(),
        )
    )
    assert (empty.findings, empty.planned) == ((), 0)
    found = audit.rejudged(replace(empty, endpoints=(seen,)))
    assert found.executed == found.planned > 30
    assert {f.port for f in found.findings} == {143}
    assert {f.policy for f in found.findings} == {"mailseal-2026"}
    assert (found.run, found.started) == ("x", "then")
    (tls10,) = [f for f in found.findings if f.check == "MT-TLS10"]
    assert tls10.verdict == "pass"
    by_old = _audit("univie-2015").rejudged(replace(empty, endpoints=(seen,)))
    (tls10,) = [f for f in by_old.findings if f.check == "MT-TLS10"]
    assert tls10.verdict == "fail"


@pytest.mark.parametrize(("reach", "alive"), [("refused", True), ("not-asked", False)])
def test_what_was_not_asked_then_is_no_sign_of_life(reach: Reach, alive: bool) -> None:
    """Of an earlier run that had no time left; a refusal is one."""
    audit = _audit("mailseal-2026")
    ends = {p.target.endpoint for p in audit.plan if isinstance(p.target, PlannedEndpoint)}
    empty = _audit("univie-2015").run()
    audit.rejudged(replace(empty, endpoints=tuple(EndpointFacts(e, reach) for e in ends)))
    assert bool(audit._alive) is alive
