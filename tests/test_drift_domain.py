"""What is drift of a mail domain, and what is none."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from audit.drift import drift
from audit.facts import DomainFacts, Fetched
from tests.judge.domain_factories import FACTS, FAILED, HOST, MX, SIGNED, answer, with_mx
from tests.report.report_factories import make_run

URL = "https://mta-sts.example.org/x"


def _drift(after: DomainFacts, before: DomainFacts = FACTS) -> list[tuple[str, str, str, str]]:
    found = drift(make_run(domains=(before,)), make_run(domains=(after,)))
    assert {d.host for d in found} <= {"example.org"}
    return [(d.what, d.name, d.before, d.after) for d in found]


def test_the_same_is_no_drift_though_it_was_signed_again() -> None:
    """Nor in another order: signatures and answers differ every night."""
    later = replace(SIGNED, until=SIGNED.until + timedelta(days=1))
    again = replace(FACTS, mx=replace(FACTS.mx, signed=later))
    assert _drift(again) == []
    two = answer("TLSA", "3 1 1 aa", "3 1 1 bb")
    turned = replace(two, records=two.records[::-1])
    assert _drift(with_mx(tlsa=turned), with_mx(tlsa=two)) == []


def test_what_could_not_be_told_is_no_drift() -> None:
    """A resolver that is down, a policy host that does not answer."""
    silent = replace(FACTS, mx=FAILED, sts=FAILED, tlsrpt=FAILED, policy=Fetched(URL, doubt="late"))
    assert _drift(silent) == []
    assert _drift(FACTS, silent) == []


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (
            replace(FACTS, mx=answer("MX", f"20 {HOST}", name="example.org")),
            ("MX", "", f"10 {HOST}", f"20 {HOST}"),
        ),
        (with_mx(tlsa=answer("TLSA", "3 1 1 aa")), ("TLSA", HOST, MX.tlsa, "3 1 1 aa")),
        (with_mx(tlsa=answer("TLSA")), ("TLSA", HOST, MX.tlsa, "none")),
        (
            with_mx(addresses=(answer("A", "192.0.2.26"), answer("AAAA"))),
            ("address", f"A of {HOST}", "192.0.2.25", "192.0.2.26"),
        ),
        (
            replace(FACTS, sts=answer("TXT", "v=STSv1; id=2")),
            ("MTA-STS", "record", "v=STSv1; id=20261129", "v=STSv1; id=2"),
        ),
        (
            replace(FACTS, mx=replace(FACTS.mx, security="bogus")),
            ("DNSSEC", "MX of example.org", "secure", "bogus"),
        ),
        (replace(FACTS, tlsrpt=answer("TXT")), ("TLS reports", "", FACTS.tlsrpt, "none")),
    ],
)
def test_what_is_published_otherwise_is_drift(
    after: DomainFacts, expected: tuple[str, str, object, str]
) -> None:
    """Named by what it is, and said in the words of DNS."""
    what, name, before, now = expected
    was = before if isinstance(before, str) else ", ".join(sorted(before.records))  # type: ignore[attr-defined]
    assert (what, name, was, now) in _drift(after)


def test_a_policy_is_told_by_what_it_says() -> None:
    """One line of it, or why there is none."""
    other = replace(FACTS, policy=Fetched(URL, 200, "text/plain", b"version: STSv1\r\nmode: none"))
    ((what, name, _, now),) = _drift(other)
    assert (what, name, now) == ("MTA-STS", "policy", "HTTP status 200: version: STSv1; mode: none")
    ((*_, gone),) = _drift(replace(FACTS, policy=Fetched(URL, fault="its certificate ended")))
    assert gone == "its certificate ended"
