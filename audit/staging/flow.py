"""The staging of a candidate, step by step."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from audit import control, progress, runner
from audit.ahead import Ahead
from audit.clients.load import clients, offer
from audit.findings import Run, timestamp
from audit.probe.address import Pace
from audit.prospect.compare import Allowed, changes, undeployed, verdict
from audit.prospect.deployment import Deployment
from audit.prospect.fates import turns
from audit.prospect.places import Scene, served
from audit.prospect.result import Production, Staged, State, state
from audit.staging.lock import alone
from audit.staging.play import roll_out
from audit.staging.sides import Side, rules, usual_rules

Bar = Callable[[str], AbstractContextManager[Callable[[str], None]]]


class Baseline(Struct, frozen=True, kw_only=True):
    """A run of the history that stands for what production has now.

    Attributes:
        run: itself.
        inventory, limit: what it was a run of.
    """

    run: Run
    inventory: str
    limit: str = ""


class Order(Struct, frozen=True, kw_only=True):
    """What is to be staged.

    Attributes:
        now: what production has; deployed first, and again if the candidate fails.
        candidate: what it shall have; on the same hosts.
        baseline: stands for `now` in the comparison; None if `now` is audited.
        production: the inventory whose hosts are asked what would be replaced; empty for none.
        allowed: which losses are announced.
        pace: how much a server is asked at once.
        out: where Ansible's own words go; None for nowhere.
    """

    now: Side
    candidate: Side
    baseline: Baseline | None = None
    production: str = ""
    allowed: Allowed = Allowed()
    pace: Pace = "normal"
    out: Path | None = None


class Seen(Struct, frozen=True):
    """What came of it, and the runs it rests on; None for one that was not made."""

    staged: Staged
    before: Run | None = None
    after: Run | None = None


def stage(order: Order) -> Seen:
    """Deploy, audit, deploy, audit, and compare.

    Raises:
        MailsealError: something that was asked for is wrong or missing, the staging cluster is not
            there, or another staging or a rollout is at work on one of its hosts.
    """
    started = datetime.now(tz=UTC)
    # Everything that can be wrong with what was asked for is, before anything is touched.
    now, candidate = order.now.driver(order.pace), order.candidate.driver(order.pace)
    asked = Side(order.production, variables=order.candidate.variables)
    if order.production:
        asked.driver()
    # Whether the cluster is up; from a thread, for who enters stays there.
    Ahead(lambda: control.enter(candidate.audit.hosts)).result()
    with alone((*now.audit.hosts, *candidate.audit.hosts)):
        blank = Staged(
            outcome="undetermined",
            started=timestamp(started),
            finished="",
            inventory=order.candidate.inventory,
            limit=order.candidate.limit,
            now=_announced(now, order.baseline),
            candidate=_announced(candidate),
        )
        try:
            seen = _compared(order, now, candidate, blank, asked)
        except KeyboardInterrupt:
            progress.say("the staging cluster may be in between; the next run brings it to its end")
            raise
    return Seen(
        replace(seen.staged, finished=timestamp(datetime.now(tz=UTC))), seen.before, seen.after
    )


def _announced(driver: runner.Driver, baseline: Baseline | None = None) -> State:
    """A state of which nothing was seen yet."""
    if baseline:
        return state(baseline.run, "run")
    return State(policies=", ".join(p.id for p in driver.audit.measures), source="deployed")


def _compared(
    order: Order, now: runner.Driver, candidate: runner.Driver, blank: Staged, asked: Side
) -> Seen:
    before = order.baseline.run if order.baseline else None
    if before is None:
        first = _deployed("what there is now", order.now, _log(order, "now"))
        if first.troubles:
            outcome, reasons = undeployed(first.troubles, candidate=False)
            words = replace(blank, outcome=outcome, reasons=reasons, troubles=first.troubles)
            return Seen(words)
        before = _audited("audit of what there is now", now)
        blank = replace(blank, now=state(before, "deployed"))
    done = _deployed("the candidate", order.candidate, _log(order, "candidate"))
    if done.troubles:
        return Seen(_failed(order, done, blank), before)
    after = _audited("audit of the candidate", candidate)
    scene, judged, notices = _before(order, before, now)
    later = Scene(run=after, rules=rules(candidate))
    daemons = {h.name: h.daemon for h in (*now.audit.hosts, *candidate.audit.hosts)}
    places = served(scene, later)
    known = [(one, offer(one)) for one in clients()]
    fared = order.allowed.marked(turns(known, scene, later, daemons))
    production = None
    if order.production:
        told = _deployed("what production would get", asked, _log(order, "production"), check=True)
        production = Production(inventory=order.production, deployment=told)
    outcome, reasons = verdict(after, places, fared, order.allowed, production)
    found = replace(
        blank,
        outcome=outcome,
        reasons=reasons,
        notices=(*notices, *_unchanged(order, done), *after.notices),
        candidate=state(after, "deployed"),
        changes=changes(judged, after) if judged else (),
        served=places,
        turns=fared,
        files=done.files,
        production=production,
    )
    return Seen(found, before, after)


def _before(
    order: Order, before: Run, now: runner.Driver
) -> tuple[Scene, Run | None, tuple[str, ...]]:
    """What was there before: as a scene, and judged by the candidate; and what is to be said."""
    then = order.now
    if order.baseline:
        then = Side(order.production or order.baseline.inventory, order.baseline.limit)
        if not Path(then.inventory).exists():
            words = (
                f"the inventory of {before.run} is gone ({then.inventory}): its findings are not"
            )
            sentence = f"{words} compared; --production names it"
            return Scene(run=before, rules=usual_rules(before)), None, (sentence,)
        now = then.driver()
    measured = replace(then, variables=order.candidate.variables).driver()
    return Scene(run=before, rules=rules(now)), measured.audit.rejudged(before), ()


def _unchanged(order: Order, done: Deployment) -> tuple[str, ...]:
    if done.changed or order.baseline:
        return ()
    return ("the candidate changes nothing on the staging cluster",)


def _failed(order: Order, done: Deployment, blank: Staged) -> Staged:
    """The candidate could not be deployed: every host gets back what there was."""
    outcome, reasons = undeployed(done.troubles, candidate=True)
    back = _deployed("what there was", order.now, _log(order, "back"))
    words = "the staging cluster has again what there was"
    if back.troubles:
        _, still = undeployed(back.troubles, candidate=False)
        words = f"the staging cluster does NOT have again what there was: {'; '.join(still)}"
    return replace(
        blank,
        outcome=outcome,
        reasons=reasons,
        notices=(words,),
        troubles=done.troubles,
        files=done.files,
    )


def _deployed(title: str, side: Side, log: Path | None, *, check: bool = False) -> Deployment:
    with progress.bar(title) as step:
        return roll_out(side, step, log, check=check)


def _audited(title: str, driver: runner.Driver) -> Run:
    with progress.bar(title, driver.audit.steps) as step:
        driver.step = step
        return runner.run(driver)


def _log(order: Order, name: str) -> Path | None:
    return order.out / f"{name}.log" if order.out else None
