"""From what Ansible tells while it runs to the events of a record: no I/O, nothing of Ansible's.

The tasks themselves say which part of the work they belong to, by the variable `mailseal_phase`,
and how it ended on a host, by the fact `mailseal_host_state`: no name of a task is relied on.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from audit.rollout.differences import differences
from audit.rollout.discreet import Discreet
from audit.rollout.events import (
    Batch,
    Changed,
    Diff,
    Event,
    Failed,
    Noted,
    Package,
    Phase,
    Seen,
    Told,
    Unreachable,
)
from audit.rollout.reason import reason

PHASE = "mailseal_phase"
_STATE = "mailseal_host_state"
_PENDING = "mailseal_pending"
_FACTS = "ansible_facts"
_PACKAGE = "mailseal_package"
# What is known of a task that may say nothing.
_CENSORED = "it is kept secret why (no_log)"


class Task(Struct, frozen=True, kw_only=True):
    """What counts of a task.

    Attributes:
        name: with the role it is of.
        phase: of the work.
        action: the module.
        args: its parameters.
        check: whether it only looks.
        conditional: whether it may be skipped.
    """

    name: str
    phase: str = ""
    action: str = ""
    args: Mapping[str, Any] = {}
    check: bool = False
    conditional: bool = False


class Watch:
    """One rollout, while it runs."""

    def __init__(self) -> None:
        """Nothing has happened yet."""
        self.discreet = Discreet()
        self._plays: dict[str, int] = {}
        self._phases: dict[str, str] = {}
        self._waiting: dict[str, Phase] = {}
        self._noted: dict[str, str] = {}
        self._seen: dict[str, datetime] = {}

    def batch(self, play: str, at: datetime, batch: Batch) -> Iterator[Event]:
        """A play begins on some of its hosts; what it is called by Ansible tells plays apart."""
        yield from self.over(at)
        self._phases.clear()
        self._plays[play] = number = self._plays.get(play, 0) + 1
        text = self.discreet.text
        yield Batch(
            at=at,
            play=text(batch.play),
            number=number,
            main=batch.main,
            hosts=batch.hosts,
            everyone=batch.everyone,
            policies={host: text(policy) for host, policy in batch.policies.items()},
        )

    def over(self, at: datetime) -> Iterator[Event]:
        """A batch is over, if there was one."""
        if self._seen:
            yield Seen(at=at, hosts=dict(self._seen))
            self._seen.clear()

    def started(self, host: str, task: Task, at: datetime) -> Iterator[Event]:
        """A task begins on a host; of one that may be skipped is waited what it comes to."""
        self._seen[host] = at
        self._waiting[host] = Phase(at=at, host=host, phase=task.phase)
        if not task.conditional:
            yield from self._begun(host)

    def skipped(self, host: str, at: datetime) -> None:
        """A task was not wanted, and has begun nothing."""
        self._seen[host] = at
        self._waiting.pop(host, None)

    def _begun(self, host: str) -> Iterator[Event]:
        """The last task that was started has begun its part of the work."""
        waiting = self._waiting.pop(host, None)
        if waiting and self._phases.get(host) != waiting.phase:
            self._phases[host] = waiting.phase
            yield waiting

    def done(
        self, host: str, task: Task, result: Mapping[str, Any], at: datetime
    ) -> Iterator[Event]:
        """A task has done what it should."""
        self._seen[host] = at
        yield from self._begun(host)
        facts = result.get(_FACTS)
        if isinstance(facts, Mapping):
            yield from self._facts(host, facts, at)
        if not result.get("changed"):
            return
        yield Changed(at=at, host=host, task=self.discreet.text(task.name), check=task.check)
        named = str(task.args.get("dest") or task.args.get("path") or "")
        for path, lines, more in differences(result, self.discreet, named):
            yield Diff(at=at, host=host, path=path, lines=lines, more=more, check=task.check)
        if task.action == _PACKAGE:
            yield from self._packages(host, task, result, at)

    def failed(
        self, host: str, task: Task, result: Mapping[str, Any], at: datetime
    ) -> Iterator[Event]:
        """A task has failed."""
        self._seen[host] = at
        yield from self._begun(host)
        why = _CENSORED if "censored" in result else self.discreet.text(reason(result))
        yield Failed(at=at, host=host, task=self.discreet.text(task.name), why=why)

    def lost(self, host: str, result: Mapping[str, Any], at: datetime) -> Iterator[Event]:
        """A host cannot be reached."""
        self._seen[host] = at
        yield from self._begun(host)
        yield Unreachable(at=at, host=host, why=self.discreet.text(reason(result)))

    def _facts(self, host: str, facts: Mapping[str, Any], at: datetime) -> Iterator[Event]:
        pending = facts.get(_PENDING)
        begun = str(pending.get("begun", "")) if isinstance(pending, Mapping) else ""
        if begun and self._noted.get(host) != begun:
            self._noted[host] = begun
            yield Noted(at=at, host=host, begun=self.discreet.text(begun))
        if state := facts.get(_STATE):
            yield Told(at=at, host=host, state=self.discreet.text(state))

    def _packages(
        self, host: str, task: Task, result: Mapping[str, Any], at: datetime
    ) -> Iterator[Event]:
        """A package that was there as it should be, but for a file, is in the same version."""
        for one in result.get("packages", ()):
            name, before, after = (self.discreet.text(one[k]) for k in ("name", "before", "after"))
            if before != after:
                yield Package(
                    at=at, host=host, name=name, before=before, after=after, check=task.check
                )
