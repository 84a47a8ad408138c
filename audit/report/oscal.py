"""OSCAL assessment results (NIST, 1.1.3, JSON) for those who collect evidence of compliance.

Every finding of ours is an observation. A finding of OSCAL is about one check on one host by one
policy, and says "satisfied" only if every observation of it passed or had nothing to judge, and
nothing that was planned is missing; "not-satisfied" if one failed, waived or not. Of what could
not be determined there are observations alone. UUIDs are made from names: those of findings and
risks are the same every night, those of observations are the run's own.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from audit.findings import Finding, Run, Waiver
from audit.past import NO_PAST, Past
from audit.report.encode import pretty
from audit.report.entries import check_of
from audit.report.identity import fingerprint, uuid
from audit.report.oscal_words import day_end, props, rfc3339, token, without_empty, words
from audit.report.summary import by_policy, place

VERSION = "1.1.3"
_FAILED = {"fail", "waived"}
_FINE = {"pass", "not-applicable"}

# One check on one host by one policy.
Subject = tuple[str, str, str]


def oscal_document(run: Run, _past: Past = NO_PAST) -> bytes:
    """The run as one document, with a result for each policy."""
    parts = list(by_policy(run)) if len(run.policies) > 1 else [run]
    complete = run.executed >= run.planned
    plan = uuid("plan", *(p.id for p in run.policies or (run.policy,)))
    results = {
        "uuid": uuid("results", run.run),
        "metadata": {
            "title": "TLS audit of a mail cluster",
            "last-modified": rfc3339(run.finished),
            "version": words(run.run),
            "oscal-version": VERSION,
        },
        "import-ap": {"href": f"#{plan}"},
        "local-definitions": {"objectives-and-methods": _objectives(run)},
        "results": [_result(part, complete=complete) for part in parts],
        "back-matter": {
            "resources": [
                {
                    "uuid": plan,
                    "title": words(f"Policy {run.policy.id} of {run.policy.version}"),
                    "description": "mailseal plans its checks from the policy and the inventory;"
                    " there is no other assessment plan.",
                }
            ]
        },
    }
    return pretty({"assessment-results": without_empty(results)})


def _objectives(run: Run) -> list[dict[str, Any]]:
    checks = {f.check: check_of(f) for f in run.findings}
    return [
        {
            "control-id": token(check.id),
            "description": words(check.title),
            "parts": [
                {
                    "id": f"{token(check.id)}_obj",
                    "name": "assessment-objective",
                    "prose": words(f"{check.title}. {check.why}"),
                }
            ],
        }
        for check in checks.values()
    ]


def _result(run: Run, *, complete: bool) -> dict[str, Any]:
    by_subject: dict[Subject, list[Finding]] = {}
    for f in run.findings:
        by_subject.setdefault((f.policy or run.policy.id, f.host, f.check), []).append(f)
    risks = {s: list(_risks(s, found)) for s, found in by_subject.items()}
    notices = [*run.notices, *(() if complete else ("Checks that were planned are missing.",))]
    return {
        "uuid": uuid("result", run.run, run.policy.id),
        "title": words(f"{run.policy.id} of {run.policy.version}"),
        "description": "What was seen on the wire and on the hosts, judged by the policy.",
        "start": rfc3339(run.started),
        "end": rfc3339(run.finished),
        "props": props(planned=str(run.planned), executed=str(run.executed)),
        "local-definitions": {
            "inventory-items": [
                {"uuid": uuid("host", host), "description": words(host)}
                for host in dict.fromkeys(f.host for f in run.findings)
            ]
        },
        "reviewed-controls": {
            "control-selections": [
                {"description": "Every check that the policy asks for.", "include-all": {}}
            ]
        },
        "observations": [_observation(f, run) for f in run.findings],
        "risks": [risk for found in risks.values() for risk in found],
        "findings": [
            _finding(subject, state, found, run, risks[subject])
            for subject, found in by_subject.items()
            if (state := _state(found, complete=complete))
        ],
        "remarks": words("; ".join(notices)) if notices else "",
    }


def _state(found: Iterable[Finding], *, complete: bool) -> str:
    """Satisfied, not-satisfied, or nothing where neither was shown."""
    verdicts = {f.verdict for f in found}
    if verdicts & _FAILED:
        return "not-satisfied"
    return "satisfied" if complete and "pass" in verdicts <= _FINE else ""


def _observation(finding: Finding, run: Run) -> dict[str, Any]:
    f = finding
    return {
        "uuid": _observation_id(f, run),
        "title": words(f"{f.check} on {place(f)}"),
        "description": words(f"{f.verdict}: {f.observed}; expected: {f.expected}"),
        "props": props(
            check=f.check,
            verdict=f.verdict,
            severity=f.severity,
            policy=f.policy,
            level=f.level,
            address=f.address,
            port=str(f.port or ""),
            service=f.service,
            item=f.item,
        ),
        "methods": ["TEST" if f.port else "EXAMINE"],
        "subjects": [{"subject-uuid": uuid("host", f.host), "type": "inventory-item"}],
        "relevant-evidence": [{"description": words(f.evidence)}] if f.evidence else [],
        "collected": rfc3339(run.started),
    }


def _observation_id(finding: Finding, run: Run) -> str:
    return uuid("observation", run.run, fingerprint(finding), finding.service)


def _risks(subject: Subject, found: list[Finding]) -> Iterator[dict[str, Any]]:
    """One for what fails, and one for each waiver; a waiver is a deviation that was approved."""
    causes: dict[Waiver | None, list[Finding]] = {}
    for f in found:
        if f.verdict in _FAILED:
            causes.setdefault(f.waiver, []).append(f)
    for waiver, failed in causes.items():
        check = check_of(failed[0])
        accepted = waiver.accepted if waiver else ""
        named = (*subject, accepted, str(waiver)) if waiver else (*subject, "")
        yield {
            "uuid": uuid("risk", *named),
            "title": words(f"{check.id} on {failed[0].host}"),
            "description": words("; ".join(dict.fromkeys(f.observed for f in failed))),
            "statement": words(check.why or check.title),
            "props": props(severity=failed[0].severity),
            "status": "deviation-approved" if waiver else "open",
            "deadline": day_end(waiver.expires) if waiver else "",
            "remediations": [
                {
                    "uuid": uuid("remediation", *named),
                    "lifecycle": "recommendation",
                    "title": words(f"To mend {check.id}"),
                    "description": words(check.fix),
                    "remarks": words(f"Accepted {accepted}") if accepted else "",
                }
            ],
        }


def _finding(
    subject: Subject, state: str, found: list[Finding], run: Run, risks: list[dict[str, Any]]
) -> dict[str, Any]:
    _, host, check = subject
    seen = found if state == "satisfied" else [f for f in found if f.verdict in _FAILED]
    return {
        "uuid": uuid("finding", *subject),
        "title": words(f"{check} on {host}"),
        "description": words("; ".join(dict.fromkeys(f.observed for f in seen))),
        "target": {
            "type": "objective-id",
            "target-id": f"{token(check)}_obj",
            "status": {"state": state, "reason": "pass" if state == "satisfied" else "fail"},
        },
        "related-observations": [{"observation-uuid": _observation_id(f, run)} for f in found],
        "related-risks": [{"risk-uuid": risk["uuid"]} for risk in risks],
    }
