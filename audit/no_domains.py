"""In place of mail domains, where a run has none; `audit.domains` has the same, and loads DNS."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from audit.facts import DomainFacts, Endpoint, EndpointFacts
from audit.findings import Finding
from audit.judge.case import PlannedEndpoint

if TYPE_CHECKING:  # a scan asks before its judges are there
    from audit.judge.bench import Planned


class NoDomains:
    """No mail domains: nothing to ask, nothing to judge."""

    kinds = False
    facts: Sequence[DomainFacts] = ()
    checks: Sequence["Planned"] = ()

    def endpoints(self) -> list[PlannedEndpoint]:
        """None are to be looked at."""
        return []

    def others(self, known: Iterable[Endpoint]) -> list[PlannedEndpoint]:  # noqa: ARG002
        """Nor any beside the known ones."""
        return []

    def see(self, seen: Iterable[EndpointFacts]) -> None:
        """Take nothing."""

    def pinned(self, at: Endpoint) -> bool:  # noqa: ARG002
        """No records vouch for any endpoint."""
        return False

    def judged(self, planned: "Planned", now: datetime, roots: tuple[bytes, ...]) -> Finding:
        """There is nothing to judge.

        Raises:
            LookupError: always.
        """
        raise LookupError(planned, now, roots)

    def ordered(self, findings: Iterable[Finding]) -> list[Finding]:
        """As they are."""
        return list(findings)
