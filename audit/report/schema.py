"""The JSON Schemas of our documents: `python -m audit.report.schema docs/schema` writes them."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from audit.forecast.outcome import Forecasts
from audit.policy.diff import Difference
from audit.policy.document import PoliciesDocument, PolicyDocument
from audit.report.diff import DiffDocument
from audit.report.documents import LineDocument, PassageDocument, RunDocument, ScanDocument
from audit.report.listing import HistoryDocument
from audit.report.news import NotificationDocument
from audit.report.prospect_json import StagingDocument
from audit.report.rollouts import RolloutsDocument
from audit.rollout.model import Rollout
from audit.tlsrpt.document import TlsReportsDocument
from audit.tlsrpt.report import Report as TlsReport
from audit.traffic.figures import Traffic
from audit.whatif.document import WhatIfDocument

DOCUMENTS: Mapping[str, type[msgspec.Struct]] = {
    "clients-1.json": Forecasts,
    "diff-1.json": DiffDocument,
    "finding-1.json": LineDocument,
    "history-1.json": HistoryDocument,
    "notification-1.json": NotificationDocument,
    "passage-1.json": PassageDocument,
    "policies-1.json": PoliciesDocument,
    "policy-1.json": PolicyDocument,
    "policy-diff-1.json": Difference,
    "rollout-1.json": Rollout,
    "rollouts-1.json": RolloutsDocument,
    "run-1.json": RunDocument,
    "scan-1.json": ScanDocument,
    "staging-1.json": StagingDocument,
    "tls-report-1.json": TlsReport,
    "tlsrpt-1.json": TlsReportsDocument,
    "traffic-1.json": Traffic,
    "whatif-1.json": WhatIfDocument,
}


def schema(name: str) -> bytes:
    """The JSON Schema (2020-12) in the file of this name."""
    document = DOCUMENTS[name]
    _, definitions = msgspec.json.schema_components([document])
    root = definitions.pop(document.__name__)
    complete: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:mailseal:{name.removesuffix('-1.json')}:1",
        **root,
        "$defs": definitions,
    }
    return msgspec.json.format(msgspec.json.encode(complete), indent=2) + b"\n"


def main(directory: Path) -> None:
    """Write every schema into this directory."""
    for name in DOCUMENTS:
        (directory / name).write_bytes(schema(name))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
