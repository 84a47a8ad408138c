"""Findings as a person works through them: one entry per cause.

A setting that is wrong on one daemon fails on each of its ports and addresses. Those findings
differ in nothing but the place, so they become one entry that names every place.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from audit.findings import Finding, Severity, Verdict
from audit.judge.catalogue import CATALOGUE, Check
from audit.report.summary import place

_SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")
# What a reference begins with, and its address; the first that fits.
_ADDRESSES = [
    (re.compile(shape), address)
    for shape, address in (
        (
            r"RFC (\d+), section ([\d.]+)$",
            r"https://www.rfc-editor.org/rfc/rfc\1#section-\2",
        ),
        (r"RFC (\d+)$", r"https://www.rfc-editor.org/rfc/rfc\1"),
        (r"(CVE-\d{4}-\d{4,})$", r"https://www.cve.org/CVERecord?id=\1"),
        (r"([\w.]+)\((\d)\)", r"https://manpages.debian.org/\1.\2"),
        (
            r"Exim specification",
            r"https://www.exim.org/exim-html-current/doc/html/spec_html/index.html",
        ),
        (r"openssl-library", r"https://openssl-library.org/policies/releasestrat/"),
        (r".*ALPACA", r"https://alpaca-attack.com/"),
        (r".*NO STARTTLS", r"https://nostarttls.secvuln.info/"),
    )
]


# Host, check and verdict.
Place = tuple[str, str, Verdict]


@dataclass(frozen=True, slots=True)
class Entry:
    """One cause on one host.

    Attributes:
        number: in the order of the report; its anchor is #f and this number.
        finding: the first of the findings it stands for.
        ports: "143 imap" and the address families it was seen on; empty for a check of the host.
        evidence: each distinct piece, and the places that gave it.
        places: every place, as people write it.
    """

    number: int
    finding: Finding
    ports: dict[str, list[str]] = field(default_factory=dict)
    evidence: dict[str, list[str]] = field(default_factory=dict)
    places: list[str] = field(default_factory=list)

    @property
    def check(self) -> Check:
        """What the catalogue says about it."""
        return check_of(self.finding)

    @property
    def where(self) -> str:
        """All places in one line: 143 imap, 993 imap on IPv4 and IPv6; 25 smtp on IPv6.

        Without a port it is the host itself or the domain, without an address the port alone.
        """
        if not self.ports:
            return f"the {subject(self.finding)} itself"
        alike: dict[str, list[str]] = {}
        for port, families in self.ports.items():
            alike.setdefault(" and ".join(dict.fromkeys(families)), []).append(port)
        parts = [(", ".join(ports), f" on {on}" if on else "") for on, ports in alike.items()]
        return "; ".join(f"{ports}{on}" for ports, on in parts)

    def add(self, finding: Finding) -> None:
        """Name one more place."""
        self.places.append(place(finding))
        if finding.port:
            families = self.ports.setdefault(f"{finding.port} {finding.service}", [])
            if finding.address:
                families.append("IPv6" if ":" in finding.address else "IPv4")
        if finding.evidence:
            self.evidence.setdefault(finding.evidence, []).append(place(finding))


def check_of(finding: Finding) -> Check:
    """The catalogue's row; a run of another version of mailseal may know checks that we do not."""
    return CATALOGUE.get(finding.check) or Check(
        id=finding.check,
        title="A check that this version of mailseal does not know",
        scope="endpoint" if finding.port else "host",
        severity=finding.severity,
        why="",
        how="",
        connections="",
        fix="",
        references=(),
    )


def subject(finding: Finding) -> Literal["host", "domain"]:
    """What a finding without a port is about."""
    return "domain" if check_of(finding).scope == "domain" else "host"


def entries(findings: Iterable[Finding], verdict: Verdict, first: int = 1) -> list[Entry]:
    """The entries of one verdict: by host as in the run, on each host the gravest first."""
    causes: dict[tuple[str, ...], list[Finding]] = {}
    hosts: dict[str, int] = {}
    for f in findings:
        hosts.setdefault(f.host, len(hosts))
        if f.verdict == verdict:
            waiver = f.waiver.accepted if f.waiver else ""
            key = (f.host, f.policy, f.check, f.severity, f.observed, f.expected, f.item, waiver)
            causes.setdefault(key, []).append(f)
    ordered = sorted(
        causes.values(), key=lambda c: (hosts[c[0].host], _SEVERITIES.index(c[0].severity))
    )
    found = []
    for number, cause in enumerate(ordered, first):
        entry = Entry(number, cause[0])
        for finding in cause:
            entry.add(finding)
        found.append(entry)
    return found


def first_entries(found: Iterable[Entry]) -> dict[Place, int]:
    """Which entry tells more about a verdict of a check on a host."""
    first: dict[Place, int] = {}
    for entry in found:
        f = entry.finding
        first.setdefault((f.host, f.check, f.verdict), entry.number)
    return first


@cache
def link(reference: str) -> str:
    """Where a reference can be read; empty for a book, or what has no lasting address."""
    for shape, address in _ADDRESSES:
        if found := shape.match(reference):
            return found.expand(address)
    return ""
