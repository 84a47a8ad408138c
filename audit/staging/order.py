"""What is to be staged, and what comes of it."""

from pathlib import Path

from msgspec import Struct

from audit.findings import Run
from audit.probe.address import Pace
from audit.prospect.compare import Allowed
from audit.prospect.result import Staged
from audit.staging.sides import Side


class Baseline(Struct, frozen=True, kw_only=True):
    """A run of the history that stands for what production has now.

    Attributes:
        run: itself.
        inventory, limit: what it was a run of.
    """

    run: Run
    inventory: str
    limit: str = ""


class Order(Struct, frozen=True, kw_only=True):
    """What is to be staged.

    Attributes:
        now: what production has; deployed first, and again if the candidate fails.
        candidate: what it shall have; on the same hosts.
        baseline: stands for `now`, of which then nothing is deployed or audited; None without.
        production: the inventory whose hosts are asked what would be replaced; empty for none.
        allowed: which losses are announced.
        pace: how much a server is asked at once.
        out: where Ansible's own words go; None for nowhere.
    """

    now: Side
    candidate: Side
    baseline: Baseline | None = None
    production: str = ""
    allowed: Allowed = Allowed()
    pace: Pace = "normal"
    out: Path | None = None

    @property
    def asked(self) -> Side:
        """Production, as the candidate would have it."""
        return Side(self.production, variables=self.candidate.variables)


class Seen(Struct, frozen=True):
    """What came of it, and the runs it rests on; None for one that was not made."""

    staged: Staged
    before: Run | None = None
    after: Run | None = None
