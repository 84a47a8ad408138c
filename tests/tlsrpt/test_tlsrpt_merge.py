"""Reports put together, and set beside an audit."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from audit.facts import Endpoint
from audit.findings import Verdict
from audit.tlsrpt.beside import beside
from audit.tlsrpt.document import BesideDocument
from audit.tlsrpt.merge import Pile, merged
from audit.tlsrpt.report import decode
from audit.tlsrpt.results import MEANINGS
from tests.report.report_factories import make_endpoint_facts, make_finding, make_run
from tests.tlsrpt.foreign import MX, failure, policy, report

# Of whole domains, which come with `scan --domain`.
_OF_DOMAINS = {
    *("MT-DANE", "MT-DANE-RECORD", "MT-DNSSEC", "MT-DNSSEC-VALID", "MT-DNSSEC-EXPIRY"),
    *("MT-MTA-STS", "MT-MTA-STS-MX", "MT-MTA-STS-CERT"),
}
_COUNTS = st.integers(0, 9)
_FAILURES = st.builds(
    failure,
    st.sampled_from(["certificate-expired", "tlsa-invalid", "of-its-own"]),
    _COUNTS,
    receiving_mx_hostname=st.sampled_from([None, MX, "mx2.example.org."]),
    sending_mta_ip=st.sampled_from([None, "192.0.2.1", "2001:db8::1"]),
)
_POLICIES = st.builds(
    lambda kind, ok, failed, details, domain: policy(
        kind, ok, failed, *details, policy_domain=domain
    ),
    st.sampled_from(["sts", "tlsa", "no-policy-found"]),
    _COUNTS,
    _COUNTS,
    st.lists(_FAILURES, max_size=3),
    st.sampled_from(["example.org", "Example.ORG", "example.net", None]),
)
_REPORTS = st.builds(
    lambda name, number, policies: report(name, *policies, report_id=str(number)),
    st.sampled_from(["A Inc.", "B Ltd."]),
    st.integers(1, 3),
    st.lists(_POLICIES, min_size=1, max_size=3),
)


def _pile(documents: list[dict[str, Any]]) -> Pile:
    pile = Pile()
    for one in documents:
        pile.add(decode(json.dumps(one).encode()))
    return pile


@settings(deadline=None)
@given(st.lists(_REPORTS, max_size=6), st.data())
def test_order_and_copies_change_nothing_but_the_number_of_copies(
    documents: list[dict[str, Any]], data: st.DataObject
) -> None:
    """And every session of every different report is counted, once."""
    once = merged(_pile(documents))
    others = data.draw(st.lists(st.sampled_from(documents or [report("x", policy("sts", 1, 0))])))
    again = data.draw(st.permutations([*documents, *(others if documents else [])]))
    assert replace(merged(_pile(again)), copies=once.copies) == once
    different = list({json.dumps(one): one for one in documents}.values())
    assert once.reports == len(different)
    policies = [one for document in different for one in document["policies"]]
    assert once.sessions.ok == sum(
        one["summary"]["total-successful-session-count"] for one in policies
    )
    assert once.sessions.failed == sum(
        max(
            one["summary"]["total-failure-session-count"],
            sum(detail["failed-session-count"] for detail in one["failure-details"]),
        )
        for one in policies
    )
    told = sum(
        row.sessions
        for domain in once.domains
        for organization in domain.organizations
        for row in organization.failures
    )
    details = [detail for one in policies for detail in one["failure-details"]]
    assert told == sum(detail["failed-session-count"] for detail in details)


def test_two_organizations_stay_apart_and_two_days_come_together() -> None:
    """Of the same domain, and of two spellings of a host."""
    day = {"start-datetime": "2026-11-24T00:00:00Z", "end-datetime": "2026-11-24T23:59:59Z"}
    first = report(
        "A", policy("sts", 1, 1, failure("certificate-expired", receiving_mx_hostname=MX))
    )
    later = report(
        "A",
        policy(
            "tlsa", 0, 2, failure("certificate-expired", 2, receiving_mx_hostname=f"{MX.upper()}.")
        ),
        report_id="2",
        date_range=day,
    )
    (domain,) = merged(_pile([first, later, report("B", policy("sts", 5, 0))])).domains
    mine, other = domain.organizations
    assert (mine.organization, other.organization) == ("A", "B")
    assert (mine.first[:10], mine.last[:10]) == ("2026-11-23", "2026-11-24")
    assert [(row.host, row.sessions) for row in mine.failures] == [(MX, 3)]
    assert {name: (row.ok, row.failed) for name, row in mine.policies.items()} == {
        "sts": (1, 1),
        "tlsa": (0, 2),
    }


def _sight(
    *findings: tuple[str, Verdict],
    host: str = MX,
    result: str = "certificate-expired",
    **place: Any,
) -> BesideDocument:
    """What an audit with these findings says of a failure at a host."""
    details = failure(result, receiving_mx_hostname=host, receiving_ip=place.pop("ip", None))
    found = merged(_pile([report("x", policy("tlsa", 0, 1, details))]))
    where = {"host": "mx1", "address": "192.0.2.25", "port": 25, **place}
    run = make_run(
        *(make_finding(check=check, verdict=verdict, **where) for check, verdict in findings),
        endpoints=(
            make_endpoint_facts(endpoint=Endpoint("mx1", "192.0.2.25", 25, "smtp", "starttls", MX)),
        ),
    )
    document = beside(found, run)
    assert document.audit is not None
    sight = document.domains[0].organizations[0].failures[0].beside
    assert sight is not None
    return sight


def test_an_audit_saw_the_same_or_nothing_wrong_or_did_not_look() -> None:
    """By checks of the same thing only; what could not be tested is never fine."""
    time, name = "MT-CERT-TIME", "MT-CERT-NAME"
    assert _sight((time, "fail")).sight == "the same"
    assert [one.check for one in _sight((time, "fail"), (name, "fail")).seen] == [time]
    assert _sight((time, "waived")).sight == "the same"
    assert _sight((time, "pass")).sight == "nothing wrong"
    assert _sight((time, "inconclusive")).sight == "did not look"
    assert _sight((time, "pass"), (time, "inconclusive")).sight == "did not look"
    assert _sight((time, "not-applicable")).sight == "did not look"
    assert _sight((name, "fail")).sight == "did not look"
    assert _sight((name, "pass")).sight == "did not look"
    assert _sight((time, "fail"), result="of-its-own").sight == "did not look"


def test_the_host_is_found_by_its_names_and_addresses() -> None:
    """And mail from other servers comes to port 25 only."""
    found: tuple[str, Verdict] = ("MT-CERT-TIME", "fail")
    assert _sight(found, host="MX1.example.org.").sight == "the same"
    assert _sight(found, host="mx1").sight == "the same"
    assert _sight(found, host="other.example", ip="192.0.2.25").sight == "the same"
    assert _sight(found, host="other.example").sight == "did not look"
    assert _sight(found, port=993).sight == "did not look"


def test_what_decides_comes_first() -> None:
    """A check of something less does not say that nothing is wrong."""
    assert (
        _sight(("MT-PORT-EXPECT", "pass"), result="starttls-not-supported").sight == "did not look"
    )
    assert (
        _sight(("MT-STARTTLS-ADV", "pass"), result="starttls-not-supported").sight
        == "nothing wrong"
    )


def test_the_checks_beside_a_result_are_those_of_the_catalogue() -> None:
    """Every one has some, and the first of them decides."""
    from audit.judge.catalogue import CATALOGUE

    named = {check for meaning in MEANINGS.values() for check in meaning.checks}
    assert named <= {*CATALOGUE, *_OF_DOMAINS}
    assert all(meaning.checks for meaning in MEANINGS.values())
