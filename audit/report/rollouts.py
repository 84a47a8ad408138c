"""Rollouts as a list and one by one, for the terminal and as JSON."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal, TextIO

from msgspec import Struct

from audit.findings import Verdict
from audit.report.encode import pretty
from audit.report.ended import headline, rest, verdict_of
from audit.report.paint import Line, put
from audit.report.strip import lasted
from audit.report.summary import plural
from audit.report.visible import visible
from audit.rollout.model import Course, Host, Part, Rollout
from audit.rollout.words import MEANING, State

_STYLES: dict[Verdict, str] = {"pass": "bold green", "fail": "bold red"}

# A rollout, or the name of one and why it cannot be read.
Listed = Rollout | tuple[str, str]


class RolloutEntry(Struct, frozen=True, kw_only=True):
    """One rollout, in short.

    Attributes:
        verdict: what it counts as; one that did not come to its end never passes.
        sentence: how it ended.
        states: hosts by how it ended on them.
    """

    id: str
    playbook: str
    user: str
    started: datetime
    finished: datetime
    course: Course
    check: bool
    verdict: Verdict
    sentence: str
    states: dict[State, int]


class Unreadable(Struct, frozen=True, kw_only=True):
    """A record that cannot be read, and why."""

    id: str
    why: str


class RolloutsDocument(Struct, frozen=True):
    """What `mailseal rollout --json` says, the oldest first."""

    schema: Literal["mailseal/rollouts/1"]
    rollouts: list[RolloutEntry]
    unreadable: list[Unreadable]


def rollouts_document(found: Sequence[Listed]) -> bytes:
    """The list as "mailseal/rollouts/1"."""
    entries = [_entry(one) for one in found if isinstance(one, Rollout)]
    bad = [Unreadable(id=one[0], why=one[1]) for one in found if not isinstance(one, Rollout)]
    return pretty(RolloutsDocument("mailseal/rollouts/1", entries, bad))


def rollout_document(rollout: Rollout) -> bytes:
    """One of them as "mailseal/rollout/1"."""
    return pretty(rollout)


def show_list(found: Sequence[Listed], where: Path, file: TextIO) -> None:
    """Print the list, the oldest first."""
    if not found:
        put([(f"no rollout is recorded in {visible(str(where))}",)], file)
    put(map(_line, found), file)


def show(rollout: Rollout, file: TextIO) -> None:
    """Print one of them, host by host."""
    put(_lines(rollout), file)


def _entry(rollout: Rollout) -> RolloutEntry:
    verdict, sentence = headline(rollout)
    return RolloutEntry(
        id=rollout.id,
        playbook=rollout.playbook,
        user=rollout.user,
        started=rollout.started,
        finished=rollout.finished,
        course=rollout.course,
        check=rollout.check,
        verdict=verdict,
        sentence=sentence,
        states=dict(Counter(host.state for host in rollout.hosts)),
    )


def _line(one: Listed) -> Line:
    if not isinstance(one, Rollout):
        return (
            (visible(one[0]), "bold"),
            "  ",
            ("cannot be read", "bold red"),
            f": {visible(one[1])}",
        )
    verdict, sentence = headline(one)
    return (
        (visible(one.id), "bold"),
        f"  {visible(one.playbook)}  ",
        (visible(sentence), _STYLES.get(verdict, "bold yellow")),
        f"  ({visible(one.user)}, {_took(one)})",
    )


def _took(one: Rollout) -> str:
    return lasted((one.finished - one.started).total_seconds())


def _lines(rollout: Rollout) -> Iterator[Line]:
    yield _line(rollout)
    yield (f"  {rest(rollout)}",)
    hosts = {host.host: host for host in rollout.hosts}
    shown: set[str] = set()
    for part in rollout.parts:
        mine = [hosts[n] for n in part.hosts if n in hosts and hosts[n].mail is part.main]
        shown |= {host.host for host in mine}
        if mine:
            yield ()
            yield ((f"{_named(part)}, {plural(len(mine), 'host')}", "bold"),)
            yield from map(_host, mine)
    left = [host for host in rollout.hosts if host.host not in shown]
    if left:
        yield ()
        yield (("Not begun", "bold"),)
        yield from map(_host, left)


def _named(part: Part) -> str:
    return f"Batch {part.number}" if part.main else visible(part.play)


def _host(host: Host) -> Line:
    name, symbol = MEANING[host.state][:2]
    why = f": {visible(host.why)}" if host.why else ""
    took = f"  {lasted(host.seconds)}" if host.spans else ""
    style = _STYLES.get(verdict_of(host), "bold yellow")
    return (f"  {visible(host.host)}  ", (f"{symbol} {name}", style), took, why)
