"""A built library is judged by what it offers; each thing it must not is seen."""

from typing import Any

import pytest

from packages import offers

HOME = "/opt/mailseal/openssl-3.0"
GOOD_SUITES = "\n".join(
    f"          0xC0,0x{n:02X} - ECDHE-RSA-AES{n}-GCM-SHA384  TLSv1.2 Kx=ECDH     Au=RSA   "
    "Enc=AESGCM(256)            Mac=AEAD"
    for n in range(12)
)


def report(**more: Any) -> dict[str, Any]:
    found = {"soname": "", "needed": [], "runpath": [f"{HOME}/lib"]}
    return {
        "version": "OpenSSL 3.0.22 1 Nov 2026 (Library: OpenSSL 3.0.22 1 Nov 2026)",
        "openssldir": f"{HOME}/ssl",
        "suites": GOOD_SUITES,
        "int128": True,
        "nistp": True,
        "versioned": True,
        "compressions": 0,
        "methods": {
            **{f"SSLv2_{side}method": "null" for side in ("", "client_", "server_")},
            **{f"SSLv3_{side}method": "absent" for side in ("", "client_", "server_")},
        },
        "dynamic": {
            f"{HOME}/lib/{name}.so.3": {**found, "soname": f"{name}.so.3"}
            for name in ("libssl", "libcrypto")
        },
        "files": {},
        **more,
    }


def test_a_good_build_is_shipped() -> None:
    """Nothing to say."""
    assert offers.judge("3.0.22", report()) == []


_LINE = "  0x00,0x05 - {}  SSLv3 Kx=RSA Au={} Enc={} Mac={}"


@pytest.mark.parametrize(
    ("line", "named"),
    [
        (_LINE.format("RC4-SHA", "RSA", "RC4(128)", "SHA1"), "RC4-SHA"),
        (_LINE.format("DES-CBC3-SHA", "RSA", "3DES(168)", "SHA1"), "Enc=3DES(168)"),
        (_LINE.format("DES-CBC-SHA", "RSA", "DES(56)", "SHA1"), "DES-CBC-SHA"),
        (_LINE.format("NULL-SHA256", "RSA", "None", "SHA256"), "Enc=None"),
        (_LINE.format("ADH-AES256-SHA", "None", "AES(256)", "SHA1"), "Au=None"),
        (_LINE.format("SEED-SHA", "RSA", "SEED(128)", "SHA1"), "SEED-SHA"),
        (_LINE.format("IDEA-CBC-SHA", "RSA", "IDEA(128)", "SHA1"), "IDEA-CBC-SHA"),
        (_LINE.format("EXP-RC2-CBC-MD5", "RSA", "RC2(40)", "MD5") + "  export", "EXP-RC2-CBC-MD5"),
        (_LINE.format("X-AES128-MD5", "RSA", "AES(128)", "MD5"), "Mac=MD5"),
    ],
)
def test_one_bad_suite_is_enough(line: str, named: str) -> None:
    """Whatever the options were called."""
    wrong = offers.judge("3.0.22", report(suites=GOOD_SUITES + "\n" + line))
    assert len(wrong) == 1
    assert named in wrong[0]


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"suites": ""}, "too few"),
        ({"version": "OpenSSL 3.0.2 1 Nov 2026"}, "3.0.2 "),
        ({"compressions": 1}, "compression"),
        ({"openssldir": "/usr/lib/ssl"}, "/usr/lib/ssl"),
        ({"nistp": False}, "P-256"),
        ({"versioned": False}, "versions"),
        ({"methods": {**report()["methods"], "SSLv3_method": "there"}}, "SSLv3_method"),
        ({"methods": {**report()["methods"], "SSLv2_client_method": "there"}}, "SSLv2_client"),
        ({"methods": {}}, "SSLv3_method"),
        ({"dynamic": {}}, "no libssl.so.3"),
        (
            {"dynamic": {p: {**d, "runpath": []} for p, d in report()["dynamic"].items()}},
            "does not look",
        ),
        (
            {
                "dynamic": {
                    p: {**d, "soname": "libssl.so.10"} for p, d in report()["dynamic"].items()
                }
            },
            "calls itself libssl.so.10",
        ),
    ],
)
def test_everything_else_is_looked_at(more: dict[str, Any], word: str) -> None:
    """Version, compression, old methods, the fast curve code, and how it is linked."""
    wrong = offers.judge("3.0.22", report(**more))
    assert any(word in sentence for sentence in wrong), wrong


def test_a_compiler_without_wide_integers_is_no_fault() -> None:
    """Where it cannot be had it is not missed."""
    assert offers.judge("3.0.22", report(int128=False, nistp=False)) == []
