"""What logs tell of TLS, as one HTML file."""

from typing import Literal

from audit.report.page import page
from audit.report.traffic_sections import SUBJECTS, failures, nothing, sections, silent
from audit.report.traffic_trend import trend
from audit.traffic.errors import REASONS
from audit.traffic.figures import Traffic
from audit.traffic.shares import share

_MOST = 200  # people and hosts that are named; the rest is in the JSON


def traffic_page(figures: Traffic) -> bytes:
    """The figures as one page."""
    return page(
        "traffic.html.j2",
        filters={"number": _number, "percent": _percent},
        words={"reasons": REASONS},
        styles=("traffic.css.j2",),
        found=figures,
        headline=_headline(figures),
        lost=figures.lines.lost,
        period=figures.period,
        drawn=trend(figures.trend),
        sections=list(sections(figures)),
        failures=failures(figures),
        silent=[silent(who) for who in figures.silent],
        subjects=SUBJECTS,
        missing=_missing(figures),
        kinds_of_lines=_kinds(figures),
        failing=figures.failing[:_MOST],
        refused=figures.access.users[:_MOST] if figures.access else [],
    )


def _number(value: int | None) -> str:
    return "not logged" if value is None else f"{value:,}"


def _percent(part: int | None, of: int | None) -> str:
    value = None if part is None or of is None else share(part, of)
    return "–" if value is None else f"{value:.1f}%"  # noqa: RUF001 - a dash


def _headline(found: Traffic) -> tuple[Literal["fail", ""], str]:
    """The sentence on top, and whether it is a warning."""
    lines = found.lines
    if not found.counted:
        sentence = nothing(lines)
        return "fail", sentence[0].upper() + sentence[1:]
    if not found.whole:
        return "fail", f"{lines.lost:,} lines with a TLS session are NOT counted"
    return "", f"TLS in {lines.total:,} lines of mail logs, {found.period}"


def _missing(found: Traffic) -> list[str]:
    """What the logs have nothing of: it is said, for a section that is not there says nothing."""
    there = {
        "mails from other servers": found.incoming.mails,
        "mails from people": found.submission.mails,
        "mails to other servers": found.outgoing.mails,
        "logins to read mail": found.access,
    }
    return [name for name, some in there.items() if not some]


def _kinds(found: Traffic) -> dict[str, int]:
    """Lines by kind; the first three of `Lines` are sums."""
    _, _, _, *kinds = found.lines.__struct_fields__
    return {name.replace("_", " "): getattr(found.lines, name) for name in kinds}
