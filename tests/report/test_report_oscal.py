"""OSCAL assessment results, held to the schema of NIST."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from audit.findings import Finding, Run, Verdict
from audit.judge.catalogue import CATALOGUE
from audit.report.oscal import oscal_document
from tests.report.report_factories import (
    NOTICES,
    WAIVER,
    lab_run,
    make_finding,
    make_run,
    several_policies,
)
from tests.report.schemas import valid

HOSTILE = "\x00\x1b[2J\udcff\u202e\n </script> "


def results(run: Run) -> list[Any]:
    """The results of a valid document."""
    document = valid(oscal_document(run), "oscal")["assessment-results"]
    found: list[Any] = document["results"]
    return found


def result(*findings: Finding, **changes: Any) -> Any:
    """The one result of a run of these findings."""
    (found,) = results(make_run(*findings, **changes))
    return found


def states(*findings: Finding, **changes: Any) -> list[str]:
    """What is said of each target."""
    found = result(*findings, **changes).get("findings", [])
    return [f["target"]["status"]["state"] for f in found]


def seen(*verdicts: Verdict) -> tuple[Finding, ...]:
    """One check on ports of one host."""
    return tuple(make_finding(verdict=v, port=100 + n) for n, v in enumerate(verdicts))


@pytest.mark.parametrize("run", [lab_run(), several_policies(), make_run(planned=3)])
def test_the_document_is_valid(run: Run) -> None:
    """NIST's own schema accepts it."""
    assert results(run)


def test_the_schema_would_refuse_another_shape() -> None:
    """The broken twin: an empty title is no title."""
    document = oscal_document(make_run(make_finding())).replace(b'"MT-TLS10 on imap1"', b'""')
    with pytest.raises(AssertionError, match="title"):
        valid(document, "oscal")


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (("pass",), ["satisfied"]),
        (("pass", "not-applicable"), ["satisfied"]),
        (("pass", "fail"), ["not-satisfied"]),
        (("fail", "inconclusive"), ["not-satisfied"]),
        (("pass", "waived"), ["not-satisfied"]),
        (("pass", "inconclusive"), []),
        (("inconclusive",), []),
        (("not-applicable",), []),
    ],
)
def test_a_target_is_satisfied_only_by_positive_evidence(
    verdicts: tuple[Verdict, ...], expected: list[str]
) -> None:
    """A waived failure is none, and of what could not be determined nothing is said."""
    assert states(*seen(*verdicts)) == expected


def test_nothing_is_satisfied_where_checks_are_missing() -> None:
    """Nobody knows whose they were; failures are failures all the same."""
    assert states(*seen("pass"), planned=2) == []
    assert states(*seen("fail"), planned=2) == ["not-satisfied"]
    assert "missing" in result(*seen("pass"), planned=2)["remarks"]


def test_every_check_made_is_an_observation_with_its_evidence() -> None:
    """The one finding of a check on a host rests on all of them."""
    found = result(*seen("pass", "fail", "inconclusive"))
    assert len(found["observations"]) == 3
    assert found["observations"][1]["relevant-evidence"][0]["description"].startswith("ServerHello")
    ids = [o["uuid"] for o in found["observations"]]
    (one,) = found["findings"]
    assert [o["observation-uuid"] for o in one["related-observations"]] == ids


def test_a_waiver_is_a_deviation_with_a_deadline() -> None:
    """Beside the risk of what fails without one, which is open."""
    waived = make_finding(verdict="waived", waiver=WAIVER)
    opened, approved = result(make_finding(port=993), waived)["risks"]
    assert (opened["status"], approved["status"]) == ("open", "deviation-approved")
    assert approved["deadline"] == "2027-01-31T23:59:59Z"
    assert WAIVER.accepted in approved["remediations"][0]["remarks"]
    assert approved["remediations"][0]["description"] == CATALOGUE["MT-TLS10"].fix


def test_each_policy_has_a_result() -> None:
    """With its own findings; what one calls a failure another may not."""
    found = results(several_policies())
    assert [r["title"].split()[0] for r in found] == ["mailseal-2026", "ncsc-nl-2025"]
    assert [len(r["observations"]) for r in found] == [2, 2]


def test_uuids_are_the_same_each_time_and_none_comes_twice() -> None:
    """A finding keeps its own from night to night, an observation does not."""
    document = oscal_document(several_policies())
    assert document == oscal_document(several_policies())
    uuids = [line for line in document.decode().splitlines() if line.lstrip().startswith('"uuid"')]
    hosts = 1  # of one host, in two results
    assert len(set(uuids)) == len(uuids) - hosts
    tonight, tomorrow = result(*seen("fail")), result(*seen("fail"), run="tomorrow")
    assert tonight["findings"][0]["uuid"] == tomorrow["findings"][0]["uuid"]
    assert tonight["observations"][0]["uuid"] != tomorrow["observations"][0]["uuid"]


def test_two_waivers_that_differ_in_ports_alone_are_two_risks() -> None:
    """Each with UUIDs of its own."""
    found = [
        make_finding(verdict="waived", port=port, waiver=replace(WAIVER, ports=(port,)))
        for port in (143, 993)
    ]
    risks = result(*found)["risks"]
    assert len({r["uuid"] for r in risks}) == len(risks) == 2
    assert len({r["remediations"][0]["uuid"] for r in risks}) == 2


def test_notices_are_remarks() -> None:
    """What is said beside the findings."""
    assert result(make_finding(), notices=NOTICES)["remarks"] == NOTICES[0]


def test_hostile_text_stays_a_line_of_text() -> None:
    """Whatever a server or host says, the document is valid and holds no control character."""
    finding = make_finding(**dict.fromkeys(("host", "observed", "evidence", "check"), HOSTILE))
    document = oscal_document(make_run(finding, run=HOSTILE, started=HOSTILE, finished=""))
    valid(document, "oscal")
    assert not {"\x00", "\x1b", "\u202e"} & set(
        json.dumps(json.loads(document), ensure_ascii=False)
    )
