"""Every planned check, one test each."""

from audit.findings import Finding
from audit.judge.bench import Planned


def test_check(planned: Planned, finding: Finding) -> None:
    """The finding is a pass."""
    assert finding.verdict == "pass", (
        f"{planned.check.title}: observed {finding.observed}; expected {finding.expected}"
    )
