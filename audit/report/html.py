"""The report of a run for people: one HTML file, useful without JavaScript."""

from collections.abc import Callable, Mapping
from itertools import groupby
from typing import Any, get_args

from audit.facts import DomainFacts
from audit.findings import Run, Severity, Verdict
from audit.past import NO_PAST, Past
from audit.report import ledgers
from audit.report.domains import rows
from audit.report.entries import Entry, entries, first_entries, link
from audit.report.matrix import matrix
from audit.report.page import minute, page
from audit.report.portrait import BEHAVES, Portrait, days_left, key_kind, portraits
from audit.report.shifts import drifts, shifts
from audit.report.summary import Summary, plural, summarize
from audit.report.trend import DRAWN, trend
from audit.waivers import SOON

_LISTED: Mapping[Verdict, tuple[str, str]] = {
    "fail": ("Failures", "What the policy forbids or misses, by host, the gravest first."),
    "inconclusive": (
        "Could not be determined",
        "Not a pass: the answer was missing or made no sense.",
    ),
    "waived": ("Waived", "Still failing; accepted by somebody until a date."),
    "pass": ("On phase-out", "Still passed, but the policy means to forbid it."),
}
_FILTERS: Mapping[str, Callable[..., Any]] = {"link": link, "key": key_kind, "left": days_left}
_WORDS = {
    "drawn": DRAWN,
    "behaves": BEHAVES,
    "severities": get_args(Severity),
    "soon": SOON.days,
}


def html_document(run: Run, past: Past = NO_PAST) -> bytes:
    """The run as one HTML file."""
    listed = _listed(run)
    found = [entry for entries_ in listed.values() for entry in entries_]
    return page(
        "report.html.j2",
        filters=_FILTERS,
        words=_WORDS,
        run=run,
        past=past,
        hosts=_hosts(run, past),
        first=first_entries(found),
        shifts=shifts(past.changes),
        drifts=drifts(past.drift),
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
        domains={one.domain: _by_label(one) for one in run.domains},
        portraits=_portraits(run),
        **_head(run),
    )


def _portraits(run: Run) -> list[tuple[str, list[Portrait]]]:
    """By host; endpoints come in as they are done, those of several hosts between each other."""
    found: dict[str, list[Portrait]] = {}
    for one in portraits(run):
        found.setdefault(one.host, []).append(one)
    return list(found.items())


def _by_label(facts: DomainFacts) -> dict[str, list[str]]:
    """The lines on a domain under what they are about."""
    return {label: [line for _, line in led] for label, led in groupby(rows(facts), _label)}


def _label(row: tuple[str, str]) -> str:
    return row[0]


def _head(run: Run) -> dict[str, Any]:
    """What stands at the top."""
    summary = summarize(run)
    return {
        "summary": summary,
        "headline": _headline(summary, run),
        "started": minute(run.started),
    }


def _hosts(run: Run, past: Past) -> dict[str, int]:
    """A number for each host, by which the filter knows it: a name may hold anything."""
    named = [f.host for f in run.findings]
    named += [e.endpoint.host for e in run.endpoints]
    named += [one.domain for one in run.domains]
    named += [change.finding.host for change in past.changes]
    named += [one.host for one in past.drift]
    return {host: number for number, host in enumerate(dict.fromkeys(named), 1)}


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
        return "fail", f"{failed:,} of {checks} failed"
    if unclear:
        return "inconclusive", f"Nothing failed, {unclear:,} of {checks} could not be determined"
    if summary.missing or not run.executed:
        return "inconclusive", f"Nothing failed, but only {run.executed} of {run.planned} were made"
    if summary.counts["waived"]:
        return "waived", f"{checks}: all hold but {summary.counts['waived']} that are waived"
    return "pass", f"All {checks} hold"
