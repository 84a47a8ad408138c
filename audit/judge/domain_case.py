"""What the judges of mail domains look at."""

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct

from audit.facts import DomainFacts, EndpointFacts, MxFacts
from audit.judge.case import Judgement, Place


class PlannedDomain(Struct, frozen=True):
    """A mail domain that is to be checked."""

    domain: str

    @property
    def domains(self) -> tuple[str, ...]:
        """It alone."""
        return (self.domain,)

    @property
    def place(self) -> Place:
        """Where its findings are."""
        return self.domain, "", 0, ""

    @property
    def label(self) -> str:
        """Its name in that of a test."""
        return self.domain


class PlannedMx(Struct, frozen=True):
    """A server that takes mail, or one address of it.

    Attributes:
        host: its name.
        address: empty for the server as a whole.
        domains: those that are looked at and send their mail there.
    """

    host: str
    address: str = ""
    domains: tuple[str, ...] = ()

    @property
    def place(self) -> Place:
        """Where its findings are."""
        return self.host, self.address, 25, "smtp"

    @property
    def label(self) -> str:
        """Its name in that of a test."""
        return "-".join(filter(None, (self.host, self.address, "25")))


class MxCase(Struct, frozen=True):
    """A server that takes mail before the judge, or one address of it.

    Attributes:
        planned: what was asked.
        facts: what DNS says of it.
        endpoints: what its addresses, or the one that is asked about, showed on port 25.
        now: the moment that dates are compared with, in UTC.
        roots: the trusted root certificates, DER.
    """

    planned: PlannedMx
    facts: MxFacts
    endpoints: tuple[EndpointFacts, ...]
    now: datetime
    roots: tuple[bytes, ...] = ()


class DomainCase(Struct, frozen=True):
    """A mail domain before the judge; `hosts` are all that take its mail."""

    planned: PlannedDomain
    facts: DomainFacts
    hosts: tuple[MxCase, ...]
    now: datetime
    roots: tuple[bytes, ...] = ()


DomainJudge = Callable[[DomainCase], Judgement]
MxJudge = Callable[[MxCase], Judgement]
