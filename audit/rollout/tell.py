"""From the events of a record to the rollout: pure."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, get_args

from audit.changes import compare
from audit.findings import Run
from audit.rollout import events as ev
from audit.rollout.ending import Known, state, why
from audit.rollout.model import (
    Course,
    File,
    Host,
    Look,
    Moment,
    Part,
    Rollout,
    Span,
    Version,
)

if TYPE_CHECKING:
    from datetime import datetime

MOMENTS: tuple[Moment, ...] = get_args(Moment)
# Host, name of the change, moment: what the gate saw then.
Looks = Mapping[tuple[str, str, Moment], Run]


def rollout(events: Sequence[ev.Event], looks: Looks, *, running: bool = False) -> Rollout:
    """The rollout that a record is about.

    Args:
        events: all of its lines; the first says whose it is.
        looks: what the gate saw; what is not there was not seen, or is not kept any more.
        running: whether somebody writes into it still.
    """
    first, last = events[0], events[-1]
    assert isinstance(first, ev.Opened)  # noqa: S101 - the reader lets no other record pass
    closed = last if isinstance(last, ev.Closed) else None
    course: Course = "finished" if closed else "running" if running else "unfinished"
    batches = [e for e in events if isinstance(e, ev.Batch)]
    mail = dict.fromkeys(h for b in batches if b.main for h in b.everyone)
    begun = [h for main in (True, False) for b in batches if b.main is main for h in b.hosts]
    order = dict.fromkeys([*begun, *mail])
    return Rollout(
        schema="mailseal/rollout/1",
        id=first.id,
        playbook=first.playbook,
        user=first.user,
        control=first.control,
        inventory=first.inventory,
        limit=first.limit,
        tags=first.tags,
        skipped=first.skipped,
        variables=first.variables,
        check=first.check,
        version=first.version,
        ansible=first.ansible,
        started=first.at,
        finished=max(e.at for e in events),
        course=course,
        parts=_parts(events),
        hosts=tuple(_host(name, events, looks, course, mail=name in mail) for name in order),
    )


def _parts(events: Sequence[ev.Event]) -> tuple[Part, ...]:
    found = [n for n, e in enumerate(events) if isinstance(e, ev.Batch)]
    ends = [*found, len(events)][1:]
    parts = []
    for start, end in zip(found, ends, strict=True):
        batch = events[start]
        assert isinstance(batch, ev.Batch)  # noqa: S101 - chosen above
        over = [e.at for e in events[start:end] if isinstance(e, ev.Seen)]
        parts.append(
            Part(
                play=batch.play,
                number=batch.number,
                main=batch.main,
                started=batch.at,
                finished=over[-1] if over else events[end - 1].at,
                hosts=batch.hosts,
            )
        )
    return tuple(parts)


def _host(
    name: str, events: Sequence[ev.Event], looks: Looks, course: Course, *, mail: bool
) -> Host:
    mine = [e for e in events if name in _about(e)]
    first, last = events[0], events[-1]
    check = isinstance(first, ev.Opened) and first.check
    noted = [e.begun for e in mine if isinstance(e, ev.Noted)]
    begun = noted[-1] if noted else ""
    closed = last if isinstance(last, ev.Closed) else None
    known = Known(closed=closed, running=course == "running", check=check)
    ended = state(name, mine, known, mail=mail)
    counted = [e for e in mine if isinstance(e, ev.Changed) and (check or not e.check)]
    return Host(
        host=name,
        mail=mail,
        policy=next((e.policies[name] for e in _batches(events) if name in e.policies), ""),
        state=ended,
        why=why(mine, ended),
        spans=_spans(name, events),
        tasks=tuple(dict.fromkeys(e.task for e in counted)),
        files=_files(mine),
        packages=_packages(mine),
        begun=begun,
        looks=_looks(name, begun, looks, mine) if begun else (),
    )


def _about(event: ev.Event) -> Collection[str]:
    """The hosts that an event is about."""
    return event.hosts if isinstance(event, ev.Seen) else (getattr(event, "host", ""),)


def _batches(events: Sequence[ev.Event]) -> list[ev.Batch]:
    return [e for e in events if isinstance(e, ev.Batch)]


def _spans(name: str, events: Sequence[ev.Event]) -> tuple[Span, ...]:
    """Each phase lasts until the next, or until the host's last task of the batch."""
    spans: list[Span] = []
    open_: ev.Phase | None = None
    for event in events:
        ends: datetime | None = None
        if isinstance(event, ev.Phase) and event.host == name:
            ends = event.at
        elif isinstance(event, ev.Seen) and name in event.hosts:
            ends = event.hosts[name]
        if ends and open_:
            spans.append(Span(phase=open_.phase, started=open_.at, finished=ends))
            open_ = None
        if isinstance(event, ev.Phase) and event.host == name:
            open_ = event
    if open_:  # it was in work when the record ended
        spans.append(Span(phase=open_.phase, started=open_.at, finished=events[-1].at))
    return tuple(spans)


def _files(mine: Sequence[ev.Event]) -> tuple[File, ...]:
    """Each file once: what was put in place, or else what was last wanted."""
    found: dict[str, ev.Diff] = {}
    for event in mine:
        if isinstance(event, ev.Diff) and not (event.check and event.path in found):
            found[event.path] = event
    return tuple(
        File(path=d.path, lines=d.lines, more=d.more, replaced=not d.check) for d in found.values()
    )


def _packages(mine: Sequence[ev.Event]) -> tuple[Version, ...]:
    found: dict[str, ev.Package] = {}
    for event in mine:
        if isinstance(event, ev.Package) and not (event.check and event.name in found):
            found[event.name] = event
    return tuple(
        Version(name=p.name, before=p.before, after=p.after, replaced=not p.check)
        for p in found.values()
    )


def _looks(name: str, begun: str, looks: Looks, mine: Sequence[ev.Event]) -> tuple[Look, ...]:
    """What the gate saw; a look that was made and is not there is said to be missing."""
    made = {e.phase.removeprefix("look-") for e in mine if isinstance(e, ev.Phase)}
    before = looks.get((name, begun, "before"))
    found = []
    for moment in MOMENTS:
        run = looks.get((name, begun, moment))
        if run is None:
            if moment in made:
                found.append(Look(moment=moment, seen=False))
            continue
        compared = before is not None and moment != "before"
        found.append(
            Look(
                moment=moment,
                seen=True,
                missing=run.planned - run.executed,
                counts=dict(Counter(f.verdict for f in run.findings)),
                wrong=tuple(f for f in run.findings if f.verdict in ("fail", "inconclusive")),
                changes=compare(before, run) if before is not None and compared else (),
                compared=compared,
            )
        )
    return tuple(found)
