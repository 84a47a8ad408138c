"""SARIF 2.1.0 (OASIS) for code scanning and the like: checks are rules, findings are results.

A result has no file to point to; its place is a logical location such as mail01:993/imaps. Every
finding is a result, the passed ones too: a reader tells "looked at and fine" from "not looked at".
"""

from collections.abc import Iterator, Mapping
from typing import Any

from audit import __version__
from audit.changes import Change, key
from audit.facts import Mode
from audit.findings import Finding, Run, Severity, Verdict, Waiver
from audit.judge.catalogue import CATALOGUE, SUBJECTS, Check
from audit.past import NO_PAST, Past
from audit.ports import MAIL_PORTS
from audit.report.encode import pretty, text
from audit.report.entries import check_of, link, subject
from audit.report.identity import fingerprint, uuid
from audit.report.summary import moment
from audit.report.visible import visible

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_KINDS: Mapping[Verdict, str] = {
    "pass": "pass",
    "fail": "fail",
    "inconclusive": "open",
    "not-applicable": "notApplicable",
    "waived": "fail",  # with a suppression
}
# Level, and the number by which code scanning sorts.
_LEVELS: Mapping[Severity, tuple[str, str]] = {
    "critical": ("error", "9.5"),
    "high": ("error", "8.0"),
    "medium": ("warning", "5.5"),
    "low": ("note", "3.0"),
}
_SUBJECTS = {check.id: subject for subject, rows in SUBJECTS.items() for check in rows}


def sarif_document(run: Run, past: Past = NO_PAST) -> bytes:
    """The run as a SARIF log with one run in it."""
    checks = {**CATALOGUE, **{f.check: check_of(f) for f in run.findings}}
    places = {name: number for number, name in enumerate(checks)}
    driver = {
        "name": "mailseal",
        "semanticVersion": __version__,
        "rules": [_rule(check) for check in checks.values()],
    }
    document = {
        "tool": {"driver": driver},
        "automationDetails": {
            "id": visible(f"mailseal/{run.policy.id}/{run.run}"),
            "guid": uuid("run", run.run),
        },
        "invocations": [_invocation(run)],
        "results": list(_results(run, past, places)),
        "properties": {
            "planned": run.planned,
            "executed": run.executed,
            "policies": [
                {"id": text(p.id), "version": text(p.version)}
                for p in run.policies or (run.policy,)
            ],
        },
    }
    if past.nights:
        document["baselineGuid"] = uuid("run", past.nights[-1].run)
    return pretty({"$schema": _SCHEMA, "version": "2.1.0", "runs": [document]})


def _rule(check: Check) -> dict[str, Any]:
    level, number = _LEVELS[check.severity]
    rule = {
        "id": visible(check.id),
        "shortDescription": {"text": check.title},
        "fullDescription": {"text": check.why or check.title},
        "help": {
            "text": f"{check.why}\n\nTo mend: {check.fix}\n\nHow it is tested: {check.how}"
            f"\n\nReferences: {'; '.join(check.references)}"
        },
        "defaultConfiguration": {"level": level},
        "properties": {
            "security-severity": number,
            "tags": ["security", "tls", _SUBJECTS.get(check.id, "unknown")],
        },
    }
    address = next(filter(None, map(link, check.references)), None)
    return {**rule, "helpUri": address} if address else rule


def _invocation(run: Run) -> dict[str, Any]:
    """When it ran, whether it made every check, and what was said beside the findings."""
    missing = run.planned - run.executed
    said = [(notice, "note") for notice in run.notices]
    if missing:
        words = f"Planned {run.planned} checks, made {run.executed}: {missing} are missing."
        said.append((words, "error"))
    times = {"startTimeUtc": moment(run.started), "endTimeUtc": moment(run.finished)}
    return {
        "executionSuccessful": not missing,
        "toolExecutionNotifications": [
            {"level": level, "message": {"text": visible(words)}} for words, level in said
        ],
        **{name: time for name, time in times.items() if time},
    }


def _results(run: Run, past: Past, rules: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    changes = {key(change.finding): change for change in past.changes}
    modes = {
        (e.endpoint.host, e.endpoint.address, e.endpoint.port): e.endpoint.mode
        for e in run.endpoints
    }
    for finding in run.findings:
        state = _state(changes.get(key(finding))) if past.known else {}
        mode = modes.get((finding.host, finding.address, finding.port))
        yield _result(finding, mode) | {"ruleIndex": rules[finding.check]} | state
    for change in past.changes:
        if change.after is None:
            yield _result(change.finding, None) | {"baselineState": "absent"}


def _state(change: Change | None) -> dict[str, str]:
    if change is None:
        return {"baselineState": "unchanged"}
    return {"baselineState": "updated" if change.before else "new"}


def _result(finding: Finding, mode: Mode | None) -> dict[str, Any]:
    f = finding
    level = _LEVELS[f.severity][0] if f.verdict in ("fail", "waived") else "none"
    expected = f"; expected: {f.expected}" if f.expected else ""
    result: dict[str, Any] = {
        "ruleId": visible(f.check),
        "kind": _KINDS[f.verdict],
        "level": level,
        "message": {"text": visible(f"{f.observed}{expected}") or f.verdict},
        "locations": [{"logicalLocations": [_location(f, mode)]}],
        "partialFingerprints": {"mailseal/v1": fingerprint(f)},
        "properties": {
            name: text(value)
            for name in (
                *("verdict", "severity", "address", "observed", "expected", "evidence", "item"),
                *("level", "policy"),
            )
            if (value := getattr(f, name))
        },
    }
    return result | {"suppressions": [_suppression(f.waiver)]} if f.waiver else result


def _location(finding: Finding, mode: Mode | None) -> dict[str, str]:
    """mail01:993/imaps; an s for what begins with TLS, as in the names that IANA gives ports."""
    if not finding.port:
        return {"fullyQualifiedName": visible(finding.host) or "-", "kind": subject(finding)}
    standard = MAIL_PORTS.get(finding.port, ("", "starttls"))[1]
    service = finding.service + ("s" if (mode or standard) == "implicit" else "")
    name = f"{finding.host}:{finding.port}/{service}"
    return {"fullyQualifiedName": visible(name), "kind": "service"}


def _suppression(waiver: Waiver) -> dict[str, Any]:
    words = {
        "owner": text(waiver.owner),
        "expires": waiver.expires.isoformat(),
        "ticket": text(waiver.ticket),
    }
    return {
        "kind": "external",
        "status": "accepted",
        "justification": visible(waiver.accepted),
        "properties": {name: value for name, value in words.items() if value},
    }
