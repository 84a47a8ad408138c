"""Cipher suites and groups: the table and what the names say."""

import subprocess

import pytest

from audit.iana import GROUPS, SUITES, group, suite


def test_ids_and_names_are_unique() -> None:
    """No suite stands in the table twice."""
    assert len({s.code for s in SUITES}) == len(SUITES) == len({s.name for s in SUITES})


def test_every_name_has_the_shape_of_a_suite() -> None:
    """Key exchange, cipher and hash can be read from every name."""
    for found in SUITES:
        assert found.cipher
        assert found.key_exchange
        assert found.oldest in ("SSLv3", "TLSv1.0", "TLSv1.2", "TLSv1.3")


def test_openssl_agrees_about_names_and_ids() -> None:
    """The OpenSSL of this machine is an independent witness."""
    command = ["openssl", "ciphers", "-V", "-stdname", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(lines) > 50
    for line in lines:
        code, _, iana, _, openssl, *_ = line.split()
        high, low = code.split(",")
        found = suite(iana)
        assert found.code == int(high, 16) << 8 | int(low, 16)
        assert found.openssl == openssl


@pytest.mark.parametrize(
    ("name", "exchange", "authentication", "aead", "secret", "oldest"),
    [
        ("TLS_RSA_WITH_AES_128_CBC_SHA", "RSA", "RSA", False, False, "SSLv3"),
        ("TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", "ECDHE", "ECDSA", True, True, "TLSv1.2"),
        ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE", "RSA", False, True, "TLSv1.0"),
        ("TLS_DHE_RSA_EXPORT_WITH_DES40_CBC_SHA", "DHE", "RSA", False, True, "SSLv3"),
        ("TLS_DH_anon_WITH_RC4_128_MD5", "DH", "anon", False, False, "SSLv3"),
        ("TLS_CHACHA20_POLY1305_SHA256", "any", "any", True, True, "TLSv1.3"),
    ],
)
def test_names_tell_what_a_suite_is(
    name: str,
    exchange: str,
    authentication: str,
    aead: bool,
    secret: bool,
    oldest: str,
) -> None:
    """Key exchange, authentication, AEAD and forward secrecy follow from the IANA name."""
    found = suite(name)
    assert (exchange, authentication) == (found.key_exchange, found.authentication)
    assert (aead, secret, oldest) == (found.aead, found.forward_secret, found.oldest)


def test_tls13_suites_are_usable_in_tls13_only() -> None:
    """And no older suite is usable in TLS 1.3 (RFC 8446, appendix B.4)."""
    for found in SUITES:
        assert found.usable_in("TLSv1.3") == found.tls13
        assert found.usable_in("TLSv1.2") != found.tls13


def test_unknown_codes_get_a_name_of_their_own() -> None:
    """A server may choose anything; it must not make us stumble."""
    assert suite(0xFAFA).name == "TLS_UNKNOWN_WITH_FAFA"
    assert group(0xFEFE).name == "group-0xfefe"


def test_groups_are_found_by_every_name() -> None:
    """P-256 is prime256v1 is secp256r1."""
    assert group("P-256") is group("prime256v1") is group("secp256r1") is group(23)
    assert len({g.code for g in GROUPS}) == len(GROUPS)
