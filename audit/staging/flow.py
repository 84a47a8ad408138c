"""The staging of a candidate, step by step."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from audit import control, progress, runner
from audit.ahead import Ahead
from audit.clients.load import clients, offer
from audit.errors import MailsealError
from audit.findings import Run, timestamp
from audit.prospect.compare import changes, undeployed, verdict
from audit.prospect.deployment import Deployment, Trouble
from audit.prospect.fates import turns
from audit.prospect.places import Scene, served
from audit.prospect.result import Production, Staged, State, state
from audit.staging.before import Before
from audit.staging.lock import alone
from audit.staging.order import Order, Seen
from audit.staging.play import roll_out
from audit.staging.sides import Foreseen, Side, rules, same_files

Bar = Callable[[str], AbstractContextManager[Callable[[str], None]]]


def stage(order: Order) -> Seen:
    """Deploy, audit, deploy, audit, and compare.

    Raises:
        MailsealError: something that was asked for is wrong or missing, the staging cluster is not
            there, or another staging or a rollout is at work on one of its hosts.
    """
    started = datetime.now(tz=UTC)
    # Everything that can be wrong with what was asked for is, before anything is touched.
    now, candidate = order.now.foreseen(), order.candidate.foreseen()
    same_files(order.now, order.candidate, now)
    if order.production:
        order.asked.foreseen()
    before = Before.read(order, now, candidate)
    # Whether the cluster is up; from a thread, for who enters stays there.
    Ahead(lambda: control.enter(candidate.hosts)).result()
    with alone((*now.hosts, *candidate.hosts)):
        blank = Staged(
            outcome="undetermined",
            started=timestamp(started),
            finished="",
            inventory=order.candidate.inventory,
            limit=order.candidate.limit,
            now=state(order.baseline.run, "run") if order.baseline else _announced(now),
            candidate=_announced(candidate),
        )
        try:
            seen = _compared(order, before, blank)
        except KeyboardInterrupt:
            progress.say("the staging cluster may be in between; the next run brings it to its end")
            raise
    return Seen(
        replace(seen.staged, finished=timestamp(datetime.now(tz=UTC))), seen.before, seen.after
    )


def _announced(cluster: Foreseen) -> State:
    """A state of which nothing was seen yet."""
    return State(policies=", ".join(p.id for p in cluster.measures), source="deployed")


def _compared(order: Order, before: Before, blank: Staged) -> Seen:
    was = order.baseline.run if order.baseline else None
    if was is None:
        first = _deployed("what there is now", order.now, _log(order, "now"))
        if first.troubles:
            outcome, reasons = undeployed(first.troubles, candidate=False)
            words = replace(blank, outcome=outcome, reasons=reasons, troubles=first.troubles)
            return Seen(words)
        try:
            _, was = _audited("audit of what there is now", order, order.now)
        except MailsealError as error:
            reasons = (f"what there is now could not be audited: {error}",)
            return Seen(replace(blank, reasons=reasons))
        blank = replace(blank, now=state(was, "deployed"))
    done = _deployed("the candidate", order.candidate, _log(order, "candidate"))
    if done.troubles:
        return Seen(_failed(order, done, blank), was)
    blank = replace(blank, files=done.files)
    try:
        driver, after = _audited("audit of the candidate", order, order.candidate)
        later = Scene(run=after, rules=rules(driver))
        blank = replace(blank, notices=_unchanged(order, done))
        return Seen(_told(before, was, later, blank), was, after)
    except MailsealError as error:
        reasons = (f"the candidate is deployed, and could not be judged: {error}",)
        return Seen(replace(blank, reasons=reasons), was)


def _told(before: Before, was: Run, later: Scene, blank: Staged) -> Staged:
    """What both runs say beside each other."""
    order, after = before.order, later.run
    scene, judged = before.scene(was), before.judged(was)
    places = tuple(before.proven(place, was) for place in served(scene, later))
    known = [(one, offer(one)) for one in clients()]
    fared = order.allowed.marked(turns(known, scene, later, before.daemons(was)))
    production = _production(order)
    outcome, reasons = verdict(after, places, fared, order.allowed, production)
    silent = (before.silent(was),) if judged is None else ()
    return replace(
        blank,
        outcome=outcome,
        reasons=reasons,
        notices=(*silent, *blank.notices, *after.notices),
        candidate=state(after, "deployed"),
        changes=changes(judged, after) if judged else (),
        served=places,
        turns=fared,
        production=production,
    )


def _production(order: Order) -> Production | None:
    if not order.production:
        return None
    log = _log(order, "production")
    told = _deployed("what production would get", order.asked, log, check=True)
    return Production(inventory=order.production, deployment=told)


def _unchanged(order: Order, done: Deployment) -> tuple[str, ...]:
    if done.changed or order.baseline:
        return ()
    return ("the candidate changes nothing on the staging cluster",)


def _failed(order: Order, done: Deployment, blank: Staged) -> Staged:
    """The candidate could not be deployed: every host gets back what there was."""
    outcome, reasons = undeployed(done.troubles, candidate=True)
    return replace(
        blank,
        outcome=outcome,
        reasons=reasons,
        notices=(_back(order),),
        troubles=done.troubles,
        files=done.files,
    )


def _back(order: Order) -> str:
    """What the staging cluster is left with."""
    if order.baseline:
        words = "the staging cluster is left in between: a run stood for what there was, so that"
        return f"{words} is not known; hosts that did not pass went back to what they had"
    back = _deployed("what there was", order.now, _log(order, "back"))
    if back.troubles:
        _, still = undeployed(back.troubles, candidate=False)
        return f"the staging cluster does NOT have again what there was: {'; '.join(still)}"
    return "the staging cluster has again what there was"


def _deployed(title: str, side: Side, log: Path | None, *, check: bool = False) -> Deployment:
    """A deployment; of one that nobody saw the end of nothing is known."""
    try:
        with progress.bar(title) as step:
            return roll_out(side, step, log, check=check)
    except MailsealError as error:
        return Deployment(troubles=(Trouble("", str(error), reached=False),))


def _audited(title: str, order: Order, side: Side) -> tuple[runner.Driver, Run]:
    """An audit; planned only now, for a deployment writes roots and manifests."""
    driver = side.driver(order.pace)
    with progress.bar(title, driver.audit.steps) as step:
        driver.step = step
        return driver, runner.run(driver)


def _log(order: Order, name: str) -> Path | None:
    return order.out / f"{name}.log" if order.out else None
