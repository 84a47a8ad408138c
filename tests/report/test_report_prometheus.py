"""Metrics, read back by Prometheus' own parser."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from audit.findings import Run, Verdict
from audit.report.prometheus import prometheus_document
from tests.report.report_factories import (
    WAIVER,
    lab_run,
    make_certificate,
    make_endpoint_facts,
    make_finding,
    make_run,
)

Samples = dict[frozenset[tuple[str, str]], float]


def metrics(run: Run) -> dict[str, Samples]:
    """Every metric by name, with the value of each set of labels; none comes twice."""
    found: dict[str, Samples] = {}
    for family in text_string_to_metric_families(prometheus_document(run).decode()):
        assert family.documentation
        assert family.type == "gauge"
        samples = found.setdefault(family.name.removeprefix("mailseal_"), {})
        for sample in family.samples:
            assert sample.name == family.name
            assert sample.timestamp is None
            assert frozenset(sample.labels.items()) not in samples
            samples[frozenset(sample.labels.items())] = sample.value
    return found


def only(samples: Samples) -> float:
    """The value of the one sample."""
    (value,) = samples.values()
    return value


@pytest.mark.parametrize(
    ("verdict", "code"),
    [("pass", 0), ("fail", 1), ("inconclusive", 2), ("waived", 3), ("not-applicable", 4)],
)
def test_each_verdict_has_its_number(verdict: Verdict, code: int) -> None:
    """By host, address, port, check and policy."""
    (labels,) = metrics(make_run(make_finding(verdict=verdict, policy="p")))["check_status"].items()
    assert dict(labels[0]) == {
        "host": "imap1",
        "address": "10.80.0.31",
        "port": "143",
        "service": "imap",
        "check": "MT-TLS10",
        "policy": "p",
    }
    assert labels[1] == code


def test_every_finding_is_a_sample() -> None:
    """And they are counted by verdict."""
    found = metrics(lab_run())
    assert len(found["check_status"]) == len(lab_run().findings)
    assert found["findings"][frozenset({("verdict", "fail")})] == 22


def test_the_run_says_when_it_ended_and_whether_it_is_whole() -> None:
    """A run that lost checks, or made none, is not complete."""
    found = metrics(make_run(make_finding(), planned=3))
    ended = datetime(2026, 11, 24, 2, 0, 42, 500000, tzinfo=UTC)
    assert only(found["last_run_timestamp_seconds"]) == ended.timestamp()
    assert only(found["run_complete"]) == 0
    assert (only(found["checks_planned"]), only(found["checks_executed"])) == (3, 1)
    assert only(metrics(make_run(make_finding()))["run_complete"]) == 1
    assert only(metrics(make_run())["run_complete"]) == 0


def test_a_certificate_says_when_it_ends() -> None:
    """One sample for each kind of key at each place, of several certificates the first to end."""
    early, late = (
        make_certificate(not_after=datetime(2027, month, 1, tzinfo=UTC)) for month in (1, 2)
    )
    rsa = make_certificate(key_type="rsa")
    facts = make_endpoint_facts(chains=((late,), (early,), (rsa,), ()))
    ends = metrics(make_run(endpoints=(facts,)))["certificate_not_after_timestamp_seconds"]
    kinds = {dict(labels)["key_type"]: value for labels, value in ends.items()}
    assert kinds == {"ecdsa": early.not_after.timestamp(), "rsa": rsa.not_after.timestamp()}


def test_a_waiver_says_when_it_ends() -> None:
    """After its last day; one waiver for two failures is one sample."""
    waived = [make_finding(verdict="waived", waiver=WAIVER, port=port) for port in (143, 993)]
    ends = metrics(make_run(*waived))["waiver_expiry_timestamp_seconds"]
    assert only(ends) == datetime(2027, 2, 1, tzinfo=UTC).timestamp()
    assert ("owner", "postmaster") in next(iter(ends))


def test_of_two_waivers_for_the_same_the_first_end_counts() -> None:
    """Whichever comes last in the run."""
    later = replace(WAIVER, expires=WAIVER.expires.replace(year=2028))
    waived = [make_finding(verdict="waived", waiver=w) for w in (WAIVER, later)]
    ends = metrics(make_run(*waived))["waiver_expiry_timestamp_seconds"]
    assert only(ends) == datetime(2027, 2, 1, tzinfo=UTC).timestamp()


def test_hostile_text_forges_no_sample() -> None:
    """Line feeds, quotes and bytes that are no text stay inside their label."""
    hostile = 'x"} 1\nmailseal_run_complete 1\n\x00\udcff\\'
    found = metrics(make_run(make_finding(host=hostile), planned=2, finished=hostile))
    assert only(found["run_complete"]) == 0
    assert found["last_run_timestamp_seconds"] == {}
    assert len(found["check_status"]) == 1
