"""What the daemons are told is what is meant, by the tools of the libraries themselves."""

import re
import shutil
import subprocess

import pytest

from tests.daemons.exim import exim_gnutls, priority
from tests.daemons.settings import ALL, Tls, dh_parameters, truth
from tests.daemons.table import CASES, Case


@pytest.mark.parametrize("bits", [1024, 2048, 3072])
def test_the_primes_are_safe_and_of_their_size(bits: int) -> None:
    """OpenSSL reads them as PKCS #3 and finds nothing wrong with them."""
    command = ["openssl", "dhparam", "-check", "-noout", "-text"]
    done = subprocess.run(
        command, input=dh_parameters(bits), capture_output=True, text=True, check=True
    )
    assert f"({bits} bit)" in done.stdout
    assert "appear to be ok" in done.stderr


@pytest.mark.parametrize("case", [c for c in CASES if c.daemon is exim_gnutls], ids=str)
def test_a_priority_lists_the_suites_in_order(case: Case) -> None:
    """GnuTLS' own list of a priority string is the truth of the settings."""
    if shutil.which("gnutls-cli") is None:
        pytest.skip("needs gnutls-cli")
    command = ["gnutls-cli", "--list", "--priority", priority(case.tls)]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    names = re.findall(r"^(TLS_\S+)\s+0x", listed, re.MULTILINE)
    suites = [name for names in truth(case.tls).suites.values() for name in names]
    # GnuTLS leaves out WITH, and the hash of an AEAD suite where there is but one.
    assert {_bare(name) for name in names} == {_bare(name) for name in suites}


def test_a_suite_is_expected_where_its_version_key_and_exchange_allow() -> None:
    """No AEAD before TLS 1.2, no ECDSA without such a certificate, no size without DHE."""
    tls = Tls(
        versions=ALL,
        suites=("ECDHE-ECDSA-AES128-SHA", "AES128-GCM-SHA256", "AES128-SHA"),
        keys=("rsa",),
        dh_bits=2048,
    )
    right = truth(tls)
    assert right.suites["TLSv1.0"] == ("TLS_RSA_WITH_AES_128_CBC_SHA",)
    assert right.suites["TLSv1.2"] == (
        "TLS_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA",
    )  # fmt: skip
    assert right.preference["TLSv1.0"] == "unknown"
    assert list(right.groups) == ["TLSv1.3"]
    assert right.dh_bits is None


def _bare(name: str) -> str:
    return re.sub(r"_WITH|(?<=POLY1305)_SHA256$|(?<=SHA)1$", "", name)
