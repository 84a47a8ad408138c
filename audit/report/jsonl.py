"""JSON Lines for log shippers: each finding on its own, with run, time and policy."""

from msgspec.structs import asdict

from audit.findings import Run
from audit.past import NO_PAST, Past
from audit.report.documents import LineDocument
from audit.report.encode import line, text
from audit.report.json import finding_document


def lines_document(run: Run, _past: Past = NO_PAST) -> bytes:
    """The findings of a run, one a line, in its order; no finding, no line."""
    editions = {policy.id: policy.version for policy in run.policies or (run.policy,)}
    return b"".join(
        line(
            LineDocument(
                **asdict(finding_document(finding)),
                schema="mailseal/finding/1",
                run=text(run.run),
                time=text(run.started),
                policy_version=text(editions.get(finding.policy, "")),
            )
        )
        for finding in run.findings
    )
