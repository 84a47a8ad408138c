"""The nights so far as a picture: SVG without scripts, styles or colours of its own.

pygal draws it and gives everything a class; the page's own style colours it, so that it follows
light and dark, and the Content-Security-Policy has nothing to refuse.
"""

import sys
from collections.abc import Mapping
from xml.etree import ElementTree as ET

from markupsafe import Markup
from msgspec import Struct

from audit.findings import Run, Verdict
from audit.past import Night, Past
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
_WIDTH, _HEIGHT, _LETTERS = 1000, 220, 12
_SVG = "{http://www.w3.org/2000/svg}"


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
    return Trend(_bare(_drawn(rows), rows), sentence, rows[::-1])


def _day(night: Night) -> str:
    time = moment(night.started)
    return f"{time:%-d %b %Y}" if time else visible(night.started)


def _drawn(rows: list[tuple[str, list[int]]]) -> str:
    import pygal
    from pygal.style import Style

    # A finder for maps that pygal leaves among Python's own, who complain of it ever after.
    sys.meta_path[:] = [f for f in sys.meta_path if not isinstance(f, pygal.PluginImportFixer)]
    dated = range(len(rows) - 1, -1, -max(1, -(-len(rows) // _LABELS)))
    chart = pygal.StackedBar(
        width=_WIDTH,
        height=_HEIGHT,
        js=(),
        margin=2,
        show_legend=False,
        order_min=0,  # no half failures on the axis
        max_scale=6,
        x_labels=[_short(day) if place in dated else "" for place, (day, _) in enumerate(rows)],
        truncate_label=-1,
        style=Style(label_font_size=_LETTERS, major_label_font_size=_LETTERS),
        disable_xml_declaration=True,
    )
    for number, name in enumerate(DRAWN.values()):
        chart.add(name, [counts[number] for _, counts in rows])
    drawn: str = chart.render(is_unicode=True)
    return drawn


def _short(day: str) -> str:
    """Without the year, for the axis."""
    return " ".join(day.split()[:2])


def _bare(drawn: str, rows: list[tuple[str, list[int]]]) -> Markup:
    """Only what is seen; a title, which browsers show, takes the place of pygal's script."""
    graph = ET.fromstring(drawn).find(f"{_SVG}g")  # noqa: S314 - our own
    assert graph is not None  # noqa: S101 - the group that holds all that is drawn
    for parent in list(graph.iter()):
        for child in list(parent):
            if child.tag == f"{_SVG}desc" or "overlay" in child.get("class", ""):
                parent.remove(child)
    for series, name in enumerate(DRAWN.values()):
        bars = graph.findall(
            f".//{_SVG}g[@class='series serie-{series} color-{series}']//*[{_SVG}rect]"
        )
        for bar, (day, counts) in zip(bars, rows, strict=True):
            ET.SubElement(bar, "title").text = f"{day}: {counts[series]} {name}"
    svg = ET.Element("svg", {"viewBox": f"0 0 {_WIDTH} {_HEIGHT}", "aria-hidden": "true"})
    svg.append(graph)
    for element in svg.iter():
        element.tag = element.tag.removeprefix(_SVG)
        element.attrib.pop("style", None)
    return Markup(ET.tostring(svg, encoding="unicode"))  # noqa: S704 - escaped by ElementTree
