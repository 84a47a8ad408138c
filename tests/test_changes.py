"""What differs between two runs."""

from msgspec.structs import replace

from audit.changes import Kind, compare, exit_code
from audit.findings import Finding, PolicyId, Run, Verdict

BASE = Finding(
    check="MT-SSL3",
    host="mx1",
    address="192.0.2.1",
    port=25,
    service="smtp",
    verdict="pass",
    severity="high",
    observed="refused",
    expected="refused",
    policy="mailseal-2026",
)


def run(*findings: Finding) -> Run:
    """A run that found this."""
    return Run(
        run="20261128T030000Z",
        started="2026-11-28T03:00:00.000Z",
        finished="2026-11-28T03:01:00.000Z",
        policy=PolicyId(id="mailseal-2026", version="2026-01-01"),
        planned=len(findings),
        findings=findings,
    )


def kinds(before: Finding | None, after: Finding | None) -> list[Kind]:
    """How one check changed."""
    found = compare(run(*[before] if before else []), run(*[after] if after else []))
    return [change.kind for change in found]


def became(verdict: Verdict, observed: str = "refused") -> Finding:
    """The same check with another result."""
    return replace(BASE, verdict=verdict, observed=observed)


def test_what_is_as_it_was_is_no_change() -> None:
    """A failure that stays is none either."""
    assert kinds(BASE, BASE) == []
    assert kinds(became("fail"), became("fail")) == []


def test_each_way_to_differ_has_its_name() -> None:
    """A verdict, a missing check, another value."""
    assert kinds(BASE, became("fail")) == ["new"]
    assert kinds(BASE, became("inconclusive")) == ["new"]
    assert kinds(became("inconclusive"), became("fail")) == ["new"]
    assert kinds(became("waived"), became("fail")) == ["new"]
    assert kinds(None, became("fail")) == ["new"]
    assert kinds(None, BASE) == ["added"]
    assert kinds(None, became("waived")) == ["waived"]
    assert kinds(BASE, None) == ["lost"]
    assert kinds(became("fail"), None) == ["lost"]
    for verdict in ("fail", "inconclusive", "waived"):
        assert kinds(became(verdict), BASE) == ["fixed"]
    assert kinds(became("fail"), became("waived")) == ["waived"]
    assert kinds(BASE, became("not-applicable")) == ["changed"]
    assert kinds(BASE, became("pass", "accepted")) == ["changed"]
    assert kinds(became("fail"), became("fail", "accepted twice")) == ["changed"]


def test_another_place_or_measure_is_another_check() -> None:
    """Host, address, port, service, check and policy name it."""
    for other in (
        {"host": "mx2"},
        {"address": "192.0.2.2"},
        {"port": 587},
        {"service": "imap"},
        {"check": "MT-SSL2"},
        {"policy": "rfc9325"},
    ):
        assert kinds(BASE, replace(BASE, **other)) == ["added", "lost"]


def test_the_later_run_decides_the_order() -> None:
    """What is no longer made comes last."""
    one, two, three = (replace(BASE, host=name) for name in ("c", "a", "b"))
    found = compare(run(three), run(one, two))
    assert [change.finding.host for change in found] == ["c", "a", "b"]


def test_what_became_worse_decides_the_exit_code() -> None:
    """1 for a new failure or a lost check, 3 for doubt alone, 0 for whatever else changed."""
    for before, after, code in (
        (BASE, became("fail"), 1),
        (None, became("fail"), 1),
        (became("fail"), None, 1),
        (BASE, became("inconclusive"), 3),
        (became("fail"), became("waived"), 0),
        (became("fail"), BASE, 0),
        (None, BASE, 0),
        (became("fail"), became("fail", "accepted twice"), 0),
    ):
        found = compare(run(*[before] if before else []), run(*[after] if after else []))
        assert exit_code(found) == code, found
    doubtful, failing = (replace(BASE, host=h) for h in ("mx2", "mx3"))
    worse = run(replace(doubtful, verdict="inconclusive"), replace(failing, verdict="fail"))
    assert exit_code(compare(run(doubtful, failing), worse)) == 1
    assert exit_code(()) == 0
