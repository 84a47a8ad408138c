"""The nights so far as a picture."""

from collections.abc import Mapping

from markupsafe import Markup
from msgspec import Struct

from audit.findings import Run, Verdict
from audit.past import Night, Past
from audit.report.plot import bare, charts, settings
from audit.report.summary import moment, summarize
from audit.report.visible import visible

# What is drawn, from the axis up; passes would leave no room for it.
DRAWN: Mapping[Verdict, str] = {
    "fail": "failed",
    "inconclusive": "inconclusive",
    "waived": "waived",
}
_MOST = 60  # nights; a bar must stay wide enough to be seen
_LABELS = 8  # dates along the axis
_WIDTH, _HEIGHT = 1000, 220


class Trend(Struct, frozen=True):
    """The nights up to this one.

    Attributes:
        svg: the picture.
        sentence: what it shows.
        rows: the numbers behind it, the newest first: the day, and what is drawn.
    """

    svg: Markup
    sentence: str
    rows: list[tuple[str, list[int]]]


def trend(run: Run, past: Past) -> Trend | None:
    """The picture of the last nights and this one; None if there were none."""
    if not past.nights:
        return None
    tonight = Night(run=run.run, started=run.started, counts=summarize(run).counts)
    nights = [*past.nights[-_MOST + 1 :], tonight]
    rows = [(_day(night), [night.counts.get(v, 0) for v in DRAWN]) for night in nights]
    failed = [counts[0] for _, counts in rows]
    sentence = (
        f"{failed[-1]} failed this time, {failed[-2]} the time before; in the last {len(rows)} runs"
        f" between {min(failed)} and {max(failed)}."
    )
    titles = [
        [f"{day}: {counts[series]} {name}" for day, counts in rows]
        for series, name in enumerate(DRAWN.values())
    ]
    return Trend(bare(_drawn(rows), (_WIDTH, _HEIGHT), titles), sentence, rows[::-1])


def _day(night: Night) -> str:
    time = moment(night.started)
    return f"{time:%-d %b %Y}" if time else visible(night.started)


def _drawn(rows: list[tuple[str, list[int]]]) -> str:
    dated = range(len(rows) - 1, -1, -max(1, -(-len(rows) // _LABELS)))
    chart = charts().StackedBar(
        order_min=0,  # no half failures on the axis
        max_scale=6,
        x_labels=[_short(day) if place in dated else "" for place, (day, _) in enumerate(rows)],
        **settings((_WIDTH, _HEIGHT)),
    )
    for number, name in enumerate(DRAWN.values()):
        chart.add(name, [counts[number] for _, counts in rows])
    drawn: str = chart.render(is_unicode=True)
    return drawn


def _short(day: str) -> str:
    """Without the year, for the axis."""
    return " ".join(day.split()[:2])
