"""Pictures of numbers: SVG without scripts, styles or colours of its own.

pygal draws them and gives everything a class; the page's own style colours them, so that they
follow light and dark, and the Content-Security-Policy has nothing to refuse.
"""

import sys
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET

from markupsafe import Markup

LETTERS = 12
_SVG = "{http://www.w3.org/2000/svg}"


def settings(size: tuple[int, int]) -> dict[str, Any]:
    """What all charts have in common: the size of letters; all else is the page's."""
    from pygal.style import Style

    return {
        "width": size[0],
        "height": size[1],
        "js": (),
        "margin": 2,
        "show_legend": False,
        "truncate_label": -1,
        "style": Style(label_font_size=LETTERS, major_label_font_size=LETTERS),
        "disable_xml_declaration": True,
    }


def charts() -> Any:  # noqa: ANN401 - pygal has no types
    """The module pygal, without the finder for maps that it leaves among Python's own.

    Python complains of that finder ever after.
    """
    import pygal

    sys.meta_path[:] = [f for f in sys.meta_path if not isinstance(f, pygal.PluginImportFixer)]
    return pygal


def bare(drawn: str, size: tuple[int, int], titles: Sequence[Sequence[str]]) -> Markup:
    """Only what is seen; a title, which browsers show, takes the place of pygal's script.

    Args:
        drawn: by pygal.
        size: width and height.
        titles: what each bar is, by series.
    """
    graph = ET.fromstring(drawn).find(f"{_SVG}g")  # noqa: S314 - our own
    assert graph is not None  # noqa: S101 - the group that holds all that is drawn
    for parent in list(graph.iter()):
        for child in list(parent):
            if child.tag == f"{_SVG}desc" or "overlay" in child.get("class", ""):
                parent.remove(child)
    for series, named in enumerate(titles):
        bars = graph.findall(
            f".//{_SVG}g[@class='series serie-{series} color-{series}']//*[{_SVG}rect]"
        )
        for bar, title in zip(bars, named, strict=True):
            ET.SubElement(bar, "title").text = title
    svg = ET.Element("svg", {"viewBox": f"0 0 {size[0]} {size[1]}", "aria-hidden": "true"})
    svg.append(graph)
    for element in svg.iter():
        element.tag = element.tag.removeprefix(_SVG)
        element.attrib.pop("style", None)
    return Markup(ET.tostring(svg, encoding="unicode"))  # noqa: S704 - escaped by ElementTree
