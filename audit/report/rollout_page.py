"""The page of a rollout: batches over time, and for each host why, what changed, what was found."""

from msgspec import Struct

from audit.changes import Change, Kind, key
from audit.findings import Verdict
from audit.report.ended import headline, rest, verdict_of
from audit.report.entries import Entry, entries
from audit.report.page import VERDICTS, page
from audit.report.shifts import Shift, shifts
from audit.report.strip import KINDS, Strip, by_phase, lasted, strip
from audit.rollout.model import Host, Look, Rollout
from audit.rollout.words import MEANING, STATES

_WRONG: tuple[Verdict, ...] = ("fail", "inconclusive")
_LOOKS = {
    "before": "Before the change",
    "after": "After the change",
    "back": "After going back",
}
_COURSES = {
    "finished": "came to its end",
    "unfinished": "did NOT come to its end: the record ends without a last line",
    "running": "is running; this is how far it was when the page was made",
}


class Sight(Struct, frozen=True):
    """What the gate saw at one moment, ready to be shown.

    Attributes:
        look: all of it.
        wrong: what failed or could not be determined, and whether it was so before the change;
            None where that is not known.
        changes: what else is otherwise than before the change.
    """

    look: Look
    wrong: list[tuple[Entry, bool | None]]
    changes: dict[Kind, list[Shift[Change]]]


def rollout_page(rollout: Rollout) -> bytes:
    """The rollout as one HTML file."""
    hosts = {host.host: number for number, host in enumerate(rollout.hosts, 1)}
    picture = strip(rollout)
    told = {state for state in STATES if any(h.state == state for h in rollout.hosts)}
    return page(
        "rollout.html.j2",
        filters={"lasted": lasted, "by_phase": by_phase},
        words={
            "meaning": MEANING,
            "looks": _LOOKS,
            "courses": _COURSES,
            "verdict_of": verdict_of,
        },
        styles=("diff.css.j2", "rollout.css.j2"),
        rollout=rollout,
        headline=headline(rollout),
        rest=rest(rollout),
        started=f"{rollout.started:%-d %B %Y, %H:%M} UTC",
        took=lasted((rollout.finished - rollout.started).total_seconds()),
        strip=picture,
        drawn=_drawn(picture),
        states=[state for state in STATES if state in told],
        hosts=hosts,
        details=[(host, _sights(host)) for host in sorted(rollout.hosts, key=_gravity)],
        policies=list(dict.fromkeys(h.policy for h in rollout.hosts if h.mail and h.policy)),
    )


def _drawn(picture: Strip) -> list[tuple[str, str]]:
    """The colours that are there, and what they stand for."""
    there = {bar.kind for group in picture.groups for lane in group.lanes for bar in lane.bars}
    return [(kind, words) for kind, words in KINDS.items() if kind in there]


def _gravity(host: Host) -> int:
    """What went wrong comes first."""
    return list(VERDICTS).index(verdict_of(host))


def _sights(host: Host) -> list[Sight]:
    found = []
    for look in host.looks:
        new = {key(c.finding) for c in look.changes if c.kind == "new"}
        wrong = [
            (entry, key(entry.finding) not in new if look.compared else None)
            for verdict in _WRONG
            for entry in entries(look.wrong, verdict)
        ]
        found.append(Sight(look, wrong, shifts(c for c in look.changes if c.kind != "new")))
    return found
