"""JSON Lines, held to the schema that is shipped."""

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from audit.findings import Run
from audit.report.json import run_document
from audit.report.jsonl import lines_document
from tests.report.report_factories import WAIVER, lab_run, make_finding, make_run, several_policies

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "schema" / "finding-1.json").read_bytes())


def lines(run: Run) -> list[Any]:
    """Every line, if the schema accepts it."""
    found = [json.loads(line) for line in lines_document(run).decode().splitlines()]
    for line in found:
        Draft202012Validator(SCHEMA).validate(line)
    return found


def test_every_finding_is_a_line_that_stands_alone() -> None:
    """With run, time and policy beside all that the JSON of the run says of it."""
    found = lines(several_policies())
    whole = json.loads(run_document(several_policies()))
    own = {"schema": "mailseal/finding/1", "run": whole["run"], "time": whole["started"]}
    editions = {p["id"]: p["version"] for p in whole["policies"]}
    assert found == [
        {**f, **own, "policy_version": editions[f["policy"]]} for f in whole["findings"]
    ]


def test_a_run_has_as_many_lines_as_findings() -> None:
    """Whatever they are."""
    assert len(lines(lab_run())) == len(lab_run().findings)
    assert lines(make_run()) == []


def test_a_waiver_is_told() -> None:
    """By whom and until when."""
    (line,) = lines(make_run(make_finding(verdict="waived", waiver=WAIVER)))
    assert line["waiver"]["expires"] == "2027-01-31"


def test_hostile_text_makes_no_line_of_its_own() -> None:
    """Line feeds, line separators and bytes that are no text stay inside the string."""
    hostile = '\n{"forged": true}\n\u2028\x85\udcff\x1b[2J'
    document = lines_document(make_run(make_finding(observed=hostile, host=hostile)))
    assert len(document.decode().splitlines()) == 1
    assert len(lines(make_run(make_finding(observed=hostile)))) == 1
