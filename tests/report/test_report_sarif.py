"""SARIF, held to the schema of OASIS."""

from typing import Any

import pytest

from audit.findings import Finding, Run, Verdict
from audit.judge.catalogue import CATALOGUE
from audit.past import NO_PAST, Past
from audit.report.sarif import sarif_document
from tests.report.report_factories import (
    NOTICES,
    WAIVER,
    lab_past,
    lab_run,
    make_endpoint_facts,
    make_finding,
    make_run,
    several_policies,
)
from tests.report.schemas import valid

HOSTILE = "\x00\x1b[2J\udcff\u202e</script>"


def log(run: Run, past: Past = NO_PAST) -> Any:
    """The one run in the log, if the log is valid."""
    (found,) = valid(sarif_document(run, past), "sarif")["runs"]
    return found


def result(finding: Finding) -> Any:
    """What one finding becomes."""
    (found,) = log(make_run(finding))["results"]
    return found


@pytest.mark.parametrize("past", [NO_PAST, lab_past()], ids=["alone", "with a past"])
@pytest.mark.parametrize("run", [lab_run(), several_policies(), make_run(planned=3)])
def test_the_log_is_valid(run: Run, past: Past) -> None:
    """OASIS's own schema accepts it."""
    assert log(run, past)["tool"]["driver"]["name"] == "mailseal"


def test_the_schema_would_refuse_another_shape() -> None:
    """The broken twin: a verdict of ours is no kind of SARIF's."""
    kind = b'"kind": "fail'
    document = sarif_document(make_run(make_finding())).replace(kind, kind + b"ed", 1)
    with pytest.raises(AssertionError, match="'failed' is not one of"):
        valid(document, "sarif")


def test_rules_are_the_catalogue_with_help_and_an_address_to_read_on() -> None:
    """Every check, made or not; each result points at its own."""
    found = log(lab_run())
    rules = found["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(CATALOGUE)
    for rule in rules:
        check = CATALOGUE[rule["id"]]
        assert check.fix in rule["help"]["text"]
        assert rule["helpUri"].startswith("https://")
    assert all(rules[r["ruleIndex"]]["id"] == r["ruleId"] for r in found["results"])


def test_each_verdict_has_its_kind() -> None:
    """What could not be determined is open and never a pass; only what fails has a level."""
    kinds: dict[Verdict, tuple[str, str]] = {
        "pass": ("pass", "none"),
        "fail": ("fail", "error"),
        "inconclusive": ("open", "none"),
        "not-applicable": ("notApplicable", "none"),
        "waived": ("fail", "error"),
    }
    for verdict, expected in kinds.items():
        found = result(make_finding(verdict=verdict))
        assert expected == (found["kind"], found["level"])


def test_a_place_is_a_logical_location() -> None:
    """Host, port and the name of the service; an s where it begins with TLS."""
    facts = make_endpoint_facts(place=(1465, "smtp", "implicit"))
    named = {
        "imap1:143/imap": make_finding(),
        "imap1:993/imaps": make_finding(port=993),
        "imap1:1465/smtps": make_finding(port=1465, service="smtp"),
        "imap1": make_finding(address="", port=0, service=""),
    }
    found = log(make_run(*named.values(), endpoints=(facts,)))["results"]
    places = [r["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] for r in found]
    assert places == list(named)


def test_a_waiver_is_an_external_suppression() -> None:
    """With who accepted it, why and until when."""
    (suppression,) = result(make_finding(verdict="waived", waiver=WAIVER))["suppressions"]
    assert suppression["kind"] == "external"
    assert suppression["justification"] == WAIVER.accepted
    assert suppression["properties"]["expires"] == "2027-01-31"


def test_without_a_past_nothing_is_said_about_it() -> None:
    """Neither new nor unchanged: nobody knows."""
    found = log(lab_run())
    assert "baselineGuid" not in found
    assert not any("baselineState" in r for r in found["results"])


def test_the_past_makes_baseline_states() -> None:
    """New, updated and unchanged results, and one that is absent now."""
    past = lab_past()
    found = log(lab_run(), past)
    states: dict[str, list[Any]] = {}
    for r in found["results"]:
        states.setdefault(r["baselineState"], []).append(r)
    kinds = [change.kind for change in past.changes]
    assert [r["ruleId"] for r in states["absent"]] == ["MT-PORT-EXPECT"]
    assert len(states["new"]) == sum(c.before is None for c in past.changes) == kinds.count("added")
    assert len(states["updated"]) == sum(None not in (c.before, c.after) for c in past.changes)
    assert len(states["unchanged"]) == len(lab_run().findings) - len(past.changes) + 1
    assert found["baselineGuid"] != found["automationDetails"]["guid"]


def test_a_fingerprint_names_the_place_and_not_what_was_seen() -> None:
    """Host, address, port, check and policy; it outlives a night, and differs for each of them."""
    base = make_finding(policy="mailseal-2026")
    (same,) = {
        result(f)["partialFingerprints"]["mailseal/v1"]
        for f in (base, make_finding(policy="mailseal-2026", verdict="pass", observed="refused"))
    }
    others = {
        result(make_finding(**{"policy": "mailseal-2026", **change}))["partialFingerprints"][
            "mailseal/v1"
        ]
        for change in (
            *({"host": "imap2"}, {"address": "fd00::1"}, {"port": 993}, {"check": "MT-SSL3"}),
            {"policy": "ncsc-nl-2025"},
        )
    }
    assert len(others) == 5
    assert same not in others


def test_a_run_that_lost_checks_was_no_success() -> None:
    """The invocation says so, and says what was said beside the findings."""
    (invocation,) = log(make_run(make_finding(), planned=3, notices=NOTICES))["invocations"]
    assert invocation["executionSuccessful"] is False
    said = [n["message"]["text"] for n in invocation["toolExecutionNotifications"]]
    assert said == [NOTICES[0], "Planned 3 checks, made 1: 2 are missing."]


def test_hostile_text_stays_text() -> None:
    """No control character, bidi mark or lone surrogate is in the file as such."""
    finding = make_finding(host=HOSTILE, observed=HOSTILE, evidence=HOSTILE, check=HOSTILE)
    document = sarif_document(make_run(finding, run=HOSTILE, started=HOSTILE))
    valid(document, "sarif")
    assert not set(document.decode()) & set(HOSTILE[:1] + HOSTILE[1] + HOSTILE[5:7])
