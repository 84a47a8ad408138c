"""What ends and what is in use: waivers, certificates, versions and suites, in rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from audit.facts import Certificate, EndpointFacts
from audit.findings import Run, Waiver
from audit.iana import VERSIONS, Version
from audit.iana.suite import suite
from audit.report.summary import moment, utc

# By forward secrecy and AEAD; the worst first.
_WORTH: Mapping[tuple[bool, bool], str] = {
    (False, False): "no forward secrecy, no AEAD",
    (False, True): "no forward secrecy",
    (True, False): "no AEAD",
    (True, True): "forward secrecy, AEAD",
}
_OBSOLETE: Mapping[Version, str] = {
    "SSLv2": "obsolete (RFC 6176)",
    "SSLv3": "obsolete (RFC 7568)",
    "TLSv1.0": "obsolete (RFC 8996)",
    "TLSv1.1": "obsolete (RFC 8996)",
}
_WORST_FIRST = list(_WORTH.values())


@dataclass(frozen=True, slots=True)
class Ending:
    """Something that ends on a day.

    Attributes:
        what: the waiver or the certificate.
        end: its last moment, or its last day.
        days: how many whole days are left after the run; None if the run's time cannot be read.
        hosts: where, and how many findings or endpoints there.
    """

    what: Waiver | Certificate
    end: date
    days: int | None
    hosts: dict[str, int] = field(default_factory=dict)

    def count(self, host: str) -> None:
        """One more there."""
        self.hosts[host] = self.hosts.get(host, 0) + 1


@dataclass(frozen=True, slots=True)
class Use:
    """A version or suite, and where it is served.

    Attributes:
        name: as IANA writes it.
        versions: the versions that a suite is served with.
        worth: what it does for those who talk with it; empty for a version in good standing.
        weak: whether that is less than it should be.
        hosts: where, and how many endpoints there.
    """

    name: str
    versions: list[Version]
    worth: str
    weak: bool
    hosts: dict[str, int] = field(default_factory=dict)

    @property
    def endpoints(self) -> int:
        """How many serve it."""
        return sum(self.hosts.values())


def waivers(run: Run) -> list[Ending]:
    """The waivers that are in use, the first to end first."""
    found: dict[Waiver, Ending] = {}
    now = moment(run.finished)
    for f in run.findings:
        if w := f.waiver:
            days = (w.expires - now.date()).days if now else None
            found.setdefault(w, Ending(w, w.expires, days)).count(f.host)
    return sorted(found.values(), key=lambda e: e.end)


def certificates(run: Run) -> list[Ending]:
    """Every leaf that is served, the first to end first."""
    found: dict[str, Ending] = {}
    now = moment(run.finished)
    for facts in run.endpoints:
        for leaf in {c[0].fingerprint: c[0] for c in facts.chains if c}.values():
            end = utc(leaf.not_after)
            days = (end - now).days if now else None
            ending = found.setdefault(leaf.fingerprint, Ending(leaf, end, days))
            ending.count(facts.endpoint.host)
    return sorted(found.values(), key=lambda e: e.end)


def versions(run: Run) -> list[Use]:
    """The versions that are served, the newest first."""
    uses = {
        version: Use(version, [], _OBSOLETE.get(version, ""), version in _OBSOLETE)
        for version in reversed(VERSIONS)
    }
    for facts in run.endpoints:
        for version, use in uses.items():
            if version in facts.protocols and facts.protocols[version].seen == "accepted":
                _count(use.hosts, facts)
    return [use for use in uses.values() if use.hosts]


def suites(run: Run) -> list[Use]:
    """The suites that are served: the worst first, then those that most endpoints serve."""
    uses: dict[str, Use] = {}
    for facts in run.endpoints:
        for name, among in _by_suite(facts).items():
            worth = _worth(name)
            use = uses.setdefault(name, Use(name, [], worth, worth != _WORST_FIRST[-1]))
            use.versions.extend(v for v in among if v not in use.versions)
            _count(use.hosts, facts)
    return sorted(uses.values(), key=lambda u: (_WORST_FIRST.index(u.worth), -u.endpoints, u.name))


def _by_suite(facts: EndpointFacts) -> Mapping[str, list[Version]]:
    found: dict[str, list[Version]] = {}
    for version, names in facts.suites.items():
        for name in names:
            found.setdefault(name, []).append(version)
    return found


def _count(hosts: dict[str, int], facts: EndpointFacts) -> None:
    hosts[facts.endpoint.host] = hosts.get(facts.endpoint.host, 0) + 1


def _worth(name: str) -> str:
    """What is not in IANA's registry is worth nothing."""
    try:
        known = suite(name)
    except KeyError:
        return _WORTH[False, False]
    return _WORTH[known.forward_secret, known.aead]
