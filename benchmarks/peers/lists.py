"""How each tool is given a list of endpoints, and of how many it found suites."""

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from xml.etree import ElementTree as ET

from audit.facts import Endpoint
from benchmarks.peers.install import Peers
from benchmarks.peers.tools import BIN, NMAP, SSLYZE

SPOKEN = ("imap", "pop3", "smtp")  # by all of the tools


def mailseal(endpoints: Sequence[Endpoint]) -> list[str]:
    """One command for all."""
    return [str(BIN / "mailseal"), "scan", "--quick", "--json", *map(_at, endpoints)]


def sslyze(peers: Peers, endpoints: Sequence[Endpoint]) -> list[list[str]]:
    """One command for all: the port tells it whether to say STARTTLS first."""
    targets = [_at(e) for e in endpoints]
    return [[peers.sslyze, *SSLYZE, "--starttls", "auto", "--json_out=-", *targets]]


def nmap(peers: Peers, endpoints: Sequence[Endpoint]) -> list[list[str]]:
    """One command for all addresses of a family that have the same ports."""
    ports: dict[tuple[str, str], list[int]] = defaultdict(list)
    for e in endpoints:
        ports[e.family, e.address].append(e.port)
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (family, address), some in ports.items():
        groups[family, ",".join(map(str, sorted(some)))].append(address)
    return [
        peers.inside(
            "nmap", *NMAP, *(["-6"] if family == "ipv6" else []), "-p", some, "-oX", "-", *addresses
        )
        for (family, some), addresses in groups.items()
    ]


def _mailseal(text: str) -> int:
    return sum(any(one["suites"].values()) for one in json.loads(text)["endpoints"])


def _sslyze(text: str) -> int:
    results = [one["scan_result"] or {} for one in json.loads(text)["server_scan_results"]]
    suites = [
        [part["result"] for name, part in one.items() if name.endswith("_cipher_suites")]
        for one in results
    ]
    return sum(any(r and r["accepted_cipher_suites"] for r in one) for one in suites)


def _nmap(text: str) -> int:
    document = ET.fromstring(text)  # noqa: S314 - written by the program that we started
    scripts = document.iterfind(".//port/script[@id='ssl-enum-ciphers']")
    return sum(script.find("table") is not None for script in scripts)


def _counted(count: Callable[[str], int]) -> Callable[[str], int]:
    def safely(text: str) -> int:
        try:
            return count(text)
        except (ValueError, LookupError, SyntaxError):
            return 0  # it was ended, or failed

    return safely


ANSWERED = {
    name: _counted(count)
    for name, count in (("mailseal", _mailseal), ("sslyze", _sslyze), ("nmap", _nmap))
}


def _at(endpoint: Endpoint) -> str:
    address = endpoint.address
    return f"[{address}]:{endpoint.port}" if ":" in address else f"{address}:{endpoint.port}"
