"""What a judge looks at, and what it says."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from audit.facts import Endpoint, EndpointFacts, HostFacts, Observation
from audit.findings import Reached, Verdict
from audit.judge.catalogue.check import Grouping
from audit.policy.model import KeyType, Profile, Traffic

if TYPE_CHECKING:  # a scan compiles nothing
    from audit.manifest import Manifest
    from audit.policy.compile import Compiled, Kind
    from audit.policy.compile.reported import Daemon


# Host, address, port and service of a finding; empty and 0 for what it has not.
Place = tuple[str, str, int, str]


class Judgement(Struct, frozen=True):
    """The answer to one check.

    Attributes:
        verdict: as in the findings.
        observed: what was seen, in words.
        expected: what should have been, in words.
        evidence: the raw material.
        item: the item of the policy that decided.
        level: the level of the worst thing seen; empty where there are no levels.
    """

    verdict: Verdict
    observed: str
    expected: str
    evidence: str = ""
    item: str = ""
    level: Reached = ""


class PlannedEndpoint(Struct, frozen=True):
    """One endpoint that is to be checked.

    Attributes:
        endpoint: where.
        traffic: which profile rules it; None where nothing should listen.
        demanded: True if somebody said that it must be there: the inventory, not a mere scan.
        key_types: the certificates it should have; None if nobody said.
        names: further names that the certificate must be for.
    """

    endpoint: Endpoint
    traffic: Traffic | None
    demanded: bool = True
    key_types: tuple[KeyType, ...] | None = None
    names: tuple[str, ...] = ()

    @property
    def place(self) -> Place:
        """Where its findings are."""
        at = self.endpoint
        return at.host, at.address, at.port, at.service

    @property
    def label(self) -> str:
        """Its name in that of a test."""
        at = self.endpoint
        return f"{at.host}-{at.address}-{at.port}"


class EndpointCase(Struct, frozen=True):
    """One endpoint before the judge.

    Attributes:
        planned: what was asked.
        facts: what was seen.
        profile: the rules; None where nothing should listen.
        now: the moment that dates are compared with, in UTC.
        roots: the trusted root certificates, DER.
        alive: some port of this address answered or was refused: the host is there.
        pinned: DANE-EE records vouch for all keys served there: no sender asks an authority.
    """

    planned: PlannedEndpoint
    facts: EndpointFacts
    profile: Profile | None
    now: datetime
    roots: tuple[bytes, ...] = ()
    alive: bool = True
    pinned: bool = False

    @property
    def rules(self) -> Profile:
        """The profile, where there must be one.

        Raises:
            ValueError: nothing should listen here.
        """
        if self.profile is None:
            raise ValueError(f"no profile rules {self.planned.endpoint}")
        return self.profile


class PlannedHost(Struct, frozen=True):
    """One host that is to be checked from inside.

    Attributes:
        host: inventory name.
        daemon: the mail daemon it runs.
        library_prefix: directories that the TLS libraries must come from.
    """

    host: str
    daemon: "Daemon"
    library_prefix: tuple[str, ...] = ("/usr/lib/", "/lib/")

    @property
    def place(self) -> Place:
        """Where its findings are."""
        return self.host, "", 0, ""

    @property
    def label(self) -> str:
        """Its name in that of a test."""
        return self.host


class HostCase(Struct, frozen=True):
    """One host before the judge.

    Attributes:
        planned: what was asked.
        facts: what the host said.
        now: the moment that dates are compared with, in UTC.
        kind: daemon and library, as the host reports them; None if it does not.
        compiled: what the policy compiles to there; None if it cannot be compiled.
        obstacle: why `kind` or `compiled` is missing.
        built: the version of the TLS library that the daemon was compiled for; empty if unknown.
        manifest: the package that the TLS library is from; None if it is the system's.
    """

    planned: PlannedHost
    facts: HostFacts
    now: datetime
    kind: "Kind | None" = None
    compiled: "Compiled | None" = None
    obstacle: str = ""
    built: str = ""
    manifest: "Manifest | None" = None


def undecided(seen: Observation, expected: str) -> Judgement:
    """The judgement on something that could not be told."""
    return Judgement("inconclusive", "could not be told", expected, seen.evidence)


class PlannedGroup(Struct, frozen=True):
    """Several endpoints that are to be compared.

    Attributes:
        kind: what they have in common.
        common: the host or name they have in common.
        port, service: what they have in common of these; 0 and empty for nothing.
        endpoints: two or more.
    """

    kind: Grouping
    common: str
    port: int
    service: str
    endpoints: tuple[Endpoint, ...]

    @property
    def place(self) -> Place:
        """Where its findings are."""
        return self.common, "", self.port, self.service

    @property
    def label(self) -> str:
        """Its name in that of a test."""
        return f"{self.common}-{self.port or 'all'}"


class ClusterCase(Struct, frozen=True):
    """Several endpoints before the judge."""

    planned: PlannedGroup
    facts: tuple[EndpointFacts, ...]


ClusterJudge = Callable[[ClusterCase], Judgement]
EndpointJudge = Callable[[EndpointCase], Judgement]
HostJudge = Callable[[HostCase], Judgement]
