"""What the benchmark reads from other scanners, and how it compares it."""

import base64
import hashlib
import json
import subprocess
import sys
from pathlib import Path

from benchmarks import page
from benchmarks.peers import profile, read
from benchmarks.peers.compare import TOLD, differences, told_facts
from tests.daemons.settings import Tls

_DER = b"a certificate"
_PEM = (
    f"-----BEGIN CERTIFICATE-----\n{base64.b64encode(_DER).decode()}\n-----END CERTIFICATE-----\n"
)
_PRINT = hashlib.sha256(_DER).hexdigest()
_AES, _CHACHA = "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305"
_AES_IANA = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
_CHACHA_IANA = "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"


def test_sslyze_tells_sets_and_no_order() -> None:
    """A version it could not finish is not told; one without a suite is off."""
    suites = [{"cipher_suite": {"name": name}} for name in (_CHACHA_IANA, _AES_IANA)]
    parts: dict[str, object] = {
        "tls_1_0_cipher_suites": {"accepted_cipher_suites": []},
        "tls_1_1_cipher_suites": None,
        "tls_1_2_cipher_suites": {"accepted_cipher_suites": suites},
        "certificate_info": {
            "certificate_deployments": [{"received_certificate_chain": [{"as_pem": _PEM}]}]
        },
    }
    result = {name: {"result": part} for name, part in parts.items()}
    assert read.sslyze(json.dumps({"server_scan_results": [{"scan_result": result}]})) == {
        "TLSv1.0": ("no",),
        "TLSv1.2": ("yes",),
        "TLSv1.2 suites": (_AES_IANA, _CHACHA_IANA),
        "certificates": (_PRINT,),
    }


def test_testssl_tells_an_order_where_the_server_has_one() -> None:
    """Its names are OpenSSL's, its fingerprints upper case, its words many."""
    rows = {
        "TLS1": "offered (deprecated)",
        "TLS1_2": "not offered and downgraded",
        "TLS1_3": "offered with final",
        "cipher_order": "server",
        "cipherorder_TLSv1": f"{_CHACHA} {_AES}",
        "secure_renego": "supported",
        "CRIME_TLS": "not vulnerable (not using HTTP anyway)",
        "cert_fingerprintSHA256 <cert#1>": _PRINT.upper(),
    }
    text = json.dumps([{"id": name, "finding": finding} for name, finding in rows.items()])
    assert read.testssl(text) == {
        "TLSv1.0": ("yes",),
        "TLSv1.2": ("no",),
        "TLSv1.3": ("yes",),
        "TLSv1.0 suites": (_AES_IANA, _CHACHA_IANA),
        "TLSv1.0 order": (_CHACHA_IANA, _AES_IANA),
        "compression": ("no",),
        "secure renegotiation": ("yes",),
        "certificates": (_PRINT,),
    }


def test_nmap_calls_the_suites_of_tls_13_by_its_own_names() -> None:
    """And where the client decides, its list is no order."""
    text = """<nmaprun><script id="ssl-enum-ciphers"><table key="TLSv1.3">
      <table key="ciphers"><table><elem key="name">TLS_AKE_WITH_AES_128_GCM_SHA256</elem></table>
      </table><table key="compressors"><elem>NULL</elem></table>
      <elem key="cipher preference">client</elem></table></script></nmaprun>"""
    found = read.nmap(text)
    assert found["TLSv1.3 suites"] == ("TLS_AES_128_GCM_SHA256",)
    assert found["TLSv1.3 decides"] == ("client",)
    assert found["compression"] == found["SSLv3"] == found["TLSv1.2"] == ("no",)
    assert not {"TLSv1.3 order", "SSLv2"} & {*found}


def test_a_scan_that_found_nothing_tells_nothing() -> None:
    """An nmap whose script said nothing has not seen that versions are off."""
    assert read.nmap("<nmaprun/>") == {}


def test_sslscan_lists_the_servers_order() -> None:
    """Its versions are in parts."""
    text = f"""<document><protocol type="ssl" version="2" enabled="0"/>
      <protocol type="tls" version="1.2" enabled="1"/><renegotiation supported="0" secure="0"/>
      <cipher sslversion="TLSv1.2" cipher="{_CHACHA}"/></document>"""
    assert read.sslscan(text) == {
        "SSLv2": ("no",),
        "TLSv1.2": ("yes",),
        "TLSv1.2 suites": (_CHACHA_IANA,),
        "TLSv1.2 order": (_CHACHA_IANA,),
        "secure renegotiation": ("no",),
    }


def test_a_difference_with_a_known_reason_is_explained() -> None:
    """One of two certificates is what nmap sees; another one is not explained by that."""
    told = told_facts(Tls(), ["aa", "bb"])
    heard: dict[str, list[read.Facts]] = {TOLD: [told], "nmap": [{"certificates": ("bb",)}]}
    (one,) = differences("a server", heard)
    assert one.reasons
    (one,) = differences("a server", {**heard, "nmap": [{"certificates": ("cc",)}]})
    assert one.reasons == ()


def test_one_unexplained_voice_is_enough() -> None:
    """A reason for one tool does not excuse another."""
    certificates = ("aa", "bb")
    heard: dict[str, list[read.Facts]] = {
        TOLD: [{"certificates": certificates}],
        "nmap": [{"certificates": ("bb",)}],
        "sslyze": [{"certificates": ("bb",)}, {"certificates": certificates}],
    }
    (one,) = differences("a server", heard)
    assert one.reasons == ()
    assert one.values[0] == (certificates, (TOLD, "sslyze (1 of 2 runs)"))


def test_a_section_replaces_only_itself(tmp_path: Path) -> None:
    """The page has its own order."""
    path = tmp_path / "page.md"
    for section, text in (("audit", "## Old"), ("peers", "## Peers"), ("audit", "## New")):
        page.write(section, text, path)
    text = path.read_text(encoding="utf-8")
    assert text.index("## Peers") < text.index("## New")
    assert "## Old" not in text


def test_the_clock_knows_the_stages_of_a_scan() -> None:
    """A scan that was rearranged must not be found out at the end of a long measurement."""
    words = [sys.executable, "-m", "benchmarks.peers.clocked", "scan", "127.0.0.1:1", "--quick"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    stages = json.loads(done.stderr.splitlines()[-1])
    assert all(stages[name] > 0 for name in (*profile._STAGES, "network", "calibration"))
    assert sum(stages[name] for name in profile._STAGES) <= stages["all"]
