"""What a page says of a mail domain, and of one about which little could be told."""

import jsonschema  # type: ignore[import-untyped]
import msgspec
import pytest
from msgspec.structs import replace

from audit.facts import DomainFacts
from audit.report.domains import domain_document, rows
from audit.report.schema import schema
from tests.judge.domain_factories import DOMAIN, FACTS, FAILED, HOST, MX, answer, with_mx

_UNSIGNED = replace(FACTS.mx, security="unsigned")


def _rows(facts: DomainFacts) -> dict[str, str]:
    return dict(rows(facts))


def test_a_domain_is_told_in_a_few_lines() -> None:
    """Servers with their addresses, what they are worth, and what protects them."""
    found = _rows(FACTS)
    assert list(found) == ["MX", "DNSSEC", "DANE", "MTA-STS", "TLS reports"]
    assert found["MX"] == "10 mx.example.org [192.0.2.25]"
    assert found["DNSSEC"] == "signed and validated"
    assert found["DANE"].startswith("mx.example.org: 3 1 1 ")
    assert found["MTA-STS"] == "mode enforce, kept for 7 days, mx *.example.org"
    assert found["TLS reports"] == "mailto:tls@example.org"


@pytest.mark.parametrize(
    ("facts", "label", "words"),
    [
        (replace(FACTS, mx=FAILED, hosts=()), "MX", "could not be told: 192.0.2.53 does not"),
        (replace(FACTS, mx=answer("MX"), hosts=()), "MX", "none, and no address either"),
        (replace(FACTS, mx=answer("MX", "0 ."), hosts=()), "MX", "takes no mail (null MX)"),
        (replace(FACTS, own=True), "MX", "none; mx.example.org itself"),
        (replace(FACTS, mx=_UNSIGNED), "DNSSEC",
         "not signed: MX of example.org; signed and validated: A of mx.example.org"),
        (with_mx(tlsa=answer("TLSA"), records=()), "DANE", "mx.example.org: none"),
        (with_mx(tlsa=FAILED, records=()), "DANE", "mx.example.org: not told"),
        (replace(FACTS, sts=answer("TXT"), policy=None), "MTA-STS", "none"),
        (replace(FACTS, sts=FAILED, policy=None), "MTA-STS", "not told"),
        (replace(FACTS, policy=None), "MTA-STS", "a record, but no policy to follow"),
        (replace(FACTS, tlsrpt=answer("TXT", "v=TLSRPTv1; rua=x")), "TLS reports", "none"),
    ],
)  # fmt: skip
def test_what_is_missing_is_told_as_such(facts: DomainFacts, label: str, words: str) -> None:
    """And apart from what nobody could tell."""
    assert _rows(facts)[label].startswith(words)


@pytest.mark.parametrize("facts", [FACTS, replace(FACTS, mx=FAILED, hosts=(), sts=None)])
def test_the_document_has_every_answer_and_the_schema_takes_it(facts: DomainFacts) -> None:
    """With what it is worth, and why."""
    document = msgspec.json.decode(msgspec.json.encode(domain_document(facts)))
    whole = msgspec.json.decode(schema("scan-1.json"))
    jsonschema.validate(
        {"schema": "mailseal/scan/1", "endpoints": [], "findings": [], "domains": [document]}, whole
    )
    answers = {(a["name"], a["kind"]): a for a in document["answers"]}
    assert answers[facts.mx.name, "MX"]["dnssec"] == facts.mx.security
    assert answers[facts.mx.name, "MX"]["why"] == facts.mx.why
    for host in facts.hosts:
        assert (f"_25._tcp.{HOST}", "TLSA") in answers
        assert document["mx"][0]["tlsa"] == list(MX.tlsa.records if MX.tlsa else ())
        assert host.host == HOST
    assert document["domain"] == DOMAIN
