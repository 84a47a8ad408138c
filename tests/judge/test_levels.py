"""Levels, dates and upper bounds: what passes, what fails, and what is said about it."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from msgspec.structs import replace
from tlslite import mathtls

from audit.findings import Finding
from audit.judge.bench import Planned, judge
from audit.judge.case import EndpointCase
from audit.judge.catalogue import CATALOGUE
from audit.policy.load import load
from audit.policy.model import OPEN, Item, Profile
from tests.judge.factories import (
    CHAINS,
    EC_KEY,
    RSA_KEY,
    chain,
    changed,
    good_endpoint,
    hashes,
)

GOOD = good_endpoint()
MX = good_endpoint("smtp", 25, traffic="mx")
NCSC = load("ncsc-nl-2025").profiles["access"]
BSI = load("bsi-tr-02102-2").profiles["access"]
RFC = load("rfc9325").profiles["access"]
MODERN = load("mozilla-modern").profiles["access"]
INTERMEDIATE = load("mozilla-intermediate-6.0").profiles["access"]

LATE = "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"
FINE = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
BEST = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"


def _by(profile: Profile, case: EndpointCase = GOOD, **facts: Any) -> EndpointCase:
    return replace(changed(case, **facts), profile=profile)


def _suites(*names: str) -> dict[Any, tuple[str, ...]]:
    return {**GOOD.facts.suites, "TLSv1.2": names}


def _finding(check: str, case: EndpointCase) -> Finding:
    return judge(Planned(CATALOGUE[check], case.planned, "some-policy"), case)


def _seen(check: str, case: EndpointCase) -> tuple[str, str]:
    found = _finding(check, case)
    return found.verdict, found.level


def test_a_finding_names_its_policy() -> None:
    """Even where it knows no level."""
    found = _finding("MT-COMPRESS", GOOD)
    assert (found.policy, found.level) == ("some-policy", "")


@pytest.mark.parametrize(
    "check", ["MT-TLS13", "MT-CIPHER-SET", "MT-CURVES", "MT-CERT-KEY", "MT-CERT-SIG"]
)
def test_what_is_exactly_the_policy_is_good(check: str) -> None:
    """Each item of our own policy is, but for port 25."""
    assert _seen(check, GOOD) == ("pass", "good")


def test_a_phase_out_passes_until_its_day_and_says_so() -> None:
    """The observation names items and date; the day after, the same facts fail."""
    found = _finding("MT-CIPHER-SET", MX)
    assert (found.verdict, found.level) == ("pass", "phase-out")
    assert found.observed == (
        "phase-out until 2028-12-31: TLS_RSA_WITH_AES_256_GCM_SHA384,"
        " TLS_RSA_WITH_AES_128_GCM_SHA256, TLS_RSA_WITH_AES_256_CBC_SHA,"
        " TLS_RSA_WITH_AES_128_CBC_SHA"
    )
    last = replace(MX, now=datetime(2028, 12, 31, 23, 59, tzinfo=UTC))
    assert _seen("MT-CIPHER-SET", last) == ("pass", "phase-out")
    after = replace(MX, now=datetime(2029, 1, 1, tzinfo=UTC))
    assert _seen("MT-CIPHER-SET", after) == ("fail", "insufficient")


def test_static_dh_ends_for_bsi_with_2026() -> None:
    """A year without plus is a phase-out until its end."""
    static = "TLS_ECDH_ECDSA_WITH_AES_128_GCM_SHA256"
    case = _by(BSI, suites={"TLSv1.2": (static,)})
    now = replace(case, now=datetime(2026, 12, 31, tzinfo=UTC))
    assert _finding("MT-CIPHER-SET", now).observed == f"phase-out until 2026-12-31: {static}"
    later = replace(case, now=datetime(2027, 1, 1, tzinfo=UTC))
    assert _seen("MT-CIPHER-SET", later) == ("fail", "insufficient")


def test_a_phase_out_without_a_day_has_none_in_its_words() -> None:
    """The source does not say when."""
    case = _by(NCSC, suites=_suites(BEST, LATE))
    assert _finding("MT-CIPHER-SET", case).observed == f"phase-out: {LATE}"


@pytest.mark.breaks("MT-CIPHER-SET")
def test_an_upper_bound_wants_nothing_but_forbids_the_rest() -> None:
    """One suite of it is enough; one that it does not list fails."""
    assert _seen("MT-CIPHER-SET", _by(INTERMEDIATE, suites={"TLSv1.2": (FINE,)})) == (
        *("pass", "good"),
    )
    weak = _by(INTERMEDIATE, suites=_suites(FINE, LATE))
    found = _finding("MT-CIPHER-SET", weak)
    assert (found.verdict, found.level) == ("fail", "insufficient")
    assert found.observed == f"TLSv1.2 accepts {LATE}"
    assert "TLSv1.2 some of " in found.expected


def test_an_upper_bound_still_wants_to_know_the_rest() -> None:
    """What was not refused may be anything."""
    rest = dict.fromkeys(GOOD.facts.rest, replace(GOOD.facts.handshake, seen="inconclusive"))
    case = _by(INTERMEDIATE, suites={"TLSv1.2": (FINE,)}, rest=rest)
    assert _seen("MT-CIPHER-SET", case) == ("inconclusive", "")


def _versions(**seen: Any) -> dict[Any, Any]:
    accepted = GOOD.facts.protocols["TLSv1.3"]
    refused = GOOD.facts.protocols["SSLv3"]
    named = {"TLSv1.2": seen.get("old"), "TLSv1.3": seen.get("new")}
    return {**GOOD.facts.protocols, **{v: accepted if y else refused for v, y in named.items()}}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (True, True, [("pass", "sufficient"), ("pass", "good")]),
        (True, False, [("pass", "sufficient"), ("pass", "")]),
        (False, True, [("pass", ""), ("pass", "good")]),
    ],
)
def test_versions_of_an_upper_bound_may_be_missing(
    *, old: bool, new: bool, expected: list[tuple[str, str]]
) -> None:
    """TLS 1.2 alone is sufficient for NCSC, TLS 1.3 alone is good."""
    case = _by(NCSC, protocols=_versions(old=old, new=new))
    assert [_seen("MT-TLS12", case), _seen("MT-TLS13", case)] == expected
    assert _finding("MT-TLS12", case).expected == "TLSv1.2 allowed"


@pytest.mark.breaks("MT-TLS12", "MT-TLS13", "MT-TLS10")
def test_what_an_upper_bound_demands_must_be_served() -> None:
    """TLS 1.2 for BSI and the IETF, TLS 1.3 for Mozilla's modern; and TLS 1.0 is nobody's."""
    only_new, only_old = _versions(old=False, new=True), _versions(old=True, new=False)
    assert _seen("MT-TLS12", _by(BSI, protocols=only_new)) == ("fail", "")
    assert _seen("MT-TLS12", _by(RFC, protocols=only_new)) == ("fail", "")
    assert _seen("MT-TLS13", _by(MODERN, protocols=only_old)) == ("fail", "")
    assert _seen("MT-TLS12", _by(MODERN, protocols=only_old)) == ("fail", "insufficient")
    ancient = {**GOOD.facts.protocols, "TLSv1.0": GOOD.facts.protocols["TLSv1.3"]}
    assert _seen("MT-TLS10", _by(NCSC, protocols=ancient)) == ("fail", "insufficient")


@pytest.mark.breaks("MT-CIPHER-ORDER")
@pytest.mark.parametrize(
    ("names", "decides", "verdict"),
    [
        ((FINE, LATE), "server", "pass"),
        ((LATE, FINE), "server", "fail"),
        ((FINE, LATE), "client", "fail"),
        ((FINE, LATE), "unknown", "inconclusive"),
        ((FINE, BEST), "client", "pass"),
        ((BEST, FINE), "unknown", "pass"),
        ((LATE,), "unknown", "pass"),
    ],
)
def test_order_by_level_puts_what_is_on_phase_out_last(
    names: tuple[str, ...], decides: str, verdict: str
) -> None:
    """Within a level any order will do, whoever decides."""
    case = _by(NCSC, suites={"TLSv1.2": names}, preference={"TLSv1.2": decides})
    assert _finding("MT-CIPHER-ORDER", case).verdict == verdict


def test_no_opinion_on_the_order_is_none() -> None:
    """Mozilla lets the client decide, and whoever else."""
    for decides in ("server", "client", "unknown"):
        case = _by(
            INTERMEDIATE,
            suites={"TLSv1.2": (BEST, FINE)},
            preference={"TLSv1.2": decides},
        )
        assert _finding("MT-CIPHER-ORDER", case).verdict == "pass"


@pytest.mark.breaks("MT-CURVES")
def test_groups_have_levels_too() -> None:
    """A curve on phase-out passes and is named, an unlisted one fails, a missing one is fine."""
    both = ("TLSv1.2", "TLSv1.3")
    late = _by(NCSC, groups={"TLSv1.2": ("P-256", "P-224"), "TLSv1.3": ("P-256", "ffdhe3072")})
    found = _finding("MT-CURVES", late)
    assert (found.verdict, found.level) == ("pass", "phase-out")
    assert found.observed == "phase-out: P-224, ffdhe3072"
    assert _seen("MT-CURVES", _by(NCSC, groups=dict.fromkeys(both, ("X25519",)))) == (
        *("pass", "good"),
    )
    odd = _by(NCSC, groups=dict.fromkeys(both, ("P-256", "secp256k1")))
    assert _seen("MT-CURVES", odd) == ("fail", "insufficient")
    x25519 = _by(BSI, groups=dict.fromkeys(both, ("X25519",)))
    assert _seen("MT-CURVES", x25519) == ("fail", "insufficient")


DHE = {"TLSv1.2": ("TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",)}


FFDHE2048, FFDHE3072 = (getattr(mathtls, f"FFDHE{bits}")[1] for bits in (2048, 3072))
OWN3072 = (1 << 3071) + 1  # as far as anybody can tell


@pytest.mark.breaks("MT-DH-SIZE")
@pytest.mark.parametrize(
    ("profile", "primes", "expected"),
    [
        (BSI, (OWN3072,), ("pass", "good")),
        (BSI, (FFDHE2048, OWN3072), ("fail", "insufficient")),
        (NCSC, (FFDHE3072,), ("pass", "phase-out")),
        (NCSC, (OWN3072,), ("fail", "insufficient")),
        (NCSC, (OWN3072, FFDHE3072), ("fail", "insufficient")),
        (NCSC, (FFDHE2048,), ("fail", "insufficient")),
        (NCSC, None, ("inconclusive", "")),
    ],
)
def test_primes_have_levels_and_names(
    profile: Profile, primes: tuple[int, ...] | None, expected: tuple[str, str]
) -> None:
    """NCSC wants the primes of RFC 7919 and no others, whatever their size."""
    assert _seen("MT-DH-SIZE", _by(profile, suites=DHE, dh_primes=primes)) == expected


def test_the_size_of_a_prime_follows_the_calendar() -> None:
    """2048 bits were on phase-out for BSI until the end of 2022."""
    case = _by(BSI, suites=DHE, dh_primes=(FFDHE2048,))
    found = _finding("MT-DH-SIZE", replace(case, now=datetime(2022, 12, 31, tzinfo=UTC)))
    assert (found.verdict, found.level) == ("pass", "phase-out")
    assert found.observed == "phase-out until 2022-12-31: 2048 bits"


@pytest.mark.breaks("MT-CERT-KEY")
def test_keys_have_levels() -> None:
    """RSA 2048 is on phase-out for NCSC, forbidden by BSI since 2024 and in Mozilla's modern."""
    found = _finding("MT-CERT-KEY", _by(NCSC))
    assert (found.verdict, found.level) == ("pass", "phase-out")
    assert found.observed == "phase-out: CN=m.example has RSA with 2048 bits"
    assert _seen("MT-CERT-KEY", _by(BSI)) == ("fail", "insufficient")
    assert _seen("MT-CERT-KEY", _by(MODERN)) == ("fail", "insufficient")
    only_ec = (CHAINS[0],)
    assert _seen("MT-CERT-KEY", _by(MODERN, chains=only_ec)) == ("pass", "good")
    large = chain(rsa.generate_private_key(65537, 3072))
    assert _seen("MT-CERT-KEY", _by(NCSC, chains=(large,))) == ("pass", "good")


@pytest.mark.breaks("MT-CERT-KEY")
def test_curves_of_keys_have_levels() -> None:
    """P-224 is on phase-out, Ed25519 good for NCSC and unknown to BSI."""
    assert _seen("MT-CERT-KEY", _by(NCSC, chains=(chain(ec.generate_private_key(ec.SECP224R1())),))) == ("pass", "phase-out")  # fmt: skip  # noqa: E501
    edwards = (chain(ed25519.Ed25519PrivateKey.generate()),)
    assert _seen("MT-CERT-KEY", _by(NCSC, chains=edwards)) == ("pass", "good")
    assert _seen("MT-CERT-KEY", _by(BSI, chains=edwards)) == ("fail", "insufficient")
    assert _seen("MT-CERT-KEY", changed(GOOD, chains=edwards)) == ("pass", "good")


@pytest.mark.breaks("MT-CERT-SIG")
def test_hashes_have_levels() -> None:
    """SHA-224 is on phase-out for NCSC and insufficient for our own policy."""
    old = (chain(RSA_KEY, algorithm=hashes.SHA224()),)
    found = _finding("MT-CERT-SIG", _by(NCSC, chains=old))
    assert (found.verdict, found.level) == ("pass", "phase-out")
    assert found.observed == "phase-out: CN=m.example is signed with sha224"
    assert _seen("MT-CERT-SIG", changed(GOOD, chains=old)) == ("fail", "insufficient")
    assert _seen("MT-CERT-SIG", _by(NCSC)) == ("pass", "sufficient")


@pytest.mark.breaks("MT-CERT-TIME")
def test_a_certificate_may_live_too_long() -> None:
    """400 days are more than Mozilla's 366, and more than no opinion allows nobody."""
    long = (chain(EC_KEY, days=(-10, 390)),)
    found = _finding("MT-CERT-TIME", _by(INTERMEDIATE, chains=long))
    assert (found.verdict, found.observed) == ("fail", "ecdsa: lasts 400 days, more than 366")
    assert _finding("MT-CERT-TIME", changed(GOOD, chains=long)).verdict == "pass"
    short = (chain(EC_KEY, days=(-10, 60)),)
    assert _finding("MT-CERT-TIME", _by(MODERN, chains=short)).verdict == "pass"


def test_the_worst_level_counts() -> None:
    """Good, sufficient and phase-out together are phase-out."""
    items = (
        *(Item(name=BEST), Item(name=FINE, level="sufficient")),
        Item(name=LATE, level="phase-out", until=OPEN),
    )
    profile = msgspec.structs.replace(INTERMEDIATE, suites=items)
    for names, level in (
        ((BEST,), "good"),
        ((BEST, FINE), "sufficient"),
        ((BEST, LATE, FINE), "phase-out"),
        ((BEST, "TLS_RSA_WITH_NULL_SHA"), "insufficient"),
    ):
        case = _by(profile, suites={"TLSv1.2": names})
        assert _finding("MT-CIPHER-SET", case).level == level
