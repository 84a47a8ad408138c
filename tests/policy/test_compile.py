"""The compiler: exact settings, or a refusal with the reason."""

import shutil
import subprocess
from dataclasses import replace
from datetime import date
from pathlib import Path

import msgspec
import pytest

from audit.iana import SUITES, suite
from audit.policy.compile import (
    DEFAULTS,
    Infeasible,
    Kind,
    compile_policy,
    gnutls,
    numbers,
    openssl,
)
from audit.policy.compile.reported import compiled_for, target
from audit.policy.load import load
from audit.policy.model import Item, Policy, Profile

DAY = date(2026, 11, 23)
DEFAULT = load("mailseal-2026")
HISTORICAL = load("univie-2015")
SIX = (
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-GCM-SHA256"
)


def _with(policy: Policy, **changes: object) -> Policy:
    """The policy with every profile changed."""
    profiles = {k: msgspec.structs.replace(p, **changes) for k, p in policy.profiles.items()}
    return msgspec.structs.replace(policy, profiles=profiles)


def test_cyrus_gets_explicit_options_and_the_librarys_file() -> None:
    """Both outputs, complete: what the daemon sets and what only openssl.cnf can set."""
    compiled = compile_policy(DEFAULT, DEFAULTS["cyrus"], DAY)
    assert compiled.options == {
        "tls_versions": "tls1_2 tls1_3",
        "tls_ciphers": SIX,
        "tls_prefer_server_ciphers": "yes",
        "tls_eccurve": "auto",
        "tls_compression": "no",
        "allowplaintext": "no",
        "tls_required": "yes",
    }
    assert compiled.openssl_cnf is not None
    lines = compiled.openssl_cnf.splitlines()
    assert "Groups = X25519:P-256:P-384" in lines
    assert "MinProtocol = TLSv1.2" in lines
    assert (
        "Ciphersuites = TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"
        in lines
    )
    assert compiled.left_out == ("X25519MLKEM768 needs OpenSSL 3.5.0",)


def test_the_hybrid_group_comes_first_where_the_library_has_it() -> None:
    """And only there: one unknown name would void the whole line."""
    new = replace(DEFAULTS["cyrus"], version=(3, 10, 2), library=(3, 5, 9))
    compiled = compile_policy(DEFAULT, new, DAY)
    assert compiled.openssl_cnf is not None
    assert "Groups = X25519MLKEM768:X25519:P-256:P-384" in compiled.openssl_cnf
    assert compiled.left_out == ()
    assert compiled.options["allowstarttls"] == "yes"


@pytest.mark.parametrize(
    ("version", "off"),
    [((3, 6, 1), False), ((3, 8, 5), False), ((3, 8, 6), True), ((3, 10, 1), False),
     ((3, 10, 2), True), ((3, 12, 0), False), ((3, 12, 1), True), ((3, 14, 0), True)],
)  # fmt: skip
def test_starttls_is_turned_on_where_a_release_turned_it_off(
    version: tuple[int, ...],
    off: bool,
) -> None:
    """A point upgrade of Cyrus must not take STARTTLS away."""
    compiled = compile_policy(DEFAULT, replace(DEFAULTS["cyrus"], version=version), DAY)
    assert ("allowstarttls" in compiled.options) == off


def test_exim_on_gnutls_gets_one_priority_for_each_kind_of_port() -> None:
    """Port 25 may do more, and the expansion says which port has which."""
    value = compile_policy(DEFAULT, DEFAULTS["exim-gnutls"], DAY).options["tls_require_ciphers"]
    assert value.startswith("${if =={$received_port}{25}{NONE:+VERS-TLS1.3:+VERS-TLS1.2:")
    permissive, strict = value.removeprefix("${if =={$received_port}{25}{").split("}{")
    assert "+RSA:" in permissive
    assert "+RSA:" not in strict
    assert strict.endswith(":%SERVER_PRECEDENCE}}")


@pytest.mark.skipif(shutil.which("gnutls-cli") is None, reason="gnutls-bin is not installed")
@pytest.mark.parametrize("name", ["access", "mx"])
def test_gnutls_itself_reads_the_priority_as_the_policy(name: str) -> None:
    """An independent witness: the suites that gnutls-cli lists, in order."""
    profile = DEFAULT.profiles[name]  # type: ignore[index]
    command = ["gnutls-cli", "--list", "--priority", gnutls.priority(profile, DAY)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in output.splitlines() if "0x" in line]
    codes = [int(row[1].removesuffix(","), 0) << 8 | int(row[2], 0) for row in rows]
    wanted = [suite(item.name) for item in profile.suites]
    assert codes == [s.code for s in wanted]


def test_exim_on_openssl_gets_server_order_and_no_old_version() -> None:
    """Including the option that the published templates leave out."""
    options = compile_policy(DEFAULT, DEFAULTS["exim-openssl"], DAY).options
    words = options["openssl_options"].split()
    assert "+cipher_server_preference" in words
    assert {"+no_sslv2", "+no_sslv3", "+no_tlsv1", "+no_tlsv1_1", "+no_compression"} <= set(words)
    assert "+no_tlsv1_2" not in words
    assert options["tls_dhparam"] == "none"


def test_no_client_renegotiates_on_a_library_that_would_let_it() -> None:
    """OpenSSL 1.1.1 does by itself, 3.0 does not; Cyrus has no option, the library's file has."""
    old = replace(DEFAULTS["cyrus"], library=(1, 1, 1))
    allowed = _with(DEFAULT, client_renegotiation="allowed")
    texts = [compile_policy(p, t, DAY).openssl_cnf or "" for p, t in (
        (DEFAULT, old), (allowed, old), (DEFAULT, DEFAULTS["cyrus"]),
    )]  # fmt: skip
    assert ["NoRenegotiation" in text for text in texts] == [True, False, False]
    assert "Options = ServerPreference,NoRenegotiation,-Compression" in texts[0].splitlines()


def test_historical_policy_on_cyrus_is_the_list_that_was_tried() -> None:
    """TLS 1.0 to 1.2, DHE of 2048 bits, security level 0 for the old versions' signatures."""
    compiled = compile_policy(HISTORICAL, DEFAULTS["cyrus"], DAY)
    assert compiled.options["tls_versions"] == "tls1_0 tls1_1 tls1_2"
    assert compiled.options["tls_ciphers"].endswith("ECDHE-RSA-AES128-SHA:@SECLEVEL=0")
    assert compiled.dh_group == "ffdhe2048"
    assert compiled.openssl_cnf is not None
    assert "MaxProtocol = TLSv1.2" in compiled.openssl_cnf


@pytest.mark.parametrize(
    ("policy", "kind", "version", "library", "reason"),
    [
        (HISTORICAL, "exim-gnutls", (4, 96), (3, 7, 9), "_DHE_RSA_WITH_AES_256_CBC_SHA comes with"),
        (HISTORICAL, "cyrus", (2, 4, 17), (1, 0, 2), "before 2.4.18 Cyrus has no ECDHE"),
        (HISTORICAL, "cyrus", (3, 10, 2), (3, 5, 0), "ignores tls_server_dhparam"),
        (DEFAULT, "cyrus", (3, 6, 1), (1, 0, 2), "TLSv1.3 needs OpenSSL 1.1.1"),
        (DEFAULT, "cyrus", (3, 0, 11), (3, 0, 0), "TLS 1.3 needs Cyrus 3.0.12"),
        (DEFAULT, "cyrus", (2, 5, 5), (3, 0, 0), "before 2.5.6 Cyrus has no tls_required"),
        (DEFAULT, "exim-gnutls", (4, 92), (3, 6, 0), "TLS 1.3 needs GnuTLS 3.6.5"),
        (DEFAULT, "exim-openssl", (4, 86), (3, 0, 0), "a list of groups needs Exim 4.88"),
    ],
)  # fmt: skip
def test_what_a_target_cannot_do_is_refused_with_the_reason(
    policy: Policy, kind: Kind, version: tuple[int, ...], library: tuple[int, ...], reason: str
) -> None:
    """Nothing weaker is written instead."""
    wanted = replace(DEFAULTS[kind], version=version, library=library)
    with pytest.raises(Infeasible) as error:
        compile_policy(policy, wanted, DAY)
    assert reason in str(error.value)
    assert error.value.exit_code == 2


@pytest.mark.parametrize("kind", DEFAULTS)
def test_holes_in_the_versions_are_refused(kind: Kind) -> None:
    """OpenSSL would downgrade or refuse everybody."""
    holed = _with(DEFAULT, versions=(Item(name="TLSv1.3"), Item(name="TLSv1.1")))
    with pytest.raises(Infeasible, match=r"hole \(TLSv1\.2\)"):
        compile_policy(holed, DEFAULTS[kind], DAY)


def test_a_suite_without_openssl_name_is_refused() -> None:
    """An unknown name would be dropped without a word."""
    odd = _with(DEFAULT, suites=(Item(name="TLS_KRB5_WITH_RC4_128_SHA"),))
    with pytest.raises(Infeasible, match="OpenSSL has no TLS_KRB5_WITH_RC4_128_SHA"):
        compile_policy(odd, DEFAULTS["cyrus"], DAY)


def test_interleaved_certificate_types_are_refused_on_gnutls() -> None:
    """Its order is by key exchange first; the same list is exact on OpenSSL."""
    names = [
        "TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    ]  # fmt: skip
    mixed = _with(DEFAULT, suites=tuple(Item(name=n) for n in names))
    with pytest.raises(Infeasible, match="its order is by key exchange"):
        compile_policy(mixed, DEFAULTS["exim-gnutls"], DAY)
    assert compile_policy(mixed, DEFAULTS["exim-openssl"], DAY)


def test_versions_that_differ_by_port_are_refused_for_exim_on_openssl() -> None:
    """openssl_options holds for every port."""
    mx = msgspec.structs.replace(
        DEFAULT.profiles["mx"],
        versions=tuple(Item(name=v) for v in ("TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1.0")),
    )
    policy = msgspec.structs.replace(DEFAULT, profiles={**DEFAULT.profiles, "mx": mx})
    with pytest.raises(Infeasible, match="versions of every port at once"):
        compile_policy(policy, DEFAULTS["exim-openssl"], DAY)
    assert compile_policy(policy, DEFAULTS["exim-gnutls"], DAY)


def test_every_name_of_a_cipher_string_is_known_to_openssl(tmp_path: Path) -> None:
    """The OpenSSL of this machine accepts string and file and gives back the same suites."""
    for policy in (DEFAULT, HISTORICAL):
        compiled = compile_policy(policy, DEFAULTS["cyrus"], DAY)
        (tmp_path / "openssl.cnf").write_text(compiled.openssl_cnf or "")
        command = ["openssl", "ciphers", "-V", "-s", "-tls1_2", compiled.options["tls_ciphers"]]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        listed = [line.split()[2] for line in lines.splitlines() if "TLSv1.3" not in line]
        wanted = [suite(i.name) for i in policy.profiles["access"].suites]
        assert listed == [s.openssl for s in wanted if not s.tls13]


def test_the_product_is_what_gnutls_serves() -> None:
    """DHE with CBC comes in as soon as DHE and CBC are both named."""
    wanted = [suite(i.name) for i in HISTORICAL.profiles["access"].suites]
    extra = {s.name for s in gnutls.product(wanted)} - {s.name for s in wanted}
    assert "TLS_DHE_RSA_WITH_AES_128_CBC_SHA" in extra
    assert all(s in SUITES for s in gnutls.product(wanted))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("3.0.19-1~deb12u2", (3, 0, 19)), ("1.0.2u", (1, 0, 2)), ("4.96", (4, 96)), ("3", (3,))],
)
def test_versions_are_read_as_numbers(text: str, expected: tuple[int, ...]) -> None:
    """Distribution suffixes and patch letters do not count."""
    assert numbers(text) == expected


def test_a_host_that_reports_gnutls_is_compiled_for_gnutls() -> None:
    """The run-time version is the one that serves."""
    report = (
        "Exim version 4.96 #2 built 01-Jan-2025\n"
        "Library version: GnuTLS: Compile: 3.7.8\n                 Runtime: 3.7.9\n"
    )
    found = target("exim", report, {25: "mx"}, ())
    assert (found.kind, found.version, found.library) == ("exim-gnutls", (4, 96), (3, 7, 9))
    report = report.replace(
        "GnuTLS: Compile: 3.7.8", "OpenSSL: Compile: OpenSSL 3.0.1 1 Jan"
    ).replace("Runtime: 3.7.9", "Runtime: OpenSSL 3.0.22 2 Feb")
    assert target("exim", report, {25: "mx"}, ()).library == (3, 0, 22)


def test_profiles_are_values() -> None:
    """Equal profiles are one: the compiler looks at each once."""
    assert isinstance(DEFAULT.profiles["access"], Profile)
    assert len(dict.fromkeys([DEFAULT.profiles["access"], DEFAULT.profiles["submission"]])) == 1


@pytest.mark.parametrize(
    ("report", "version"),
    [
        (
            "Library version: GnuTLS: Compile: 3.7.9\n                         Runtime: 3.7.11\n",
            "3.7.9",
        ),
        ("Library version: OpenSSL: Compile: OpenSSL 1.0.2u  20 Dec 2019\n", "1.0.2u"),
        ("Compile: OpenSSL 1.0.1e-fips 11 Feb 2013\ncyrus-imapd v2.4.17\n", "1.0.1e-fips"),
        ("Library version: PCRE2: Compile: 10.42\n", ""),
        ("cyrus-imapd 3.6.1\nOpenSSL 3.0.22\n", ""),
    ],
)
def test_what_a_daemon_was_compiled_for_is_read_from_its_report(report: str, version: str) -> None:
    """Of its TLS library and of no other; empty where it does not tell."""
    assert compiled_for(report) == version


@pytest.mark.parametrize(
    ("library", "policy", "written"),
    [
        ((1, 1, 1), DEFAULT, True),
        ((3, 0, 0), DEFAULT, False),
        ((1, 1, 1), HISTORICAL, False),
    ],
)
def test_an_old_library_is_told_not_to_sign_with_sha_1(
    library: tuple[int, ...], policy: Policy, written: bool
) -> None:
    """Level 1 forbids it from 3.0 on; TLS 1.0 has nothing else to sign with."""
    text = openssl.cnf(policy.profiles["mx"], library, DAY)
    assert text is not None
    assert ("SignatureAlgorithms = ECDSA+SHA256:" in text) == written
    assert "SHA1" not in text
