"""What each tool says, in words that all of them share.

A fact has a name and a value; what a tool does not tell is not there.
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterable
from xml.etree import ElementTree as ET

from audit.iana import VERSIONS, Version
from tests.daemons.names import described

Facts = dict[str, tuple[str, ...]]
SECURE, COMPRESSION, CERTIFICATES = "secure renegotiation", "compression", "certificates"
_TESTSSL: dict[str, Version] = {
    "SSLv2": "SSLv2",
    "SSLv3": "SSLv3",
    "TLS1": "TLSv1.0",
    "TLS1_1": "TLSv1.1",
    "TLS1_2": "TLSv1.2",
    "TLS1_3": "TLSv1.3",
}


def yes(answer: object) -> tuple[str]:
    """One word."""
    return ("yes" if answer else "no",)


def suites(version: str, names: Iterable[str], *, ordered: bool) -> Facts:
    """The facts that accepted suites are."""
    told = tuple(_iana(name) for name in names)
    found: Facts = {f"{version} suites": tuple(sorted(told))} if told else {}
    if told and ordered:
        found[f"{version} order"] = told
    return found


def mailseal(text: str) -> Facts:
    """`mailseal scan --json`."""
    seen = json.loads(text)["endpoints"][0]
    found: Facts = {}
    for version, answer in seen["protocols"].items():
        if answer != "inconclusive":
            found[version] = yes(answer == "accepted")
    for version, names in seen["suites"].items():
        server = seen["preference"].get(version) == "server"
        found |= suites(version, names, ordered=server)
    for version, who in seen["preference"].items():
        found[f"{version} decides"] = (who,)
    if seen["compression"] != "inconclusive":
        found[COMPRESSION] = yes(seen["compression"] == "accepted")
    if seen["secure_renegotiation"] is not None:
        found[SECURE] = yes(seen["secure_renegotiation"])
    found[CERTIFICATES] = tuple(sorted(c["fingerprint"] for c in seen["certificates"]))
    return found


def sslyze(text: str) -> Facts:
    """`sslyze --json_out=-`."""
    told = json.loads(text)["server_scan_results"][0]["scan_result"] or {}
    results = {name: part["result"] for name, part in told.items() if part["result"]}
    found: Facts = {}
    for version in VERSIONS:
        name = re.sub(r"(ssl|tls)v(\d)(\.(\d))?", _underscored, version.lower())
        if one := results.get(f"{name}_cipher_suites"):
            names = [accepted["cipher_suite"]["name"] for accepted in one["accepted_cipher_suites"]]
            found |= {version: yes(names), **suites(version, names, ordered=False)}
    if one := results.get("tls_compression"):
        found[COMPRESSION] = yes(one["supports_compression"])
    if one := results.get("session_renegotiation"):
        found[SECURE] = yes(one["supports_secure_renegotiation"])
    if one := results.get("certificate_info"):
        chains = [c["received_certificate_chain"] for c in one["certificate_deployments"]]
        found[CERTIFICATES] = tuple(sorted(_fingerprint(chain[0]["as_pem"]) for chain in chains))
    return found


def testssl(text: str) -> Facts:
    """`testssl --jsonfile`."""
    rows = {row["id"]: row["finding"] for row in json.loads(text)}
    server = rows.get("cipher_order", "").startswith("server")
    found: Facts = {}
    for name, version in _TESTSSL.items():
        if name in rows:
            found[version] = yes(not rows[name].startswith("not offered"))
        names = rows.get(f"cipherorder_{version.removesuffix('.0').replace('.', '_')}", "").split()
        found |= suites(version, names, ordered=server)
    if "CRIME_TLS" in rows:
        found[COMPRESSION] = yes(not rows["CRIME_TLS"].startswith("not vulnerable"))
    if "secure_renego" in rows:
        found[SECURE] = yes(rows["secure_renego"].startswith("supported"))
    prints = [v.lower() for k, v in rows.items() if k.startswith("cert_fingerprintSHA256")]
    return found | ({CERTIFICATES: tuple(sorted(prints))} if prints else {})


def sslscan(text: str) -> Facts:
    """`sslscan --xml=-`."""
    document = ET.fromstring(text)  # noqa: S314 - written by the program that we started
    found: Facts = {}
    for one in document.iter("protocol"):
        version = f"{one.attrib['type'].upper()}v{one.attrib['version']}"
        found[version] = yes(one.attrib["enabled"] == "1")
    for version in VERSIONS:
        asked = [c for c in document.iter("cipher") if c.attrib["sslversion"] == version]
        found |= suites(version, [c.attrib["cipher"] for c in asked], ordered=True)
    for one in document.iter("compression"):
        found[COMPRESSION] = yes(one.attrib["supported"] == "1")
    for one in document.iter("renegotiation"):
        found[SECURE] = yes(one.attrib["secure"] == "1")
    return found


def nmap(text: str) -> Facts:
    """`nmap -oX -` with its three scripts. Of SSLv2 it speaks only where it found it."""
    document = ET.fromstring(text)  # noqa: S314 - written by the program that we started
    scripts = {one.attrib["id"]: one for one in document.iter("script")}
    found: Facts = {"SSLv2": yes(1)} if "sslv2" in scripts else {}
    if (script := scripts.get("ssl-enum-ciphers")) is not None:
        found |= {version: yes(0) for version in VERSIONS if version != "SSLv2"}
        compressors = set()
        for part in script.iterfind("table"):
            version = part.attrib["key"]
            names = [e.text or "" for e in part.iterfind("table[@key='ciphers']/table/elem")]
            names = [n for n in names if n.startswith(("TLS_", "SSL_"))]
            who = (part.findtext("elem[@key='cipher preference']") or "").split()
            server = who[:1] == ["server"]
            found |= {version: yes(1), **suites(version, names, ordered=server)}
            if who[:1] in (["server"], ["client"]):
                found[f"{version} decides"] = (who[0],)
            compressors |= {e.text for e in part.iterfind("table[@key='compressors']/elem")}
        if compressors:
            found[COMPRESSION] = yes(compressors - {"NULL"})
    pem = document.findtext(".//script[@id='ssl-cert']/elem[@key='pem']")
    return found | ({CERTIFICATES: (_fingerprint(pem),)} if pem else {})


READERS: dict[str, Callable[[str], Facts]] = {
    "mailseal": mailseal,
    "nmap": nmap,
    "sslscan": sslscan,
    "sslyze": sslyze,
    "testssl.sh": testssl,
}


def _underscored(found: re.Match[str]) -> str:
    return f"{found[1]}_{found[2]}_{found[4] or 0}"


def _iana(name: str) -> str:
    known = described().get(name)
    return known.iana if known else name.replace("TLS_AKE_WITH_", "TLS_")


def _fingerprint(pem: str) -> str:
    body = "".join(line for line in pem.split("\n") if not line.startswith("--"))
    return hashlib.sha256(base64.b64decode(body)).hexdigest()
