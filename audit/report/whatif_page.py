"""Who a policy would hurt, as one HTML file."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from audit.findings import Verdict as Mark
from audit.report import whatif_sending
from audit.report.page import page
from audit.report.plot import bare, charts, settings
from audit.report.visible import visible
from audit.report.whatif_text import (
    GUESSES,
    TITLES,
    basis,
    days,
    headline,
    likely,
    people,
    share,
    unseen,
)
from audit.whatif.document import SendingDocument, TrafficDocument, Verdict
from audit.whatif.document import WhatIfDocument as WhatIf

# The symbols and colours are those of findings.
MARKS: Mapping[Verdict, Mark] = {"break": "fail", "unknown": "inconclusive", "keep": "pass"}
_HEADINGS: Mapping[Verdict, tuple[str, str]] = {
    "break": (
        "Whom to phone",
        "They would lose TLS for certain: what they negotiated proves it. The heaviest first.",
    ),
    "unknown": (
        "Not known",
        "The logs prove neither that they go on nor that they break.",
    ),
}
_MOST = 200  # entries of each kind; the rest is in the JSON
_BARS = 15
_WIDTH, _ROW, _AXIS = 1000, 26, 40
_NAME = 40  # characters of a name in a picture


def whatif_page(found: WhatIf) -> bytes:
    """The answer as one page."""
    verdict, sentence = headline(found)
    sections = []
    for kind, (title, lead) in _HEADINGS.items():
        rows = [row for row in found.clients if row.verdict == kind]
        if rows:
            sections.append((kind, title, lead, people(rows), rows[:_MOST], len(rows)))
    return page(
        "whatif.html.j2",
        filters={"share": share, "number": "{:,}".format},
        words={"marks": MARKS, "titles": TITLES, "guesses": GUESSES},
        styles=("whatif.css.j2",),
        found=found,
        days=days(found),
        headline=(MARKS[_verdict(verdict)], sentence),
        sections=sections,
        traffic=[_row(TITLES[use], one) for use, one in found.traffic.items()],
        breakers=_breakers(found),
        already=found.already[:_MOST],
        basis=basis,
        rules=[(rule, whatif_sending.title(rule), _by_verdict(rule)) for rule in found.sending],
        listed=_MOST,
    )


def _by_verdict(rule: SendingDocument) -> dict[Verdict, tuple[int, int]]:
    """Recipients, and domains."""
    return {
        "keep": (rule.keep, rule.domains.keep),
        "unknown": (rule.unknown, rule.domains.unknown),
        "break": (rule.broken, rule.domains.broken),
    }


def _verdict(word: str) -> Verdict:
    return next(known for known in MARKS if known == word)


def _row(title: str, one: TrafficDocument) -> dict[str, Any]:
    """One kind of traffic: its numbers, and how wide each is drawn of a hundred."""
    counts: dict[Verdict, int] = {"keep": one.keep, "unknown": one.unknown, "break": one.broken}
    total = sum(counts.values())
    return {
        "title": title,
        "one": one,
        "total": total,
        "counts": counts,
        "clients": {
            "keep": one.clients.keep,
            "unknown": one.clients.unknown,
            "break": one.clients.broken,
        },
        "users": {"keep": one.users.keep, "unknown": one.users.unknown, "break": one.users.broken},
        "likely": likely(one.likely) if one.unknown else "",
        "unseen": unseen(one),
        "wide": {verdict: 100 * count / total if total else 0 for verdict, count in counts.items()},
    }


def _breakers(found: WhatIf) -> Markup | None:
    """The heaviest that break, drawn; None if there are too few for a picture."""
    rows = [row for row in found.clients if row.verdict == "break"][:_BARS]
    if len(rows) < 2:  # noqa: PLR2004 - one bar compares with nothing
        return None
    size = _WIDTH, _ROW * len(rows) + _AXIS
    named = [visible(row.user or row.client, longest=_NAME) for row in rows]
    chart = charts().HorizontalBar(
        order_min=0,
        max_scale=6,
        x_labels=named[::-1],  # the heaviest on top
        **settings(size),
    )
    chart.add("", [row.weight for row in reversed(rows)])
    titles = [f"{name}: {row.weight}" for name, row in zip(named, rows, strict=True)]
    return bare(chart.render(is_unicode=True), size, [titles[::-1]])
