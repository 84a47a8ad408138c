"""What the gate saw: the findings of a run.json."""

from pathlib import Path
from typing import Any

import msgspec

from audit.errors import MALFORMED
from audit.findings import Finding, PolicyId, Run


class _Found(Finding, frozen=True, kw_only=True):
    # A report names the waiver otherwise than the inventory does; the verdict says enough.
    waiver: Any = None


class _Seen(msgspec.Struct):
    findings: tuple[_Found, ...]
    planned: int = 0


def findings_run(document: bytes) -> Run:
    """The findings of a "mailseal/run/1", as a run that can be compared.

    Raises:
        ValueError, RecursionError: it is no such document.
    """
    seen = msgspec.json.decode(document, type=_Seen)
    nobody = PolicyId(id="", version="")
    planned = max(seen.planned, len(seen.findings))
    return Run(
        run="", started="", finished="", policy=nobody, planned=planned, findings=seen.findings
    )


def run_of(path: Path) -> Run | None:
    """The run of a file; None if it is not there, or none: then nothing is known."""
    try:
        return findings_run(path.read_bytes())
    except (OSError, *MALFORMED):
        return None
