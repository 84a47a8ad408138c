"""A run of the history as what there is now, where it knows more than this edition."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from audit import runner
from audit.findings import Run
from audit.prospect.deployment import Deployment
from audit.staging import flow
from audit.staging.order import Baseline, Order
from audit.staging.sides import Side, variables
from tests.prospect.prospect_factories import IMAPS, NEW, run, shown
from tests.staging.staging_factories import inventory_of


@pytest.fixture
def order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Run], Order]:
    """To stage our policy on one host that takes it, from a run whose inventory is gone."""
    after = run(NEW, [shown(NEW, "imap1", IMAPS)])
    monkeypatch.setattr(flow, "roll_out", lambda *_, **__: Deployment(hosts=("imap1",)))
    monkeypatch.setattr(runner, "run", lambda _: after)
    side = Side(inventory_of(tmp_path / "staging"), variables=variables(NEW, ()))
    gone = str(tmp_path / "gone")
    return lambda before: Order(
        now=side, candidate=side, baseline=Baseline(run=before, inventory=gone)
    )


def test_a_run_of_a_later_edition_is_not_judged(
    order: Callable[[Run], Order], tmp_path: Path
) -> None:
    """Where its inventory is still there as well."""
    seen = shown(NEW, "imap1", IMAPS)
    new = {v: ("NEW", *names) for v, names in seen.suites.items()}
    was = run(NEW, [replace(seen, suites=new)])
    there = Baseline(run=was, inventory=str(tmp_path / "staging"))
    staged = flow.stage(replace(order(was), baseline=there)).staged
    assert staged.outcome == "undetermined"
    assert staged.changes == ()
    assert "this edition does not know: its findings are not compared" in staged.notices[0]


def test_suites_and_groups_that_nobody_knows_here_end_in_a_sentence(
    order: Callable[[Run], Order],
) -> None:
    """Whom they may have served is not told; a traceback would be exit code 1."""
    seen = shown(NEW, "mail7", IMAPS)
    more = {"suites": seen.suites, "groups": seen.groups}
    new = {part: {v: ("NEW", *names) for v, names in had.items()} for part, had in more.items()}
    assert flow.stage(order(run(NEW, [seen]))).staged.exit_code == 0
    staged = flow.stage(order(run(NEW, [replace(seen, **new)]))).staged
    assert (staged.outcome, staged.exit_code) == ("undetermined", 3)
    assert "could not be told: " in staged.reasons[0]
    before = {turn.before.why for turn in staged.turns if turn.kind == "unknown"}
    assert before == {"it has NEW, NEW, which this edition does not know"}
