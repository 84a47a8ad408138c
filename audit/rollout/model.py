"""A rollout as it is told: what `mailseal rollout --json` says, and what the page is made of.

A key is never renamed or dropped within a schema version; new ones may be added.
"""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from audit.changes import Change
from audit.findings import Finding, Verdict
from audit.rollout.words import State

Moment = Literal["before", "after", "back"]
# "unfinished" is never good: it was killed, or the machine went down.
Course = Literal["finished", "unfinished", "running"]


class Span(Struct, frozen=True, kw_only=True):
    """A part of the work on a host, from when to when."""

    phase: str
    started: datetime
    finished: datetime

    @property
    def seconds(self) -> float:
        """How long it took; nothing where the clock was set back meanwhile."""
        return max(0.0, (self.finished - self.started).total_seconds())


class File(Struct, frozen=True, kw_only=True):
    """What is otherwise in a file.

    Attributes:
        path: the file.
        lines: a unified difference; of secrets only that there is one.
        more: how many lines were left out.
        replaced: whether the file was put in place; otherwise it was only wanted.
    """

    path: str
    lines: tuple[str, ...]
    more: int
    replaced: bool


class Version(Struct, frozen=True, kw_only=True):
    """A package that has another version; empty for none."""

    name: str
    before: str
    after: str
    replaced: bool


class Look(Struct, frozen=True, kw_only=True):
    """What the gate saw at one moment.

    Attributes:
        moment: before the change, after it, or after going back.
        seen: whether the report of it is there; without one nothing is known.
        missing: checks that were planned and not made.
        counts: findings by verdict.
        wrong: those that failed or could not be determined.
        changes: what is otherwise than before the change.
        compared: whether there was something to compare with.
    """

    moment: Moment
    seen: bool
    missing: int = 0
    counts: dict[Verdict, int] = {}
    wrong: tuple[Finding, ...] = ()
    changes: tuple[Change, ...] = ()
    compared: bool = False


class Host(Struct, frozen=True, kw_only=True):
    """One host.

    Attributes:
        host: its name in the inventory.
        mail: whether it has a mail daemon; the others only prepare something.
        policy: what it is to be like; empty where that is not known.
        state: how it ended.
        why: the sentence that says why it did not end well; empty otherwise.
        spans: what was done when, in order.
        tasks: that changed something, or would.
        files, packages: what was replaced, or wanted.
        begun: the name of the change, under which the gate keeps what it saw; empty for none.
        looks: what the gate saw.
    """

    host: str
    mail: bool
    policy: str
    state: State
    why: str
    spans: tuple[Span, ...]
    tasks: tuple[str, ...]
    files: tuple[File, ...]
    packages: tuple[Version, ...]
    begun: str
    looks: tuple[Look, ...]

    @property
    def seconds(self) -> float:
        """How long it was in work."""
        return sum(span.seconds for span in self.spans)

    @property
    def phase(self) -> str:
        """What was done last."""
        return self.spans[-1].phase if self.spans else ""


class Part(Struct, frozen=True, kw_only=True):
    """A play on some hosts: a batch of the main one, or one that prepares something.

    Attributes:
        play: its name.
        number: from 1, among the batches of the play.
        main: whether it is a batch of the mail hosts.
        started, finished: when.
        hosts: their names.
    """

    play: str
    number: int
    main: bool
    started: datetime
    finished: datetime
    hosts: tuple[str, ...]


class Rollout(Struct, frozen=True, kw_only=True):
    """One rollout.

    Attributes:
        schema: of this document.
        id: its name.
        playbook: rollout.yml, rollback.yml or openssl.yml.
        user, control: who, on which machine.
        inventory, limit, tags, skipped: what was given.
        variables: the names of those that were set with -e.
        check: whether it only looked.
        version, ansible: of mailseal and of ansible-core.
        started, finished: when it began, and the last that is known of it.
        course: whether it came to its end.
        parts: the plays and their batches in order.
        hosts: in the order in which they were begun, then those that were not.
    """

    schema: Literal["mailseal/rollout/1"]
    id: str
    playbook: str
    user: str
    control: str
    inventory: tuple[str, ...]
    limit: str
    tags: tuple[str, ...]
    skipped: tuple[str, ...]
    variables: tuple[str, ...]
    check: bool
    version: str
    ansible: str
    started: datetime
    finished: datetime
    course: Course
    parts: tuple[Part, ...]
    hosts: tuple[Host, ...]
