"""One HTML file for people: no external assets, useful without JavaScript, safe to mail around.

Everything in it may come from a hostile server. Every expression goes through `visible` and
jinja2's escaping, and a Content-Security-Policy names the hashes of our own style and script, so
that nothing else would run even if an escape were missing.
"""

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from audit.findings import Run, Verdict
from audit.past import NO_PAST, Past
from audit.report.entries import Entry, entries, link
from audit.report.matrix import matrix
from audit.report.portrait import BEHAVES, portraits
from audit.report.summary import Summary, moment, plural, summarize
from audit.report.visible import visible

# Name and symbol: a verdict is never told by colour alone.
_VERDICTS: Mapping[Verdict, tuple[str, str]] = {
    "fail": ("failed", "✕"),
    "inconclusive": ("inconclusive", "?"),
    "waived": ("waived", "w"),
    "pass": ("passed", "✓"),
    "not-applicable": ("not applicable", "\N{EN DASH}"),
}
_LISTED: Mapping[Verdict, tuple[str, str]] = {
    "fail": ("Failures", "What the policy forbids or misses, by host, the gravest first."),
    "inconclusive": (
        "Could not be determined",
        "Not a pass: the answer was missing or made no sense.",
    ),
    "waived": ("Waived", "Still failing; accepted by somebody until a date."),
    "pass": ("On phase-out", "Still passed, but the policy means to forbid it."),
}


def html_document(run: Run, past: Past = NO_PAST) -> bytes:
    """The run as one HTML file."""
    environment = _environment()
    style = environment.get_template("style.css.j2").render()
    script = environment.get_template("report.js.j2").render()
    summary = summarize(run)
    listed = _listed(run)
    page = environment.get_template("report.html.j2").render(
        run=run,
        summary=summary,
        headline=_headline(summary, run),
        started=_minute(run.started),
        sections=[
            (verdict, *_LISTED[verdict], sum(len(e.places) for e in found), _by_host(found))
            for verdict, found in listed.items()
        ],
        matrix=matrix(run, [entry for found in listed.values() for entry in found]),
        verdicts=_VERDICTS,
        behaves=BEHAVES,
        portraits=[(h, list(group)) for h, group in groupby(portraits(run), lambda p: p.host)],
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
    )
    return page.encode()


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("audit.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_harmless,
    )
    environment.filters |= {"lines": _lines, "link": link, "plural": plural}
    return environment


def _harmless(value: Any) -> Any:  # noqa: ANN401 - jinja2 hands us whatever a template names
    """Every text that is not our own markup, with its control characters made visible."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _lines(text: str) -> Markup:
    """Evidence of several lines, for a place where none of them can be taken for ours."""
    return escape(visible(text, lines=True))


def _hash(text: str) -> str:
    """As Content-Security-Policy names an inline style or script."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _listed(run: Run) -> dict[Verdict, list[Entry]]:
    listed: dict[Verdict, list[Entry]] = {}
    number = 1
    for verdict in _LISTED:
        # Of what passed, only what will not for ever.
        shown = [f for f in run.findings if verdict != "pass" or f.level == "phase-out"]
        found = entries(shown, verdict, number)
        number += len(found)
        if found:
            listed[verdict] = found
    return listed


def _by_host(found: list[Entry]) -> list[tuple[str, list[Entry]]]:
    return [(host, list(group)) for host, group in groupby(found, lambda e: e.finding.host)]


def _headline(summary: Summary, run: Run) -> tuple[Verdict, str]:
    """The verdict on the whole run, as one sentence; missing checks never read as fine."""
    failed, unclear = summary.counts["fail"], summary.counts["inconclusive"]
    checks = plural(run.executed, "check")
    if failed:
        return "fail", f"{failed} of {checks} failed"
    if unclear:
        return "inconclusive", f"Nothing failed, {unclear} of {checks} could not be determined"
    if summary.missing or not run.executed:
        return "inconclusive", f"Nothing failed, but only {run.executed} of {run.planned} were made"
    if summary.counts["waived"]:
        return "waived", f"{checks}: all hold but {summary.counts['waived']} that are waived"
    return "pass", f"All {checks} hold"


def _minute(stamp: str) -> str:
    time = moment(stamp)
    return f"{time:%-d %B %Y, %H:%M} UTC" if time else stamp
