"""Extensions and known attacks: each check on facts that pass, and on facts that must fail."""

import msgspec
import pytest
from msgspec.structs import replace
from tlslite import mathtls

from audit.facts import Behaviour, Observation
from audit.iana.primes import prime_name
from audit.judge.bench import Planned, judge, plan_endpoint
from audit.judge.case import EndpointCase
from audit.judge.catalogue import CATALOGUE
from tests.judge.factories import BEHAVIOURS, changed, good_endpoint

STRICT = msgspec.structs.replace(
    good_endpoint().rules,
    **{rule[0]: rule[1] for c in CATALOGUE.values() if (rule := c.rule)}
    | {"starttls": "allowed"},  # the good endpoint begins in clear
)
GOOD = replace(good_endpoint(), profile=STRICT)

_BEHAVIOURS: dict[str, Behaviour] = {
    "MT-EMS": "extended-master-secret",
    "MT-ETM": "encrypt-then-mac",
    "MT-TICKET": "session-ticket",
    "MT-HEARTBEAT": "heartbeat",
    "MT-SCSV": "fallback-scsv",
    "MT-SIGALG": "sha1-signature",
    "MT-OCSP-STAPLE": "ocsp-stapling",
    "MT-ALPN-STRICT": "alpn-http",
    "MT-ALPN-OWN": "alpn-own",
    "MT-SNI-NONE": "sni-none",
    "MT-SNI-UNKNOWN": "sni-unknown",
    "MT-TICKETBLEED": "ticketbleed",
    "MT-HEARTBLEED": "heartbleed",
    "MT-CCS": "ccs-injection",
    "MT-ROBOT": "robot",
}


def _verdict(check: str, case: EndpointCase) -> str:
    return judge(Planned(CATALOGUE[check], case.planned), case).verdict


def _turned(behaviour: Behaviour) -> EndpointCase:
    """The opposite of what should be."""
    other = "refused" if BEHAVIOURS[behaviour].seen == "accepted" else "accepted"
    return changed(GOOD, behaviours={**BEHAVIOURS, behaviour: Observation(other, "as it is")})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("check", "behaviour"),
    [pytest.param(c, b, marks=pytest.mark.breaks(c)) for c, b in _BEHAVIOURS.items()],
)
def test_a_behaviour_decides_its_check_and_no_other(check: str, behaviour: Behaviour) -> None:
    """Pass as it should be, fail turned round, inconclusive where nobody could tell."""
    assert _verdict(check, GOOD) == "pass"
    turned = _turned(behaviour)
    assert _verdict(check, turned) == "fail"
    failing = {p.check.id for p in plan_endpoint(GOOD.planned, STRICT) if _fails(p, turned)}
    assert failing == {check}
    untold = {**BEHAVIOURS, behaviour: Observation("inconclusive", "silence")}
    assert _verdict(check, changed(GOOD, behaviours=untold)) == "inconclusive"
    assert _verdict(check, changed(GOOD, behaviours={})) == "inconclusive"


def _fails(planned: Planned, case: EndpointCase) -> bool:
    return judge(planned, case).verdict == "fail"


def test_what_the_policy_has_no_opinion_about_is_not_planned() -> None:
    """Stapling, say."""
    relaxed = msgspec.structs.replace(STRICT, ocsp_stapling="any")
    planned = {p.check.id for p in plan_endpoint(GOOD.planned, relaxed)}
    assert "MT-OCSP-STAPLE" not in planned
    assert "MT-HEARTBLEED" in planned


@pytest.mark.breaks("MT-RENEG-SECURE")
def test_renegotiation_must_be_secure() -> None:
    """And TLS 1.3 has none."""
    check = "MT-RENEG-SECURE"
    assert _verdict(check, GOOD) == "pass"
    assert _verdict(check, changed(GOOD, secure_renegotiation=False)) == "fail"
    assert _verdict(check, changed(GOOD, secure_renegotiation=None)) == "not-applicable"
    nothing = changed(GOOD, secure_renegotiation=None, protocols={})
    assert _verdict(check, nothing) == "inconclusive"


@pytest.mark.breaks("MT-DH-COMMON")
def test_weak_primes_that_many_share_fail() -> None:
    """Oakley 2 is what Cyrus and others had built in."""
    check = "MT-DH-COMMON"
    assert _verdict(check, GOOD) == "not-applicable"
    assert prime_name(mathtls.RFC2409_GROUP2[1]) == "RFC 2409 (1024 bits)"
    assert _verdict(check, changed(GOOD, dh_primes=(mathtls.RFC2409_GROUP2[1],))) == "fail"
    assert _verdict(check, changed(GOOD, dh_primes=(mathtls.RFC5114_GROUP24[1],))) == "fail"
    assert _verdict(check, changed(GOOD, dh_primes=(mathtls.FFDHE2048[1],))) == "pass"
    assert _verdict(check, changed(GOOD, dh_primes=((1 << 3071) + 1,))) == "pass"
    assert _verdict(check, changed(GOOD, dh_primes=None)) == "inconclusive"
