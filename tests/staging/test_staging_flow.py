"""What is deployed and audited in which order, and what is said of it in the end."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from audit import runner
from audit.errors import MailsealError
from audit.findings import Run
from audit.policy.load import BUILT_IN
from audit.prospect.deployment import Deployment
from audit.staging import flow
from audit.staging.order import Baseline, Order
from audit.staging.sides import Side, variables
from tests.prospect.prospect_factories import IMAP, IMAPS, NEW, OLD, SMTP, run, shown
from tests.staging.staging_factories import HOST, Cluster, inventory_of, order_of


def test_what_there_is_is_deployed_first_then_the_candidate(
    tmp_path: Path, cluster: Callable[..., Cluster]
) -> None:
    """Each is audited, and the wire of both decides."""
    there = cluster()
    seen = flow.stage(order_of(tmp_path))
    assert there.done == [
        f"deploy staging {OLD}", f"audit {OLD}", f"deploy staging {NEW}", f"audit {NEW}",
    ]  # fmt: skip
    assert seen.staged.outcome == "breaks"
    assert "tls10-ecdhe" in {t.client for t in seen.staged.lost}
    fixed = {c.finding.check for c in seen.staged.changes if c.kind == "fixed"}
    assert {"MT-TLS10", "MT-TLS13"} <= fixed  # the old state was judged by the candidate


def test_a_candidate_that_cannot_be_deployed_leaves_what_there_was(
    tmp_path: Path, cluster: Callable[..., Cluster]
) -> None:
    """The reason of the host, exit code 1, and what there was is deployed again."""
    there = cluster("d2")
    staged = flow.stage(order_of(tmp_path)).staged
    assert there.done[-1] == f"deploy staging {OLD}"
    assert (staged.outcome, staged.exit_code) == ("fails", 1)
    assert staged.reasons == ("the candidate could not be deployed on imap1: does not pass",)
    assert staged.notices == ("the staging cluster has again what there was",)


def test_if_that_fails_too_it_is_said(tmp_path: Path, cluster: Callable[..., Cluster]) -> None:
    """In capitals."""
    cluster("d2", "d3")
    (notice,) = flow.stage(order_of(tmp_path)).staged.notices
    assert notice.startswith("the staging cluster does NOT have again what there was: ")


def test_where_what_there_is_cannot_be_had_the_candidate_is_not_tried(
    tmp_path: Path, cluster: Callable[..., Cluster]
) -> None:
    """Nothing is known of it, and that is exit code 3."""
    there = cluster("d1")
    staged = flow.stage(order_of(tmp_path)).staged
    assert len(there.done) == 1
    assert (staged.outcome, staged.exit_code) == ("undetermined", 3)


def test_a_run_stands_for_what_there_is(tmp_path: Path, cluster: Callable[..., Cluster]) -> None:
    """Nothing of the old state is deployed; production's own hosts are compared port by port."""
    there = cluster()
    production = inventory_of(tmp_path / "production", "mail7")
    old = run(OLD, [shown(OLD, "mail7", IMAP), shown(OLD, "mail7", IMAPS)])
    baseline = Baseline(run=old, inventory=production)
    staged = flow.stage(order_of(tmp_path, baseline=baseline, production=production)).staged
    assert there.done == [f"deploy staging {NEW}", f"audit {NEW}", f"check production {NEW}"]
    assert "tls10-ecdhe" in {t.client for t in staged.lost}
    changes = {(c.kind, c.finding.host, c.finding.check) for c in staged.changes}
    assert ("fixed", "any host", "MT-TLS10") in changes
    assert staged.now.source == "run"


def test_a_run_whose_inventory_is_gone_is_compared_by_its_ports(
    tmp_path: Path, cluster: Callable[..., Cluster]
) -> None:
    """Clients and services are; its findings are not, and that is said."""
    cluster()
    old = run(OLD, [shown(OLD, "mail7", IMAP), shown(OLD, "mail7", IMAPS)])
    baseline = Baseline(run=old, inventory=str(tmp_path / "gone"))
    staged = flow.stage(order_of(tmp_path, baseline=baseline)).staged
    assert "tls10-ecdhe" in {t.client for t in staged.lost}
    assert staged.changes == ()
    assert "findings are not compared" in staged.notices[0]


def test_a_candidate_that_changes_nothing_is_said_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cluster: Callable[..., Cluster]
) -> None:
    """The same twice holds."""
    there = cluster()
    monkeypatch.setattr(
        flow,
        "roll_out",
        lambda *words, **more: replace(there.roll_out(*words, **more), changed=(), files=()),
    )
    order = order_of(tmp_path)
    staged = flow.stage(replace(order, now=order.candidate)).staged
    assert staged.exit_code == 0, staged.reasons
    assert "the candidate changes nothing on the staging cluster" in staged.notices


def test_a_deployment_that_nobody_saw_the_end_of_is_no_end_of_the_staging(
    tmp_path: Path, cluster: Callable[..., Cluster]
) -> None:
    """What there was is deployed again, and it is exit code 3."""
    there = cluster("lost2")
    staged = flow.stage(order_of(tmp_path)).staged
    assert there.done[-1] == f"deploy staging {OLD}"
    assert (staged.outcome, staged.exit_code) == ("undetermined", 3)
    assert staged.reasons[0].endswith("deployed: the deployment did not come to its end")
    assert staged.notices == ("the staging cluster has again what there was",)


@pytest.mark.parametrize(
    ("blind", "sentence"),
    [
        (OLD, "what there is now could not be audited: the prober is blind"),
        (NEW, "the candidate is deployed, and could not be judged: the prober is blind"),
    ],
)
def test_an_audit_that_cannot_be_made_is_told_with_what_was(
    tmp_path: Path, cluster: Callable[..., Cluster], blind: str, sentence: str
) -> None:
    """Not as an error that leaves nothing behind."""
    cluster().blind = blind
    seen = flow.stage(order_of(tmp_path))
    assert (seen.staged.exit_code, seen.staged.reasons) == (3, (sentence,))
    assert bool(seen.before) == (blind == NEW)
    assert bool(seen.staged.files) == (blind == NEW)


def test_what_a_deployment_writes_is_read_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cluster: Callable[..., Cluster]
) -> None:
    """The manifest of a library that is built by the way, and of the candidate's own."""
    there = cluster()
    manifest, deployed = tmp_path / "library.json", iter(("3.0.20", "3.0.22"))
    seen: list[str] = []

    def roll_out(*words: Any, **more: Any) -> Deployment:
        text: dict[str, Any] = {"package": "x", "series": "3.0", "prefix": "/opt/x"}
        text |= {"version": next(deployed), "files": {"/opt/x/libssl.so.3": "ab" * 32}}
        manifest.write_text(json.dumps(text))
        return there.roll_out(*words, **more)

    def audit(driver: runner.Driver) -> Run:
        (found,) = driver.audit._manifests.values()
        assert found
        seen.append(found.version)
        return there.audit(driver)

    monkeypatch.setattr(flow, "roll_out", roll_out)
    monkeypatch.setattr(runner, "run", audit)
    more = inventory_of(tmp_path / "staging", mailseal_library_manifest=str(manifest))
    now, candidate = (Side(more, variables=variables(policy, ())) for policy in (OLD, NEW))
    flow.stage(Order(now=now, candidate=candidate))
    assert seen == ["3.0.20", "3.0.22"]


def test_both_states_are_judged_by_the_candidate_s_inventory(
    tmp_path: Path, cluster: Callable[..., Cluster]
) -> None:
    """As a merge request is staged: the policy stands in each, and no option says it."""
    cluster()
    now = Side(inventory_of(tmp_path / "now", mailseal_policy=OLD))
    candidate = Side(inventory_of(tmp_path / "candidate", mailseal_policy=NEW))
    staged = flow.stage(Order(now=now, candidate=candidate)).staged
    kinds = {change.kind for change in staged.changes}
    assert "fixed" in kinds
    assert not {"added", "lost"} & kinds


def test_where_a_run_stands_for_what_there_was_that_is_not_deployed(
    tmp_path: Path, cluster: Callable[..., Cluster]
) -> None:
    """Nobody has it; the sentence does not say that it were there again."""
    there = cluster("d1")
    old = run(OLD, [shown(OLD, "imap1", IMAP), shown(OLD, "imap1", IMAPS)])
    baseline = Baseline(run=old, inventory=str(tmp_path / "staging"))
    staged = flow.stage(order_of(tmp_path, baseline=baseline)).staged
    assert there.done == [f"deploy staging {NEW}"]
    (notice,) = staged.notices
    assert notice.startswith("the staging cluster is left in between")


@pytest.mark.parametrize("gone", [False, True])
def test_a_place_where_a_run_did_not_look_is_no_new_one(
    tmp_path: Path, cluster: Callable[..., Cluster], gone: bool
) -> None:
    """Clients may have come there; that is exit code 3."""
    cluster()
    kept = [shown(NEW, "imap1", IMAPS)]
    if gone:
        kept.append(replace(shown(NEW, "imap1", IMAP), reach="not-asked"))
    order = order_of(tmp_path)
    where = str(tmp_path / ("nowhere" if gone else "staging"))
    baseline = Baseline(run=run(NEW, kept), inventory=where)
    staged = flow.stage(replace(order, now=order.candidate, baseline=baseline)).staged
    assert staged.outcome == "undetermined"
    assert any(reason.startswith("imap 143: ") for reason in staged.reasons)


def test_what_a_limit_leaves_out_is_not_lost(
    tmp_path: Path, cluster: Callable[..., Cluster]
) -> None:
    """The run that stands for what there is has other hosts too."""
    cluster()
    smtp = {"port": 25, "service": "smtp", "mode": "starttls", "profile": "mx"}
    folder = Path(inventory_of(tmp_path / "staging"))
    hosts = {"hosts": {"mx1": {**HOST, "mailseal_endpoints": [smtp], "mailseal_daemon": "exim"}}}
    known = json.loads((folder / "hosts.json").read_text())
    known["all"]["children"]["mx"] = hosts
    (folder / "hosts.json").write_text(json.dumps(known))
    ends = [shown(NEW, "imap1", IMAP), shown(NEW, "imap1", IMAPS), shown(NEW, "mx1", SMTP)]
    candidate = Side(str(folder), "imap", variables(NEW, ()))
    for inventory in (str(folder), str(tmp_path / "gone")):
        baseline = Baseline(run=run(NEW, ends), inventory=inventory)
        order = Order(now=candidate, candidate=candidate, baseline=baseline)
        staged = flow.stage(order).staged
        assert (staged.outcome, staged.reasons) == ("holds", ())
        assert {place.port for place in staged.served} == {143, 993}


def test_a_policy_of_two_checkouts_is_not_taken_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cluster: Callable[..., Cluster]
) -> None:
    """Both would be deployed with the file that is found here, and nothing be different."""
    cluster()
    for folder, policy in ((tmp_path, NEW), (tmp_path / "now", OLD)):
        (folder / "policies").mkdir(parents=True)
        text = (BUILT_IN / f"{policy}.yaml").read_text().replace(f"id: {policy}", "id: site")
        (folder / "policies" / "site.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    sides = [
        Side(inventory_of(folder / "inventory", mailseal_policy="policies/site.yaml"))
        for folder in (tmp_path / "now", tmp_path)
    ]
    with pytest.raises(MailsealError, match="--now-policy names the file"):
        flow.stage(Order(now=sides[0], candidate=sides[1]))
    told = replace(sides[0], variables=variables("now/policies/site.yaml", ()))
    assert flow.stage(Order(now=told, candidate=sides[1])).staged.outcome == "breaks"
