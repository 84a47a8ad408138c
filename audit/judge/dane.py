"""TLSA records against what is served (RFC 7672, RFC 7671)."""

import hashlib
from collections.abc import Callable

from audit.facts import Answer, Certificate, Chain, EndpointFacts, MxFacts, Tlsa
from audit.findings import UNTESTED, Verdict
from audit.judge.case import Judgement
from audit.judge.domain_case import MxCase, MxJudge
from audit.wire.certificate import public_key

_TA, _EE = 2, 3
_LENGTHS = {1: 32, 2: 64}  # octets of a digest, by matching type
_UNUSABLE = {
    0: "PKIX-TA is not for SMTP",  # RFC 7672, section 3.1.3
    1: "PKIX-EE is not for SMTP",
}
_MATCHING: dict[int, Callable[[bytes], bytes]] = {
    0: bytes,
    1: lambda data: hashlib.sha256(data).digest(),
    2: lambda data: hashlib.sha512(data).digest(),
}
_OTHER = "it is for another key"
# Why what is published counts for nothing, where DNSSEC does not carry it.
_UNCARRIED = {
    "unsigned": "is not signed",
    "no-chain": "is signed, but no chain of trust leads there",
    "bogus": "does not validate",
}


def useless(record: Tlsa) -> str:
    """Why no sender can use a record; empty if one can."""
    if record.usage not in (_TA, _EE):
        return _UNUSABLE.get(record.usage, f"usage {record.usage} is unknown")
    if record.selector > 1:
        return f"selector {record.selector} is unknown"
    if record.matching > max(_LENGTHS):
        return f"matching type {record.matching} is unknown"
    length = _LENGTHS.get(record.matching)
    if length and len(record.data) != length:
        return f"{len(record.data)} octets are no digest of {length}"
    return "" if record.data else "there is nothing to compare"


def in_force(mx: MxFacts) -> tuple[Verdict, str] | None:
    """None if senders verify this server by DANE; otherwise what that makes of it, and why."""
    if mx.tlsa is None:
        return "not-applicable", "no name that TLSA records could be of"
    asked = _asked(mx, mx.tlsa)
    if failed := [answer for answer in asked if answer.outcome == "failed"]:
        return "inconclusive", f"{failed[0]}: {failed[0].why}"
    if not mx.records and not mx.tlsa.unread:
        return "not-applicable", "no TLSA record"
    if lost := [answer for answer in asked if answer.security in _UNCARRIED]:
        return "not-applicable", f"{lost[0]} {_UNCARRIED[lost[0].security]}"
    if untold := [answer for answer in asked if answer.security == "untold"]:
        return "inconclusive", f"{untold[0]}: {untold[0].why}"
    usable = any(not useless(record) for record in mx.records)
    return None if usable else ("not-applicable", "no TLSA record that a sender could use")


def _asked(mx: MxFacts, tlsa: Answer) -> list[Answer]:
    """What has to be secure: without addresses that are, no sender asks for TLSA records."""
    there = [a for a in mx.addresses if a.records or a.outcome == "failed"]
    return [*there, tlsa]


def records(case: MxCase) -> Judgement:
    """What is published can be used, all of it."""
    mx, expected = case.facts, "TLSA records that senders can use, or none"
    why = in_force(mx)
    unread = mx.tlsa.unread if mx.tlsa else ()
    if why and (mx.tlsa is None or why[0] == "inconclusive" or not (mx.records or unread)):
        return Judgement(*why, expected)
    wrong = [f"{record}: {useless(record)}" for record in mx.records if useless(record)]
    wrong += [f"one cannot be read: {words}" for words in unread]
    asked = _asked(mx, mx.tlsa) if mx.tlsa else []
    passed_over = [a for a in asked if a.security in ("unsigned", "no-chain")]
    wrong += [f"senders pass over them: {a} {_UNCARRIED[a.security]}" for a in passed_over[:1]]
    evidence = "; ".join(map(_full, mx.records))
    if wrong:
        return Judgement("fail", "; ".join(wrong), expected, evidence)
    if why:
        return Judgement(*why, expected, evidence)
    return Judgement("pass", ", ".join(map(str, mx.records)), expected, evidence)


def matches(case: MxCase) -> Judgement:
    """Every key that this address serves is one that the records vouch for."""
    expected = "TLSA records for every key that is served"
    if why := in_force(case.facts):
        return Judgement(*why, expected)
    (seen,) = case.endpoints or (None,)
    if seen is None or seen.reach != "open":
        words = "; ".join(seen.errors) if seen else "it was not asked"
        return Judgement("inconclusive", UNTESTED, expected, words)
    if seen.plaintext and seen.plaintext.starttls == "refused":
        words = "no STARTTLS, so that senders who verify do not deliver"
        return Judgement("fail", words, expected, seen.plaintext.greeting)
    if seen.bad_chains or not seen.chains:
        words = seen.bad_chains[0] if seen.bad_chains else "no certificate was seen"
        return Judgement("inconclusive", words, expected, "; ".join(seen.errors))
    return _compared(case, seen, expected)


def _compared(case: MxCase, seen: EndpointFacts, expected: str) -> Judgement:
    usable = [record for record in case.facts.records if not useless(record)]
    told, faults, used = [], [], set()
    for chain in filter(None, seen.chains):
        doubts = {record: doubt(record, chain, case) for record in usable}
        right = [record for record in usable if not doubts[record]]
        used.update(right)
        kind = chain[0].key_type
        if right:
            told.append(f"{kind} by {', '.join(map(str, right))}")
        else:
            near = [words for words in doubts.values() if words != _OTHER]
            other = f"no record is for this key, which would be {_for_key(chain[0])}"
            faults.append(f"{kind}: {near[0] if near else other}")
    evidence = "; ".join(f"{c[0].key_type}: {_for_key(c[0])}" for c in seen.chains if c)
    if faults:
        return Judgement("fail", "; ".join(faults), expected, evidence)
    spare = [str(record) for record in usable if record not in used]
    if spare:
        told.append(
            f"also published, for no key that is served: {', '.join(spare)}"
            " (the next key, or a former one)"
        )
    return Judgement("pass", "; ".join(told), expected, evidence)


def doubt(record: Tlsa, chain: Chain, case: MxCase) -> str:
    """Why a record does not vouch for a chain; empty if it does."""
    if record.usage == _EE:  # neither name nor dates count: RFC 7672, section 3.1.1
        return "" if _is(record, chain[0]) else _OTHER
    anchor = next((one for one in chain[1:] if _is(record, one)), None)
    if anchor is None:
        return f"the authority that {record} names is not in the chain that is served"
    from audit.judge import trust

    names = [(case.facts.host,), case.planned.domains]
    return trust.doubt(chain, (anchor.der,), names, case.now, partial=True)


def pinned(mx: MxFacts, seen: EndpointFacts) -> bool:
    """Whether DANE-EE records vouch for every key served there."""
    if in_force(mx) is not None or not seen.chains or seen.bad_chains:
        return False
    named = [r for r in mx.records if r.usage == _EE and not useless(r)]
    return all(any(_is(record, chain[0]) for record in named) for chain in seen.chains if chain)


def _is(record: Tlsa, certificate: Certificate) -> bool:
    data = public_key(certificate.der) if record.selector else certificate.der
    return _MATCHING[record.matching](data) == record.data


def _for_key(leaf: Certificate) -> str:
    """The record that would vouch for a key, for whoever has to publish it."""
    return f"3 1 1 {hashlib.sha256(public_key(leaf.der)).hexdigest()}"


def _full(record: Tlsa) -> str:
    return f"{record.usage} {record.selector} {record.matching} {record.data.hex()}"


JUDGES: dict[str, MxJudge] = {"MT-DANE-RECORD": records}
ADDRESS_JUDGES: dict[str, MxJudge] = {"MT-DANE": matches}
