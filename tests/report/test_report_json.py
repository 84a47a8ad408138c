"""The JSON documents and their schemas."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError  # type: ignore[import-untyped]

from audit.findings import PolicyId
from audit.report.json import run_document, scan_document
from audit.report.schema import DOCUMENTS, schema
from tests.report.report_factories import (
    NOTICES,
    lab_run,
    make_certificate,
    make_endpoint_facts,
    make_finding,
    make_run,
    several_policies,
)

SCHEMAS = Path(__file__).parents[2] / "docs" / "schema"


def validate(document: bytes, name: str) -> Any:
    """The document, if the shipped schema accepts it."""
    shipped = json.loads((SCHEMAS / name).read_bytes())
    Draft202012Validator.check_schema(shipped)
    parsed = json.loads(document)
    Draft202012Validator(shipped).validate(parsed)
    return parsed


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_shipped_schemas_are_up_to_date(name: str) -> None:
    """docs/schema/ is what `python -m audit.report.schema docs/schema` writes."""
    assert (SCHEMAS / name).read_bytes() == schema(name)


def test_a_scan_has_the_documented_keys() -> None:
    """The keys of mailseal/scan/1, and what the server showed under them."""
    facts = make_endpoint_facts()
    scan = validate(scan_document(make_run(make_finding(), endpoints=(facts,))), "scan-1.json")
    assert list(scan) == ["schema", "endpoints", "findings", "domains"]
    assert scan["schema"] == "mailseal/scan/1"
    (endpoint,) = scan["endpoints"]
    assert set(endpoint) == {
        *("host", "address", "family", "port", "service", "mode", "protocols", "suites"),
        *("preference", "groups", "dh_bits", "compression", "secure_renegotiation"),
        *("certificate", "certificates", "plaintext", "connections", "seconds", "errors"),
        *("dh_primes", "behaviours"),
    }
    assert endpoint["protocols"] == {
        **dict.fromkeys(("SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1"), "refused"),
        **dict.fromkeys(("TLSv1.2", "TLSv1.3"), "accepted"),
    }
    assert endpoint["suites"]["TLSv1.3"][0] == "TLS_AES_256_GCM_SHA384"
    assert endpoint["certificate"]["chain_length"] == 2
    assert [c["key_type"] for c in endpoint["certificates"]] == ["ecdsa", "rsa"]
    assert endpoint["certificate"]["not_after"] == "2027-01-23T02:00:00Z"
    assert endpoint["plaintext"]["auth_offered"] is False
    assert endpoint["seconds"] == 1.235
    assert endpoint["dh_primes"] == []
    assert endpoint["behaviours"]["robot"] == {"seen": "refused", "evidence": "alert 20"}


def test_a_run_has_the_documented_keys() -> None:
    """The keys of mailseal/run/1, with every finding."""
    run = lab_run()
    document = validate(run_document(run), "run-1.json")
    assert set(document) == {
        *("schema", "run", "started", "finished", "policy", "policies", "planned", "executed"),
        *("findings", "notices"),
    }
    assert document["policies"] == [document["policy"]]
    assert document["policy"] == {"id": "mailseal-2026", "version": "2026-11-01"}
    assert document["planned"] == document["executed"] == len(document["findings"])
    assert set(document["findings"][0]) == {
        *("check", "host", "address", "port", "service", "verdict", "severity"),
        *("observed", "expected", "evidence", "item", "policy"),
    }


def test_a_waiver_is_told_with_what_it_waives() -> None:
    """Who, why and until when; what is to be said about waivers stands beside the findings."""
    document = validate(run_document(lab_run()), "run-1.json")
    waivers = [f["waiver"] for f in document["findings"] if f["verdict"] == "waived"]
    assert waivers[0] == {
        "reason": "gateway is replaced in January",
        "owner": "postmaster",
        "expires": "2027-01-31",
        "ticket": "OPS-7",
    }
    assert len(waivers) == sum("waiver" in f for f in document["findings"])
    assert document["notices"] == [*NOTICES]


def test_a_level_is_there_where_one_was_reached() -> None:
    """And several policies are told one by one."""
    run = several_policies()
    document = validate(run_document(run), "run-1.json")
    assert [p["id"] for p in document["policies"]] == ["mailseal-2026", "ncsc-nl-2025"]
    assert [(f["policy"], f.get("level")) for f in document["findings"]] == [
        ("mailseal-2026", "insufficient"),
        ("mailseal-2026", None),
        ("ncsc-nl-2025", "insufficient"),
        ("ncsc-nl-2025", "phase-out"),
    ]
    scan = validate(scan_document(run), "scan-1.json")
    assert scan["findings"] == document["findings"]


def test_an_endpoint_that_did_not_answer_is_inconclusive_everywhere() -> None:
    """Every version is in the document, and none of them as refused."""
    scan = validate(scan_document(lab_run()), "scan-1.json")
    (dead,) = (e for e in scan["endpoints"] if e["errors"])
    assert set(dead["protocols"].values()) == {"inconclusive"}
    assert dead["certificate"] is None
    assert dead["errors"] == ["no answer within 5 s"]


def test_a_login_that_could_not_be_tried_is_not_tested() -> None:
    """An inconclusive login is neither accepted nor refused."""
    facts = make_endpoint_facts()
    assert facts.plaintext
    facts = make_endpoint_facts(
        plaintext=type(facts.plaintext)("* OK", False, "accepted", ("PLAIN",), "inconclusive", "")
    )
    scan = validate(scan_document(make_run(endpoints=(facts,))), "scan-1.json")
    expected = {"auth_offered": True, "login": "not-tested", "reply": ""}
    assert expected == scan["endpoints"][0]["plaintext"]


def test_hostile_text_arrives_whole_and_obeyed_by_nobody() -> None:
    """Broken UTF-8 is kept as an escape, and no raw control character reaches a terminal."""
    hostile = 'a"\x1b]0;x\x07\x9b\u202e\udcff\x00'
    leaf = make_certificate(subject=hostile)
    run = make_run(
        make_finding(evidence=hostile),
        endpoints=(make_endpoint_facts(chains=((leaf,),), errors=(hostile,)),),
    )
    scan = scan_document(run)
    assert all(c == "\n" or c.isprintable() for c in scan.decode())
    kept = 'a"\x1b]0;x\x07\x9b\u202e\\udcff\x00'
    assert validate(scan, "scan-1.json")["endpoints"][0]["certificate"]["subject"] == kept


def test_an_edition_that_is_no_text_is_written_all_the_same() -> None:
    """A policy's file may say anything in escapes."""
    policy = PolicyId(id="\ud800", version="\ud800")
    run = validate(run_document(make_run(make_finding(), policy=policy)), "run-1.json")
    assert run["policy"] == {"id": "\\ud800", "version": "\\ud800"}


def test_a_certificate_itself_is_in_no_document() -> None:
    """The DER bytes stay inside: the fingerprint names the certificate."""
    assert b"SECRET-DER" not in scan_document(lab_run())


def test_times_without_zone_are_utc() -> None:
    """A naive time is written as the UTC it is."""
    leaf = make_certificate(not_after=datetime(2027, 1, 1))  # noqa: DTZ001
    run = make_run(endpoints=(make_endpoint_facts(chains=((leaf,),)),))
    scan = validate(scan_document(run), "scan-1.json")
    assert scan["endpoints"][0]["certificate"]["not_after"] == "2027-01-01T00:00:00Z"


def test_the_schema_refuses_a_verdict_that_is_none() -> None:
    """The schema bites: a verdict outside the five is not valid."""
    document = run_document(make_run(make_finding())).replace(b'"fail"', b'"fine"')
    with pytest.raises(ValidationError, match="fine"):
        validate(document, "run-1.json")
