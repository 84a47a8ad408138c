"""One HTML file for people: no external assets, useful without JavaScript, safe to mail around.

Everything in it may come from a hostile server. Every expression goes through `visible` and
jinja2's escaping, and a Content-Security-Policy names the hashes of our own style and script, so
that nothing else would run even if an escape were missing.
"""

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from itertools import groupby
from typing import Any, get_args

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from audit import __version__
from audit.changes import Kind
from audit.findings import Run, Severity, Verdict
from audit.past import NO_PAST, Past
from audit.report import ledgers
from audit.report.entries import Entry, entries, first_entries, link
from audit.report.matrix import matrix
from audit.report.portrait import BEHAVES, days_left, key_kind, portraits
from audit.report.shifts import shifts
from audit.report.summary import Summary, moment, plural, summarize
from audit.report.trend import DRAWN, trend
from audit.report.visible import visible
from audit.waivers import SOON

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
# How a change is called, and what it means.
_KINDS: Mapping[Kind, tuple[str, str]] = {
    "new": ("New", "failures and doubts that were not there before"),
    "lost": ("Lost", "checks that are no longer made: somebody took an endpoint or a host away"),
    "fixed": ("Fixed", "failures and doubts that are gone"),
    "waived": ("Waived", "failures that are accepted now"),
    "changed": ("Changed", "the same verdict on something else"),
    "added": ("Added", "checks that were not made before, and are fine"),
}


def html_document(run: Run, past: Past = NO_PAST) -> bytes:
    """The run as one HTML file."""
    environment = sandboxed()
    style = environment.get_template("style.css.j2").render()
    script = environment.get_template("report.js.j2").render()
    listed = _listed(run)
    found = [entry for entries_ in listed.values() for entry in entries_]
    page = environment.get_template("report.html.j2").render(
        run=run,
        past=past,
        hosts=_hosts(run, past),
        first=first_entries(found),
        shifts=shifts(past.changes),
        sections=[
            (verdict, *_LISTED[verdict], sum(len(e.places) for e in among), _by_host(among))
            for verdict, among in listed.items()
        ],
        matrix=matrix(run, found),
        trend=trend(run, past),
        waivers=ledgers.waivers(run),
        certificates=ledgers.certificates(run),
        versions=ledgers.versions(run),
        suites=ledgers.suites(run),
        portraits=[(h, list(group)) for h, group in groupby(portraits(run), lambda p: p.host)],
        style=style,
        script=script,
        style_hash=digest(style),
        script_hash=digest(script),
        **_head(run),
    )
    return page.encode()


def _head(run: Run) -> dict[str, Any]:
    """What stands at the top."""
    summary = summarize(run)
    return {
        "summary": summary,
        "headline": _headline(summary, run),
        "started": _minute(run.started),
    }


def _hosts(run: Run, past: Past) -> dict[str, int]:
    """A number for each host, by which the filter knows it: a name may hold anything."""
    named = [f.host for f in run.findings]
    named += [e.endpoint.host for e in run.endpoints]
    named += [change.finding.host for change in past.changes]
    return {host: number for number, host in enumerate(dict.fromkeys(named), 1)}


def sandboxed() -> Environment:
    """What every page is made with: whatever a server said is shown and does nothing."""
    environment = Environment(
        loader=PackageLoader("audit.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_harmless,
    )
    environment.filters |= {
        "lines": _lines,
        "link": link,
        "plural": plural,
        "minute": _minute,
        "key": key_kind,
        "left": days_left,
    }
    environment.globals |= {
        "verdicts": _VERDICTS,
        "kinds": _KINDS,
        "drawn": DRAWN,
        "behaves": BEHAVES,
        "severities": get_args(Severity),
        "soon": SOON.days,
        "version": __version__,
    }
    return environment


def _harmless(value: Any) -> Any:  # noqa: ANN401 - jinja2 hands us whatever a template names
    """Every text that is not our own markup, with its control characters made visible."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _lines(text: str) -> Markup:
    """Evidence of several lines, for a place where none of them can be taken for ours."""
    return escape(visible(text, lines=True))


def digest(text: str) -> str:
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
