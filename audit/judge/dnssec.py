"""What DNSSEC makes of the answers that mail depends on."""

from collections.abc import Iterable

from audit.facts import Answer, DomainFacts
from audit.judge.case import Judgement
from audit.judge.domain_case import DomainCase, DomainJudge

_SHARE = 10  # a signature that has less than one part in so many left was not renewed in time


def validates(case: DomainCase) -> Judgement:
    """Nothing that is signed is bogus."""
    expected = "signatures that validate, wherever there are any"
    asked = _everything(case.facts)
    if bogus := [answer for answer in asked if answer.security == "bogus"]:
        return Judgement("fail", "; ".join(map(_bogus, bogus)), expected, _why(bogus))
    if failed := _untold(asked):
        return Judgement("inconclusive", _failed(failed), expected, _why(failed))
    if all(answer.security == "unsigned" for answer in asked if answer.records):
        return Judgement("not-applicable", "nothing is signed", expected)
    return Judgement("pass", "nothing is bogus", expected)


def chain(case: DomainCase) -> Judgement:
    """What leads mail to its servers is signed, with a chain of trust from the root."""
    expected = "signed, and a chain of trust leads there"
    asked = _leading(case.facts)
    if not asked:
        return Judgement("not-applicable", "there is no server to lead mail to", expected)
    faults = [f"{answer} is not signed" for answer in asked if answer.security == "unsigned"]
    faults += [answer.why for answer in asked if answer.security == "no-chain"]
    if faults:
        return Judgement("fail", "; ".join(dict.fromkeys(faults)), expected, _why(asked))
    if failed := _untold(asked):
        return Judgement("inconclusive", _failed(failed), expected, _why(failed))
    if any(answer.security == "bogus" for answer in asked):
        return Judgement("not-applicable", "what is signed does not validate", expected)
    return Judgement("pass", expected, expected, "; ".join(map(str, asked)))


def renewed(case: DomainCase) -> Judgement:
    """Signatures are renewed long before they end."""
    expected = f"more than a part in {_SHARE} of the time that a signature is valid for is left"
    asked = _everything(case.facts)
    signed = [(answer, answer.signed) for answer in asked if answer.signed]
    faults = [
        f"{answer} until {one.until:%Y-%m-%d %H:%M} UTC only, signed on {one.since:%Y-%m-%d}"
        for answer, one in signed
        if answer.security != "bogus" and (one.until - case.now) * _SHARE < one.until - one.since
    ]
    if faults:
        return Judgement("fail", "; ".join(faults), expected)
    if failed := [answer for answer in asked if answer.outcome == "failed"]:
        return Judgement("inconclusive", _failed(failed), expected, _why(failed))
    if not signed:
        return Judgement("not-applicable", "nothing is signed", expected)
    first = min(one.until for _, one in signed)
    # A zone that signs every day would be another one every night.
    evidence = f"the first ends {first:%Y-%m-%d %H:%M} UTC"
    return Judgement("pass", "all are renewed in time", expected, evidence)


def _leading(facts: DomainFacts) -> list[Answer]:
    """What leads mail to its servers: MX records, addresses, TLSA records."""
    found = [] if facts.own else [facts.mx]
    for host in facts.hosts:
        found += [a for a in host.addresses if a.records or a.outcome == "failed"]
        found += [host.tlsa] if host.tlsa and host.tlsa.records else []
    return found


def _everything(facts: DomainFacts) -> list[Answer]:
    others = [*(host.tlsa for host in facts.hosts), facts.sts, facts.tlsrpt]
    return list(dict.fromkeys([facts.mx, *_leading(facts), *(a for a in others if a)]))


def _untold(asked: Iterable[Answer]) -> list[Answer]:
    return [a for a in asked if a.outcome == "failed" or (a.records and a.security == "untold")]


def _bogus(answer: Answer) -> str:
    signed = answer.signed
    ended = f" (a signature until {signed.until:%Y-%m-%d})" if signed else ""
    return f"{answer} does not validate{ended}"


def _failed(answers: list[Answer]) -> str:
    more = f", and {len(answers) - 1} more" if answers[1:] else ""
    return f"could not be told of {answers[0]}{more}: {answers[0].why}"


def _why(answers: Iterable[Answer]) -> str:
    return "; ".join(f"{answer}: {answer.why}" for answer in answers if answer.why)


JUDGES: dict[str, DomainJudge] = {
    "MT-DNSSEC-VALID": validates,
    "MT-DNSSEC": chain,
    "MT-DNSSEC-EXPIRY": renewed,
}
