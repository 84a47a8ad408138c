"""JUnit XML, as Jenkins reads it."""

import re
from xml.etree import ElementTree as ET

from junitparser import JUnitXml

from audit.findings import Run
from audit.report.junit import junit_document
from tests.report.report_factories import (
    WAIVER,
    lab_run,
    make_finding,
    make_run,
    several_policies,
)

COUNTS = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def parsed(run: Run) -> ET.Element:
    """The document, if its structure is what junit-10.xsd of Jenkins' xUnit plugin allows.

    There is no official schema of JUnit XML; that one is the nearest to it, and no package has it.
    """
    root = ET.fromstring(junit_document(run))  # noqa: S314 - our own
    assert root.tag == "testsuites"
    assert set(root.attrib) == {"name", "time", "tests", "failures", "errors"}
    for seconds in (root.attrib["time"], *(suite.attrib["time"] for suite in root)):
        assert re.fullmatch(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?", seconds)
    for suite in root:
        assert suite.tag == "testsuite"
        assert {"name", "tests", "time", "timestamp", "hostname", *COUNTS} == set(suite.attrib)
        assert [child.tag for child in suite[:1]] == ["properties"]
        assert {child.tag for child in suite[1:]} == {"testcase"}
        assert int(suite.attrib["tests"]) == len(suite) - 1
        for case in suite[1:]:
            assert {"classname", "name", "time"} == set(case.attrib)
            assert len(case) <= 1
            assert {child.tag for child in case} <= set(COUNTS.values())
    for element in [root, *root]:
        for attribute in element.attrib.keys() & COUNTS.keys():
            tag = COUNTS[attribute]
            assert int(element.attrib[attribute]) == len(list(element.iter(tag)))
    return root


def only_case(run: Run) -> ET.Element:
    """The one test case of a run of one finding."""
    (case,) = parsed(run).iter("testcase")
    return case


def test_every_host_is_a_suite_and_every_check_a_case() -> None:
    """The numbers of the document are those of the run."""
    root = parsed(lab_run())
    assert [suite.attrib["name"] for suite in root] == ["mx1", "mx2", "msa1", "imap1", "imap2"]
    assert root.attrib["tests"] == str(len(lab_run().findings))
    assert (root.attrib["failures"], root.attrib["errors"]) == ("22", "2")


def test_another_reader_counts_the_same() -> None:
    """The library junitparser finds in each suite what the suite says of itself."""
    found = JUnitXml.fromstring(junit_document(lab_run()))
    said = [(s.tests, s.failures, s.errors, s.skipped) for s in found]
    found.update_statistics()  # type: ignore[no-untyped-call]
    assert [(s.tests, s.failures, s.errors, s.skipped) for s in found] == said
    assert sum(skipped for *_, skipped in said) == 4


def test_a_case_is_named_after_its_endpoint() -> None:
    """Host, service with port and address family are the class; the check is the name."""
    case = only_case(make_run(make_finding(address="fd00::1")))
    assert case.attrib["classname"] == "mailseal.imap1.imap143.ipv6"
    assert case.attrib["name"] == "MT-TLS10"
    host = only_case(make_run(make_finding(address="", port=0, service="")))
    assert host.attrib["classname"] == "mailseal.imap1.host"


def test_two_addresses_of_one_family_have_names_of_their_own() -> None:
    """And one that is alone of its family keeps the name that its trend has."""
    places = ("192.0.2.1", "192.0.2.2", "fd00::1")
    cases = parsed(make_run(*(make_finding(address=a) for a in places))).iter("testcase")
    assert [case.attrib["classname"] for case in cases] == [
        "mailseal.imap1.imap143.ipv4-192-0-2-1",
        "mailseal.imap1.imap143.ipv4-192-0-2-2",
        "mailseal.imap1.imap143.ipv6",
    ]


def test_no_name_comes_twice_with_several_policies() -> None:
    """Each case is named after its policy too."""
    cases = list(parsed(several_policies()).iter("testcase"))
    names = {(case.attrib["classname"], case.attrib["name"]) for case in cases}
    assert len(names) == len(cases)
    assert cases[0].attrib["name"] == "MT-TLS10 by mailseal-2026"
    assert "level: insufficient" in (cases[0][0].text or "")


def test_each_verdict_has_its_element() -> None:
    """Could not test is an error and no failure; waived and not applicable are skipped."""
    elements = {
        "pass": None,
        "fail": "failure",
        "inconclusive": "error",
        "waived": "skipped",
        "not-applicable": "skipped",
    }
    for verdict, tag in elements.items():
        case = only_case(make_run(make_finding(verdict=verdict)))
        assert tag == (case[0].tag if len(case) else None)


def test_what_is_waived_says_by_whom_and_until_when() -> None:
    """In the message, where Jenkins shows it."""
    (skipped,) = only_case(make_run(make_finding(verdict="waived", waiver=WAIVER)))
    assert skipped.attrib["message"].startswith("waived until 2027-01-31 by postmaster: gateway")


def test_a_failure_tells_observed_expected_and_evidence() -> None:
    """The message is one line, the evidence below it."""
    (failure,) = only_case(make_run(make_finding(evidence="a\r\nb")))
    assert failure.attrib["message"] == "fail: TLSv1.0 accepted; expected: TLSv1.0 refused"
    assert failure.attrib["type"] == "high"
    assert failure.text
    assert "evidence: a\nb" in failure.text


def test_policy_and_run_are_properties() -> None:
    """Every suite says by which policy and in which run."""
    root = parsed(make_run(make_finding()))
    assert {p.attrib["name"]: p.attrib["value"] for p in root.iter("property")} == {
        "mailseal.policy.id": "mailseal-2026",
        "mailseal.policy.version": "2026-11-01",
        "mailseal.run": "2026-11-24T02:00:00Z",
    }


def test_missing_checks_are_an_error() -> None:
    """A run that lost checks is not green."""
    root = parsed(make_run(make_finding(verdict="pass"), planned=3))
    assert root.attrib["errors"] == "1"
    (error,) = root.iter("error")
    assert error.attrib["message"] == "planned 3 checks, made 1: 2 are missing"


def test_hostile_text_is_safe_in_xml() -> None:
    """Control characters, lone surrogates, markup and CDATA ends leave the document well-formed."""
    hostile = "\x00\x0b\udcff\ufffe]]></failure><testcase name='forged'/>\"&"
    case = only_case(
        make_run(make_finding(observed=hostile, evidence=hostile, host=hostile, check=hostile))
    )
    assert case[0].text
    assert r"\x00\x0b\udcff\ufffe]]></failure>" in case[0].text


def test_a_clock_that_was_set_back_makes_no_negative_time() -> None:
    """How long it took is not known then; nor is a time that is no more in UTC."""
    run = make_run(make_finding(), started="2026-11-24T02:00:00Z", finished="2026-11-24T01:00:00Z")
    assert b'time="0.000"' in junit_document(run)
    assert b"-3600" not in junit_document(run)
    assert junit_document(make_run(make_finding(), started="9999-12-31T23:59:59-12:00"))
