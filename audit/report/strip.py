"""Batches over time: where each bar of the picture begins and ends, and the same in words."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from audit.rollout.model import Host, Part, Rollout, Span
from audit.rollout.words import PHASES

# The colour of each part of the work, and what a colour stands for.
_KINDS = {
    "look-before": "look",
    "look-after": "look",
    "look-back": "look",
    "change": "change",
    "passage": "passage",
    "back": "back",
}
_QUIET = "quiet"
KINDS: Mapping[str, str] = {
    _QUIET: "pre-flight and the like",
    "look": "the gate looks",
    "change": "change",
    "passage": "login and mail",
    "back": "go back",
}

# Between two marks of the axis; the first that leaves few enough.
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
_MARKS = 8
_MINUTE = 60
_ANY_YEAR = 2000  # one that has every day
_THIN = 0.25  # percent; what took no time is seen all the same


class Bar(Struct, frozen=True):
    """One part of the work.

    Attributes:
        kind: its colour.
        at, width: in percent of the whole.
        words: what a browser shows beside it.
    """

    kind: str
    at: float
    width: float
    words: str


class Lane(Struct, frozen=True):
    """One host in one part of the rollout; words is the whole of it as text."""

    host: Host
    bars: list[Bar]
    words: str
    seconds: float


class Group(Struct, frozen=True):
    """A batch, or a play before the batches; without a part, hosts that were not begun.

    Attributes:
        part: which.
        bar: all of it.
        lanes: its hosts; of a play before the batches only those that have no other.
    """

    part: Part | None
    bar: Bar | None
    lanes: list[Lane]

    @property
    def hosts(self) -> int:
        """How many there were, shown or not."""
        return len(self.part.hosts) if self.part else len(self.lanes)


class Strip(Struct, frozen=True):
    """The picture: marks of the axis in percent with their words, and the groups."""

    marks: list[tuple[float, str]]
    groups: list[Group]


def strip(rollout: Rollout) -> Strip:
    """The picture of a rollout."""
    started, finished = rollout.started, max(rollout.finished, rollout.started)
    hosts = {host.host: host for host in rollout.hosts}
    whole = max((finished - started).total_seconds(), 1)

    def bar(phase: str, begun: datetime, ended: datetime) -> Bar:
        return _bar(Span(phase=phase, started=begun, finished=ended), started, whole)

    def lane(host: Host, place: int) -> Lane:
        spans = [s for s in host.spans if _part_of(s, rollout.parts) == place]
        bars = [bar(s.phase, s.started, s.finished) for s in spans]
        words = ", ".join(f"{PHASES.get(s.phase, s.phase)} {lasted(s.seconds)}" for s in spans)
        return Lane(host, bars, words or "nothing was done", sum(s.seconds for s in spans))

    groups = [
        Group(
            part,
            bar("", part.started, part.finished),
            [
                lane(hosts[n], place)
                for n in part.hosts
                if n in hosts and hosts[n].mail is part.main
            ],
        )
        for place, part in enumerate(rollout.parts)
        if part.hosts
    ]
    begun = {name for part in rollout.parts if part.main for name in part.hosts}
    left = [host for host in rollout.hosts if host.mail and host.host not in begun]
    if left:
        groups.append(Group(None, None, [lane(host, -1) for host in left]))
    return Strip(_marks(started, whole), groups)


def lasted(seconds: float) -> str:
    """0.4 s, 12 s, 3 min 20 s, 2 h 5 min."""
    if seconds < 10:  # noqa: PLR2004 - where tenths still say something
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    minutes, left = divmod(whole, _MINUTE)
    if minutes < _MINUTE:
        return f"{minutes} min {left} s" if left else f"{minutes} min"
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def by_phase(spans: Sequence[Span]) -> list[tuple[str, str, float]]:
    """Each phase once, in the order they began: its id, its name and its seconds."""
    found: dict[str, float] = {}
    for span in spans:
        found[span.phase] = found.get(span.phase, 0) + span.seconds
    return [(phase, PHASES.get(phase, phase), seconds) for phase, seconds in found.items()]


def _part_of(span: Span, parts: Sequence[Part]) -> int:
    """The number of the part that a span belongs to: the last that had begun."""
    return max((n for n, part in enumerate(parts) if part.started <= span.started), default=-1)


def _bar(span: Span, started: datetime, whole: float) -> Bar:
    at = 100 * (span.started - started).total_seconds() / whole
    width = max(_THIN, 100 * span.seconds / whole)
    words = f"{PHASES.get(span.phase, span.phase)}: {lasted(span.seconds)}"
    kind = _KINDS.get(span.phase, _QUIET)
    return Bar(kind, round(max(0, min(at, 100 - _THIN)), 3), round(width, 3), words)


def _marks(started: datetime, whole: float) -> list[tuple[float, str]]:
    step = next((s for s in _STEPS if whole / s <= _MARKS), _STEPS[-1])
    shape = "%H:%M" if step >= _MINUTE else "%H:%M:%S"
    first = step - started.timestamp() % step
    marks: list[tuple[float, str]] = []
    while (second := first + len(marks) * step) < whole and len(marks) <= 2 * _MARKS:
        # Of the clock alone: a record may be of the last day that there is.
        clock = started.replace(year=_ANY_YEAR) + timedelta(seconds=second)
        marks.append((round(100 * second / whole, 3), clock.strftime(shape)))
    return marks
