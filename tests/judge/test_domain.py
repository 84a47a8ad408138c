"""Each check of mail domains on one that is good, and on its broken twins."""

from datetime import timedelta
from typing import Any, get_args

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from msgspec.structs import replace

from audit.facts import Fetched, Greeted, Observation, Reverse, Security, Tlsa
from audit.judge import dane
from audit.judge.bench import Planned, judge
from audit.judge.catalogue import CATALOGUE
from audit.judge.domain import ADDRESS_JUDGES, DOMAIN_JUDGES, MX_JUDGES, plan
from audit.judge.domain_case import DomainCase, MxCase
from audit.wire.certificate import parse
from lab.issuing import certify
from tests.judge.domain_factories import (
    ADDRESS,
    CHAINS,
    DOMAIN,
    FACTS,
    FAILED,
    HOST,
    MX,
    POLICY,
    RECORDS,
    SIGNED,
    answer,
    domain_case,
    endpoint,
    finding,
    mx_case,
    published,
    served,
    tlsa,
    with_mx,
)
from tests.judge.factories import EC_KEY, NOW, PLAIN, ROOT_KEY, chain, good_endpoint

Case = DomainCase | MxCase


def _case_of(check: str) -> Case:
    if check in DOMAIN_JUDGES:
        return domain_case()
    return mx_case(address=ADDRESS if check in ADDRESS_JUDGES else "")


@pytest.mark.parametrize("check", [*DOMAIN_JUDGES, *MX_JUDGES, *ADDRESS_JUDGES])
def test_a_good_domain_passes(check: str) -> None:
    """Every check, without a doubt."""
    found = finding(check, _case_of(check))
    assert found.verdict == "pass", found.observed


def test_every_row_has_its_judge() -> None:
    """And every judge its row."""
    of_scope = {
        scope: {c.id for c in CATALOGUE.values() if c.scope == scope}
        for scope in ("domain", "mx", "mx-address")
    }
    assert of_scope == {
        "domain": {*DOMAIN_JUDGES}, "mx": {*MX_JUDGES}, "mx-address": {*ADDRESS_JUDGES},
    }  # fmt: skip


def _address(**facts: Any) -> MxCase:
    """An address, with other facts of the server or of the endpoint."""
    of_mx = {name: facts.pop(name) for name in [*facts] if name in type(MX).__struct_fields__}
    return mx_case(replace(MX, **of_mx), ADDRESS, **facts)


def _sts(body: bytes = POLICY, **changes: Any) -> DomainCase:
    policy = {"url": "u", "status": 200, "media": "text/plain", "body": body, **changes}
    return domain_case(replace(FACTS, policy=Fetched(**policy)))


def _txt(*records: str) -> DomainCase:
    return domain_case(replace(FACTS, sts=answer("TXT", *records, name="_mta-sts.example.org")))


def _rpt(*records: str) -> DomainCase:
    return domain_case(replace(FACTS, tlsrpt=answer("TXT", *records, name="_smtp._tls.o")))


_NO_STARTTLS = replace(PLAIN, starttls="refused")
_OTHER = Tlsa(3, 1, 1, b"\xab" * 32)
_UNSIGNED = {"security": "unsigned", "signed": None}
_A = answer("A", ADDRESS)
_ENDING = replace(SIGNED, until=NOW + timedelta(hours=9))
_NO_POLICY = {"sts": answer("TXT"), "policy": None}
_SELF_SIGNED = tuple(served(EC_KEY, issuer_key=EC_KEY, with_root=False) for _ in "x")

BROKEN: list[tuple[str, str, Case]] = [
    ("MT-MX", "no mail arrives", domain_case(
        replace(FACTS, mx=answer("MX", name=DOMAIN), hosts=(), own=True))),
    ("MT-MX-NAME", "is an address", mx_case(replace(MX, fault="is an address", addresses=()))),
    ("MT-MX-NAME", "alias (CNAME) of real.example", mx_case(
        replace(MX, addresses=(replace(_A, alias=("real.example",)),)))),
    ("MT-MX-NAME", "has no address", mx_case(replace(MX, addresses=(answer("A"), answer("AAAA"))))),
    ("MT-MX-VERIFIED", "no TLSA record; MTA-STS: none", domain_case(
        replace(with_mx(**published()), **_NO_POLICY))),
    ("MT-MX-VERIFIED", "MTA-STS: mode testing", domain_case(
        replace(with_mx(**published()), policy=Fetched(
            "u", 200, "text/plain", POLICY.replace(b"enforce", b"testing"))))),
    ("MT-MX-VERIFIED", "MX of example.org: no sender can verify it", domain_case(
        replace(FACTS, mx=replace(FACTS.mx, **_UNSIGNED), **_NO_POLICY))),
    ("MT-DNSSEC", "MX of example.org is not signed", domain_case(
        replace(FACTS, mx=replace(FACTS.mx, **_UNSIGNED)))),
    ("MT-DNSSEC", "A of mx.example.org is not signed", domain_case(
        with_mx(addresses=(replace(_A, **_UNSIGNED),)))),
    ("MT-DNSSEC", "no DS", domain_case(
        replace(FACTS, mx=replace(FACTS.mx, security="no-chain", why="there is no DS for it")))),
    ("MT-DNSSEC-VALID", "MX of example.org does not validate", domain_case(
        replace(FACTS, mx=replace(FACTS.mx, security="bogus")))),
    ("MT-DNSSEC-VALID", "TLSA of _25._tcp.mx.example.org does not validate", domain_case(
        with_mx(**published(*RECORDS, security="bogus")))),
    ("MT-DNSSEC-VALID", "TXT of mx.example.org does not validate", domain_case(
        replace(FACTS, sts=answer("TXT", security="bogus")))),
    ("MT-DNSSEC-EXPIRY", "UTC only", domain_case(
        replace(FACTS, mx=replace(FACTS.mx, signed=_ENDING)))),
    ("MT-DANE-RECORD", "PKIX-EE is not for SMTP", mx_case(
        replace(MX, **published(*RECORDS, replace(RECORDS[0], usage=1))))),
    ("MT-DANE-RECORD", "usage 255 is unknown", mx_case(
        replace(MX, **published(replace(RECORDS[0], usage=255))))),
    ("MT-DANE-RECORD", "selector 2 is unknown", mx_case(
        replace(MX, **published(replace(RECORDS[0], selector=2))))),
    ("MT-DANE-RECORD", "matching type 3 is unknown", mx_case(
        replace(MX, **published(replace(RECORDS[0], matching=3))))),
    ("MT-DANE-RECORD", "31 octets are no digest of 32", mx_case(
        replace(MX, **published(Tlsa(3, 1, 1, bytes(31)))))),
    ("MT-DANE-RECORD", "nothing to compare", mx_case(replace(MX, **published(Tlsa(3, 1, 0, b""))))),
    ("MT-DANE-RECORD", "one cannot be read: cut off", mx_case(
        replace(MX, **published(*RECORDS, unread=("cut off",))))),
    ("MT-DANE-RECORD", "senders pass over them: TLSA of", mx_case(
        replace(MX, **published(*RECORDS, **_UNSIGNED)))),
    ("MT-DANE-RECORD", "senders pass over them: A of mx.example.org is not signed", mx_case(
        replace(MX, addresses=(replace(_A, **_UNSIGNED),)))),
    ("MT-DANE", "no record is for this key, which would be 3 1 1", _address(**published(_OTHER))),
    ("MT-DANE", "rsa: no record is for this key", _address(**published(RECORDS[0]))),
    ("MT-DANE", "no STARTTLS", _address(plaintext=_NO_STARTTLS, chains=())),
    ("MT-DANE", "is not in the chain that is served", _address(
        **published(tlsa(CHAINS[0], usage=2)), chains=(served(with_root=False),))),
    ("MT-DANE", "not for mx.example.org", _address(
        **published(tlsa(CHAINS[0], usage=2)), chains=(served(names=("other.example",)),))),
    ("MT-DANE", "ended on", _address(
        **published(tlsa(CHAINS[0], usage=2)), chains=(served(days=(-9, -1)),))),
    ("MT-MTA-STS", "2 records, which are as good as none", _txt("v=STSv1; id=1", "v=STSv1; id=2")),
    ("MT-MTA-STS", "its id is ''", _txt("v=STSv1;")),
    ("MT-MTA-STS", "a redirect, which senders do not follow", _sts(status=301)),
    ("MT-MTA-STS", "HTTP status 404", _sts(status=404)),
    ("MT-MTA-STS", "does not verify", _sts(status=0, fault="its certificate does not verify")),
    ("MT-MTA-STS", "larger than senders read", _sts(whole=False)),
    ("MT-MTA-STS", "its media type is text/html", _sts(media="text/html")),
    ("MT-MTA-STS", "its mode is 'on'", _sts(POLICY.replace(b"enforce", b"on"))),
    ("MT-MTA-STS-MX", "no pattern is for mx.example.org", _sts(POLICY.replace(b"*.", b""))),
    ("MT-MTA-STS-MX", "(only reported as yet: mode testing)", _sts(
        POLICY.replace(b"*.", b"").replace(b"enforce", b"testing"))),
    ("MT-MTA-STS-CERT", "no path to a trusted authority", domain_case(chains=_SELF_SIGNED)),
    ("MT-MTA-STS-CERT", "not for mx.example.org", domain_case(
        chains=(CHAINS[0], served(names=("other.example",))))),
    ("MT-MTA-STS-CERT", "ended on", domain_case(chains=(served(days=(-9, -1)),))),
    ("MT-MTA-STS-CERT", "has no STARTTLS", domain_case(plaintext=_NO_STARTTLS, chains=())),
    ("MT-TLSRPT", "no record at", _rpt()),
    ("MT-TLSRPT", "no record at", _rpt("v=spf1 -all")),
    ("MT-TLSRPT", "2 records", _rpt(*["v=TLSRPTv1; rua=mailto:a@b.c"] * 2)),
    ("MT-TLSRPT", "neither mailto: nor https:", _rpt("v=TLSRPTv1; rua=http://b.c/")),
    ("MT-TLSRPT", "no rua", _rpt("v=TLSRPTv1")),
    ("MT-PTR", "has no name", _address(reverse={ADDRESS: Reverse(answer("PTR"))})),
    ("MT-PTR", "does not lead back", _address(
        reverse={ADDRESS: Reverse(answer("PTR", HOST), (answer("A", "192.0.2.1"),))})),
    ("MT-BANNER", "has no address", _address(
        greeted={ADDRESS: Greeted("x.example", (answer("A"), answer("AAAA")))})),
    ("MT-BANNER", "is no name of a host", _address(greeted={ADDRESS: Greeted("local host")})),
]  # fmt: skip


@pytest.mark.breaks(*dict.fromkeys(check for check, _, _ in BROKEN))
def test_every_check_fails_on_a_broken_domain() -> None:
    """The table below has a fixture for each."""
    assert {check for check, _, _ in BROKEN} == {*DOMAIN_JUDGES, *MX_JUDGES, *ADDRESS_JUDGES}
    assert {finding(check, case).verdict for check, _, case in BROKEN} == {"fail"}


@pytest.mark.parametrize(
    ("check", "words", "case"), BROKEN, ids=[f"{check}-{words}" for check, words, _ in BROKEN]
)
def test_what_is_broken_fails_and_says_what(check: str, words: str, case: Case) -> None:
    """In words that name it."""
    found = finding(check, case)
    assert (found.verdict, words in found.observed) == ("fail", True), found.observed


_DOUBT = {"why": "192.0.2.53 does not answer in time", "security": "untold", "signed": None}
_LOST: dict[str, Any] = {**_DOUBT, "outcome": "failed", "records": ()}
DOUBTS: list[tuple[str, Case]] = [
    *((check, domain_case(replace(FACTS, mx=FAILED, hosts=()))) for check in DOMAIN_JUDGES
      if check not in ("MT-MTA-STS", "MT-TLSRPT")),
    ("MT-MX", domain_case(replace(FACTS, unseen=3))),
    ("MT-MX", domain_case(replace(FACTS, mx=answer("MX", security="bogus"), hosts=()))),
    ("MT-MX-NAME", mx_case(replace(MX, addresses=(replace(_A, **_LOST), answer("AAAA"))))),
    ("MT-MX-NAME", mx_case(replace(MX, unseen=3))),
    ("MT-MX-VERIFIED", domain_case(replace(with_mx(**published(**_LOST)), **_NO_POLICY))),
    ("MT-MX-VERIFIED", domain_case(
        replace(FACTS, mx=replace(FACTS.mx, security="untold", why="?"), **_NO_POLICY))),
    ("MT-MX-VERIFIED", domain_case(
        replace(with_mx(**published()), policy=Fetched("u", doubt="no answer in time")))),
    ("MT-DNSSEC", domain_case(replace(FACTS, mx=replace(FACTS.mx, **_DOUBT)))),
    ("MT-DNSSEC", domain_case(with_mx(addresses=(replace(_A, **_LOST),)))),
    ("MT-DNSSEC-VALID", domain_case(with_mx(**published(**_LOST)))),
    ("MT-DNSSEC-VALID", domain_case(replace(FACTS, sts=FAILED))),
    ("MT-DANE-RECORD", mx_case(replace(MX, **published(**_LOST)))),
    ("MT-DANE-RECORD", mx_case(replace(MX, addresses=(replace(_A, **_LOST),)))),
    ("MT-DANE", _address(**published(*RECORDS, **_DOUBT))),
    ("MT-DANE", _address(reach="no-answer")),
    ("MT-DANE", _address(chains=())),
    ("MT-DANE", _address(bad_chains=("not a certificate",))),
    ("MT-DANE", replace(mx_case(address=ADDRESS), endpoints=())),
    ("MT-MTA-STS", domain_case(replace(FACTS, sts=FAILED))),
    ("MT-MTA-STS", _sts(status=0, doubt="no answer in time")),
    ("MT-MTA-STS-MX", _sts(status=0, doubt="no answer in time")),
    ("MT-MTA-STS-CERT", domain_case(replace(FACTS, sts=FAILED))),
    ("MT-MTA-STS-CERT", domain_case(chains=())),
    ("MT-TLSRPT", domain_case(replace(FACTS, tlsrpt=FAILED))),
    ("MT-PTR", _address(reverse={ADDRESS: Reverse(answer("PTR", **_LOST))})),
    ("MT-PTR", _address(reverse={ADDRESS: Reverse(answer("PTR", HOST), (replace(_A, **_LOST),))})),
    ("MT-BANNER", _address(reach="refused")),
    ("MT-BANNER", _address(greeted={})),
    ("MT-BANNER", _address(greeted={ADDRESS: Greeted("x.example", (replace(_A, **_LOST),))})),
]  # fmt: skip


@pytest.mark.parametrize(
    ("check", "case"), DOUBTS, ids=[f"{n}-{check}" for n, (check, _) in enumerate(DOUBTS)]
)
def test_what_could_not_be_told_is_never_fine(check: str, case: Case) -> None:
    """Inconclusive, with a reason."""
    found = finding(check, case)
    assert found.verdict == "inconclusive", found.observed
    assert found.observed


@pytest.mark.parametrize("usage", [2, 3])
@pytest.mark.parametrize("selector", [0, 1])
@pytest.mark.parametrize("matching", [0, 1, 2])
def test_every_kind_of_record_vouches_for_its_own(usage: int, selector: int, matching: int) -> None:
    """Whole or as a digest, certificate or key, leaf or authority; changed it does not."""
    record = tlsa(CHAINS[0], usage, selector, matching)
    one = {"chains": (CHAINS[0],)}
    assert finding("MT-DANE", _address(**published(record), **one)).verdict == "pass"
    bent = replace(record, data=bytes([record.data[0] ^ 1]) + record.data[1:])
    assert finding("MT-DANE", _address(**published(bent), **one)).verdict == "fail"


def test_neither_name_nor_dates_count_for_dane_ee() -> None:
    """RFC 7672, section 3.1.1."""
    odd = served(names=("other.example",), days=(-9, -1), with_root=False)
    assert finding("MT-DANE", _address(**published(tlsa(odd)), chains=(odd,))).verdict == "pass"


def test_the_domains_own_name_will_do_for_dane_ta() -> None:
    """RFC 7672, section 3.2.2: that of the next hop is a reference too."""
    own = served(names=(DOMAIN,))
    record = tlsa(own, usage=2)
    assert finding("MT-DANE", _address(**published(record), chains=(own,))).verdict == "pass"


def test_a_leaf_is_no_authority() -> None:
    """RFC 7671, section 5.2: usage 2 names who issued it, and a leaf vouches for nobody."""
    record = replace(RECORDS[0], usage=2)
    found = finding("MT-DANE", _address(**published(record), chains=(CHAINS[0],)))
    assert (found.verdict, "is not in the chain" in found.observed) == ("fail", True)


def test_an_authority_that_another_has_signed_is_an_anchor_too() -> None:
    """The root need neither be named nor served."""
    key = ec.generate_private_key(ec.SECP256R1())
    made = certify("middle", key, ROOT_KEY, "root", ca=True).public_bytes(Encoding.DER)
    below = (*served(issuer="middle", issuer_key=key, with_root=False), parse(made))
    record = tlsa(below, usage=2)
    assert finding("MT-DANE", _address(**published(record), chains=(below,))).verdict == "pass"


def test_two_records_of_mta_sts_are_none() -> None:
    """RFC 8461, section 3.1: no sender follows the policy then."""
    twice = answer("TXT", "v=STSv1; id=1", "v=STSv1; id=2")
    case = domain_case(replace(with_mx(**published()), sts=twice))
    assert finding("MT-MX-VERIFIED", case).verdict == "fail"
    assert finding("MT-MTA-STS-MX", case).verdict == "not-applicable"


def test_a_key_that_is_not_served_yet_is_told() -> None:
    """Published before the change, as it should be: information, and no fault."""
    found = finding("MT-DANE", _address(**published(*RECORDS, _OTHER)))
    assert found.verdict == "pass"
    assert (
        "also published, for no key that is served: 3 1 1 abababab… (the next key" in found.observed
    )


@pytest.mark.parametrize("security", get_args(Security))
def test_dane_is_in_force_only_where_all_is_secure(security: Security) -> None:
    """The address and the record; what no DNSSEC carries neither saves nor harms."""
    for facts in (
        replace(MX, **published(_OTHER, security=security)),
        replace(MX, **published(_OTHER), addresses=(replace(_A, security=security),)),
    ):
        found = finding("MT-DANE", mx_case(facts, ADDRESS))
        expected = {"secure": "fail", "untold": "inconclusive"}.get(security, "not-applicable")
        assert found.verdict == expected
        assert (dane.in_force(facts) is None) == (security == "secure")


def test_a_domain_that_takes_no_mail_has_nothing_to_look_at() -> None:
    """And says so; that is a pass."""
    null = replace(FACTS, mx=answer("MX", "0 .", name=DOMAIN), hosts=())
    found = {check: finding(check, domain_case(null)) for check in DOMAIN_JUDGES}
    assert found.pop("MT-MX").verdict == "pass"
    assert {f.verdict for f in found.values()} == {"not-applicable"}


def test_null_mx_beside_others_is_none() -> None:
    """RFC 7505, section 3: it has to be the only one."""
    assert not replace(FACTS, mx=answer("MX", "0 .", "10 mx.example.org")).null


def test_without_dane_mta_sts_will_do_and_the_other_way_round() -> None:
    """One of them is enough (RFC 8461, section 2); what is missing is no fault of its own."""
    only_sts = with_mx(**published())
    only_sts = replace(only_sts, mx=replace(only_sts.mx, **_UNSIGNED))
    only_dane = replace(FACTS, **_NO_POLICY)
    for facts, by in ((only_sts, "by MTA-STS"), (only_dane, "by DANE")):
        found = finding("MT-MX-VERIFIED", domain_case(facts))
        assert (found.verdict, found.observed) == ("pass", by)
    for check in ("MT-MTA-STS", "MT-MTA-STS-MX", "MT-MTA-STS-CERT"):
        assert finding(check, domain_case(only_dane)).verdict == "not-applicable"
    assert finding("MT-DANE", _address(**published())).verdict == "not-applicable"


@pytest.mark.parametrize("check", ["MT-MTA-STS-MX", "MT-MTA-STS-CERT"])
def test_a_policy_that_is_withdrawn_demands_nothing(check: str) -> None:
    """Mode none; and it protects nobody."""
    case = _sts(b"version: STSv1\nmode: none\nmax_age: 86400\n")
    assert finding("MT-MTA-STS", case).verdict == "pass"
    assert finding(check, case).verdict == "not-applicable"


def test_an_address_of_its_own_is_enough() -> None:
    """RFC 5321, section 5.1: without MX records mail goes there."""
    # That there is no MX record may be told without AD: a signed zone may opt out (RFC 5155).
    own = replace(FACTS, mx=answer("MX", name=DOMAIN, security="unsigned"), own=True)
    assert finding("MT-MX", domain_case(own)).verdict == "pass"
    assert finding("MT-DNSSEC", domain_case(own)).verdict == "pass"


def test_an_address_in_place_of_a_name_may_greet() -> None:
    """RFC 5321, section 4.2."""
    case = _address(greeted={ADDRESS: Greeted("[192.0.2.25]")})
    assert finding("MT-BANNER", case).verdict == "pass"


def test_authorities_are_not_asked_about_where_dane_ee_vouches() -> None:
    """An expired certificate of an unknown authority is fine there, and only there."""
    odd = (chain(EC_KEY, issuer_key=EC_KEY, days=(-9, -1), names=("x.example",)),)
    case = good_endpoint("smtp", 25, "starttls", "mx")
    case = replace(case, facts=replace(case.facts, chains=odd))
    for check in ("MT-CERT-CHAIN", "MT-CERT-NAME", "MT-CERT-TIME"):
        planned = Planned(CATALOGUE[check], case.planned, "p")
        assert judge(planned, case).verdict == "fail"
        assert judge(planned, replace(case, pinned=True)).verdict == "not-applicable"


def test_only_dane_ee_pins_and_only_all_keys() -> None:
    """Senders ask the authority for the other key, or under usage 2."""
    seen = endpoint()
    assert dane.pinned(MX, seen)
    assert not dane.pinned(replace(MX, **published(RECORDS[0])), seen)
    assert not dane.pinned(replace(MX, **published(tlsa(CHAINS[0], usage=2))), seen)
    assert not dane.pinned(replace(MX, **published(*RECORDS, **_UNSIGNED)), seen)
    assert not dane.pinned(MX, replace(seen, bad_chains=("?",)))
    assert not dane.pinned(MX, replace(seen, handshake=Observation("refused"), chains=()))


def test_a_server_of_two_domains_is_judged_once() -> None:
    """And knows both, for the name on its certificate."""
    other = replace(FACTS, domain="example.com")
    planned = list(plan([FACTS, other], "p"))
    assert len(planned) == 2 * len(DOMAIN_JUDGES) + len(MX_JUDGES) + len(ADDRESS_JUDGES)
    (name,) = (p.target for p in planned if p.check.id == "MT-MX-NAME")
    assert name.domains == ("example.org", "example.com")  # type: ignore[union-attr]
    assert name.place == (HOST, "", 25, "smtp")
