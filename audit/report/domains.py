"""Mail domains in words, and as JSON."""

from collections.abc import Iterator

from audit.facts import Answer, DomainFacts, MxFacts, Security
from audit.judge.mta_sts import described, policy_of
from audit.report.domain_documents import AnswerDocument, DomainDocument, MxDocument, StsDocument
from audit.report.encode import text
from audit.wire import mta_sts, tls_rpt

_SECURITY: dict[Security, str] = {
    "secure": "signed and validated",
    "unsigned": "not signed",
    "no-chain": "signed, without a chain of trust",
    "bogus": "bogus",
    "untold": "not told",
}


def rows(facts: DomainFacts) -> Iterator[tuple[str, str]]:
    """What there is of a domain, a label and a line each."""
    yield from ((("MX", line)) for line in _servers(facts))
    if facts.null or not facts.hosts:
        return
    yield "DNSSEC", _dnssec(facts)
    for host in facts.hosts:
        told = ", ".join(map(str, host.records)) or _absent(host.tlsa)
        yield "DANE", f"{host.host}: {told}"
    policy = policy_of(facts)
    announced = mta_sts.announced(facts.sts.records if facts.sts else ())
    missing = "a record, but no policy to follow" if announced else _absent(facts.sts)
    yield "MTA-STS", described(policy) if policy else missing
    yield "TLS reports", ", ".join(_places(facts)) or _absent(facts.tlsrpt)


def _servers(facts: DomainFacts) -> Iterator[str]:
    if facts.null:
        yield "takes no mail (null MX)"
    elif not facts.hosts:
        failed = facts.mx.outcome == "failed"
        yield f"could not be told: {facts.mx.why}" if failed else "none, and no address either"
    for host in facts.hosts:
        named = f"none; {host.host} itself" if facts.own else f"{host.preference} {host.host}"
        yield " ".join([named, *(f"[{address}]" for address in _addresses(host))])


def _addresses(host: MxFacts) -> list[str]:
    return [record for answer in host.addresses for record in answer.records]


def _dnssec(facts: DomainFacts) -> str:
    """What leads mail to the servers, by what it is worth; one word if it is all the same."""
    led = [answer for host in facts.hosts for answer in host.addresses if answer.records]
    worth: dict[Security, list[Answer]] = {}
    for answer in [*([] if facts.own else [facts.mx]), *led]:
        worth.setdefault(answer.security, []).append(answer)
    if len(worth) == 1:
        return _SECURITY[next(iter(worth))]
    parts = [f"{_SECURITY[one]}: {', '.join(map(str, seen))}" for one, seen in worth.items()]
    return "; ".join(parts)


def _absent(answer: Answer | None) -> str:
    return "not told" if answer is None or answer.outcome == "failed" else "none"


def _places(facts: DomainFacts) -> tuple[str, ...]:
    records = tls_rpt.announced(facts.tlsrpt.records if facts.tlsrpt else ())
    try:
        return tls_rpt.places(records[0]) if len(records) == 1 else ()
    except ValueError:
        return ()


def domain_document(facts: DomainFacts) -> DomainDocument:
    """A domain, with every answer that the findings rest on."""
    policy = policy_of(facts)
    return DomainDocument(
        domain=text(facts.domain),
        null_mx=facts.null,
        mx=[_mx(host) for host in facts.hosts],
        mta_sts=StsDocument(policy.mode, policy.max_age, list(policy.mx)) if policy else None,
        tls_rpt=[text(place) for place in _places(facts)],
        answers=[_answer(answer) for answer in _answers(facts)],
    )


def _mx(host: MxFacts) -> MxDocument:
    return MxDocument(
        host=text(host.host),
        preference=host.preference,
        addresses=_addresses(host),
        tlsa=list(host.tlsa.records) if host.tlsa else [],
    )


def _answers(facts: DomainFacts) -> list[Answer]:
    asked = [facts.mx, facts.sts, facts.tlsrpt]
    for host in facts.hosts:
        asked += [*host.addresses, host.tlsa]
        asked += [a for one in host.reverse.values() for a in (one.pointers, *one.back)]
        asked += [a for one in host.greeted.values() for a in one.answers]
    return list(dict.fromkeys(answer for answer in asked if answer))


def _answer(answer: Answer) -> AnswerDocument:
    return AnswerDocument(
        name=text(answer.name),
        kind=answer.kind,
        outcome=answer.outcome,
        dnssec=answer.security,
        records=[text(record) for record in answer.records],
        alias=[text(name) for name in answer.alias],
        signed_until=f"{answer.signed.until:%Y-%m-%dT%H:%M:%SZ}" if answer.signed else None,
        why=text(answer.why),
    )
