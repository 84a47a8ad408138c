"""The policies that come with mailseal say what their sources say."""

from datetime import date, timedelta

import pytest

from audit.iana import SUITES, suite
from audit.policy.compile import DEFAULTS, Infeasible, compile_policy
from audit.policy.compile.target import Kind, Numbers, Target
from audit.policy.load import built_in_ids, load
from audit.policy.model import OPEN, Level, Traffic, allowed, size_of

DAY = date(2026, 11, 24)
OWN = {"mailseal-2026", "mailseal-el6", "univie-2015"}
BASELINES = sorted(set(built_in_ids()) - OWN)
BSI = load("bsi-tr-02102-2").profiles["mx"]
NCSC = load("ncsc-nl-2025").profiles["mx"]
RFC = load("rfc9325").profiles["mx"]


def test_all_that_were_promised_are_there() -> None:
    """Mozilla's editions, NCSC, BSI, the IETF, and BetterCrypto as history."""
    assert BASELINES == [
        "bettercrypto-a", "bettercrypto-b", "bsi-tr-02102-2", "mozilla-intermediate-5.7",
        "mozilla-intermediate-5.8", "mozilla-intermediate-6.0", "mozilla-modern",
        "ncsc-nl-2025", "rfc9325",
    ]  # fmt: skip


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_is_an_upper_bound_that_says_what_is_ours(name: str) -> None:
    """It forbids all else, demands little, and its notes tell reading from source."""
    policy = load(name)
    assert "ours" in policy.notes or name == "rfc9325"
    assert "github.com/" in policy.source
    for traffic, profile in policy.profiles.items():
        assert profile.bound == "upper"
        people = traffic in ("access", "submission")
        assert profile.tls == ("required" if people else "offered")


@pytest.mark.parametrize("name", built_in_ids())
def test_every_phase_out_ends_with_its_day(name: str) -> None:
    """The day after, it is insufficient; without a day it never is."""
    for profile in load(name).profiles.values():
        rules = profile.certificate
        for item in (
            *(*profile.versions, *profile.suites, *profile.groups, *profile.dh_sizes),
            *(*rules.rsa_sizes, *rules.curves, *rules.signature_hashes),
        ):
            if item.until is None or item.until == OPEN:
                assert item.level_on(OPEN) == item.level
                continue
            assert item.level_on(item.until) == "phase-out"
            assert item.level_on(item.until + timedelta(days=1)) == "insufficient"


def _levels(name: str) -> dict[str, Level]:
    return {i.name: i.level for i in load(name).profiles["access"].suites}


def test_ncsc_counts() -> None:
    """2 good, 10 sufficient and 35 suites on phase-out; RSA 3072 is good, 2048 on phase-out."""
    levels = list(_levels("ncsc-nl-2025").values())
    assert [levels.count(x) for x in ("good", "sufficient", "phase-out")] == [2, 10, 35]
    assert {suite(n).key_exchange for n, x in _levels("ncsc-nl-2025").items() if x == "good"} == {
        "any"
    }
    assert [size_of(NCSC.certificate.rsa_sizes, n) for n in (2047, 3072)] == [
        *(None, NCSC.certificate.rsa_sizes[0]),
    ]
    assert size_of(NCSC.certificate.rsa_sizes, 2048) == NCSC.certificate.rsa_sizes[1]
    assert [v.level for v in NCSC.versions] == ["good", "sufficient"]
    assert NCSC.extended_master_secret == NCSC.secure_renegotiation == "required"
    assert NCSC.client_renegotiation == "allowed"


def test_bsi_dates() -> None:
    """Static (EC)DH until the end of 2026, ffdhe2048 and primes below 3000 bits until 2022."""
    late = {i.name for i in BSI.suites if i.until == date(2026, 12, 31)}
    assert len(late) == 16
    assert {suite(n).key_exchange for n in late} == {"ECDH", "DH"}
    groups = set(allowed(BSI.groups, date(2026, 1, 1)))
    assert "ffdhe2048" not in groups
    assert {"ffdhe3072", "brainpoolP256r1tls13", "P-521"} <= groups
    assert "X25519" not in groups
    assert BSI.dh_bits == 3000
    small = size_of(BSI.certificate.rsa_sizes, 2048)
    assert small is not None
    assert small.level_on(date(2023, 12, 31)) == "phase-out"
    assert small.level_on(date(2024, 1, 1)) == "insufficient"


def test_the_ietfs_levels_follow_from_the_words_of_the_rfcs() -> None:
    """Every suite with a certificate is where the rules of RFC 9325 and 10015 put it."""
    levels = _levels("rfc9325")
    for s in SUITES:
        if s.tls13 or s.authentication not in ("RSA", "ECDSA"):
            continue
        expected: Level = "insufficient"
        strong = "NULL" not in s.name and "RC4" not in s.name
        if strong and s.key_exchange == "ECDH":
            expected = "phase-out"
        elif strong and s.key_exchange == "ECDHE":
            short = s.cipher.endswith("CCM_8")
            expected = "sufficient" if s.aead and not short else "phase-out"
            if "AES" in s.cipher and s.cipher.endswith("GCM"):
                expected = "good"
        assert levels.get(s.name, "insufficient") == expected, s.name
    assert [v.required for v in RFC.versions] == [False, True]


def test_mozilla_limits_the_life_of_certificates() -> None:
    """366 days, or 90 in the modern configuration, which has no RSA and demands TLS 1.3."""
    assert load("mozilla-intermediate-6.0").profiles["mx"].certificate.lifetime_days == 366
    modern = load("mozilla-modern").profiles["mx"]
    assert modern.certificate.lifetime_days == 90
    assert modern.certificate.rsa_sizes == ()
    assert [(v.name, v.required) for v in modern.versions] == [("TLSv1.3", True)]


def test_bettercrypto_keeps_its_order_and_its_warning() -> None:
    """4 and 18 suites of the tables, DHE first: not for use."""
    for letter, count in (("a", 4), ("b", 18)):
        policy = load(f"bettercrypto-{letter}")
        names = [i.name for i in policy.profiles["access"].suites]
        assert len(names) == count
        assert names[0] == "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"
        assert policy.profiles["access"].order == "exact"
        assert policy.status == "historical"
        assert policy.notes.startswith("Not fit for use today")


def test_our_own_policies_have_their_opinions() -> None:
    """2026 demands what current libraries do; 2015 had not heard of it."""
    strict = load("mailseal-2026").profiles["submission"]
    assert strict.extended_master_secret == strict.secure_renegotiation == "required"
    assert strict.client_renegotiation == strict.sha1_signatures == "forbidden"
    assert load("mailseal-2026").profiles["mx"].encrypt_then_mac == "required"
    old = load("univie-2015").profiles["mx"]
    assert old.extended_master_secret == old.secure_renegotiation == old.encrypt_then_mac == "any"
    assert old.client_renegotiation == old.sha1_signatures == "allowed"
    assert {strict.bound, old.bound, strict.order, old.order} == {"exact"}


@pytest.mark.parametrize(("kind", "version"), [("cyrus", (2, 5, 17)), ("exim-openssl", (4, 92, 3))])
def test_what_is_left_for_el6_can_be_compiled_for_it(kind: Kind, version: Numbers) -> None:
    """On OpenSSL 1.0.2, which reads no file: one group, said in the daemon's own option."""
    ports: dict[int, Traffic] = (
        {143: "access"} if kind == "cyrus" else {25: "mx", 587: "submission"}
    )
    target = Target(kind=kind, version=version, library=(1, 0, 2), ports=ports)
    compiled = compile_policy(load("mailseal-el6"), target, DAY)
    assert compiled.options["tls_eccurve"] == "prime256v1"
    assert compiled.openssl_cnf is None
    assert compiled.left_out == ()


@pytest.mark.parametrize(
    "name", ["mozilla-intermediate-5.7", "mozilla-intermediate-6.0", "bettercrypto-b"]
)
def test_what_a_library_has_in_full_can_be_compiled(name: str) -> None:
    """For Cyrus and for Exim on OpenSSL."""
    for kind in ("cyrus", "exim-openssl"):
        assert compile_policy(load(name), DEFAULTS[kind], DAY).options


@pytest.mark.parametrize("name", ["ncsc-nl-2025", "bsi-tr-02102-2", "rfc9325"])
def test_what_no_library_has_in_full_is_refused_with_the_reason(name: str) -> None:
    """These are measures."""
    with pytest.raises(Infeasible, match="OpenSSL"):
        compile_policy(load(name), DEFAULTS["cyrus"], DAY)


def test_our_own_policy_lies_inside_the_bounds_of_the_ietf() -> None:
    """But for static RSA on port 25, which it says itself."""
    for traffic, profile in load("mailseal-2026").profiles.items():
        bound = set(allowed(load("rfc9325").profiles[traffic].suites, DAY))
        beyond = {suite(n) for n in allowed(profile.suites, DAY) if n not in bound}
        assert {s.key_exchange for s in beyond} == ({"RSA"} if traffic == "mx" else set())
