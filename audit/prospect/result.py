"""What `mailseal staging` finds, as data."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

from audit.changes import Change
from audit.findings import COMPLIANT, FAILED, UNDETERMINED, Run, Verdict
from audit.prospect.deployment import Deployment, Replaced, Trouble
from audit.prospect.fates import Turn
from audit.prospect.places import Served

Outcome = Literal["holds", "fails", "breaks", "undetermined"]
CODES: Mapping[Outcome, int] = {
    "holds": COMPLIANT,
    "fails": FAILED,
    "breaks": FAILED,
    "undetermined": UNDETERMINED,
}


class State(Struct, frozen=True, kw_only=True):
    """One of the two states that are compared.

    Attributes:
        policies: what is in force there.
        source: "deployed" on staging and audited, or "run" from the history.
        run: the id of the run; empty where it did not come to one.
        started: when, RFC 3339.
        counts: findings by verdict.
    """

    policies: str
    source: Literal["deployed", "run"]
    run: str = ""
    started: str = ""
    counts: Mapping[Verdict, int] = field(default_factory=dict)


class Production(Struct, frozen=True, kw_only=True):
    """What the deployment would replace in production.

    Attributes:
        inventory: of production.
        deployment: what `ansible-playbook --check --diff` said.
    """

    inventory: str
    deployment: Deployment

    @property
    def missing(self) -> tuple[Trouble, ...]:
        """What could not be had."""
        return tuple(t for t in self.deployment.troubles if not t.reached)

    @property
    def refused(self) -> tuple[Trouble, ...]:
        """Hosts on which the candidate cannot be deployed."""
        return tuple(t for t in self.deployment.troubles if t.reached)


class Staged(Struct, frozen=True, kw_only=True):
    """All that the staging of a candidate found.

    Attributes:
        outcome: "holds"; "fails", the candidate is not deployed or fails its own audit; "breaks",
            clients are lost that were not announced; "undetermined".
        reasons: why it is not "holds", a sentence each.
        notices: what has to be said besides.
        started, finished: RFC 3339, UTC.
        inventory, limit: the staging cluster.
        now, candidate: the two states.
        troubles: hosts of staging where a deployment failed.
        changes: findings that differ, both states judged by the candidate.
        served: what the places offer, before and after.
        turns: what becomes of the clients.
        files: what the deployment of the candidate replaced.
        production: what it would replace there; None where nobody asked.
    """

    outcome: Outcome
    reasons: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    started: str
    finished: str
    inventory: str
    limit: str
    now: State
    candidate: State
    troubles: tuple[Trouble, ...] = ()
    changes: tuple[Change, ...] = ()
    served: tuple[Served, ...] = ()
    turns: tuple[Turn, ...] = ()
    files: tuple[Replaced, ...] = ()
    production: Production | None = None

    @property
    def exit_code(self) -> int:
        """0 holds, 1 fails or breaks, 3 undetermined."""
        return CODES[self.outcome]

    @property
    def lost(self) -> tuple[Turn, ...]:
        """The clients that cannot connect any more, or go on in clear; announced or not."""
        return tuple(turn for turn in self.turns if turn.kind in ("lost", "clear"))


def state(run: Run, source: Literal["deployed", "run"]) -> State:
    """A state that was audited."""
    verdicts = [f.verdict for f in run.findings]
    return State(
        policies=run.policy.id,
        source=source,
        run=run.run,
        started=run.started,
        counts={v: verdicts.count(v) for v in dict.fromkeys(verdicts)},
    )
