"""What is known of the time before a run; whoever keeps the runs fills it in."""

from collections.abc import Mapping

from msgspec import Struct

from audit.changes import Change
from audit.drift import Drift
from audit.findings import Verdict


class Night(Struct, frozen=True, kw_only=True):
    """One earlier run in numbers.

    Attributes:
        run: its id.
        started: RFC 3339, UTC.
        counts: findings by verdict; one that is missing is none.
    """

    run: str
    started: str
    counts: Mapping[Verdict, int]


class Past(Struct, frozen=True, kw_only=True):
    """What came before a run; empty if nobody kept it.

    Attributes:
        changes: how the run differs from the one before it.
        drift: which facts are others than they were.
        notices: what was said beside the findings of the run before it.
        nights: the runs before it, the oldest first.
    """

    changes: tuple[Change, ...] = ()
    drift: tuple[Drift, ...] = ()
    notices: tuple[str, ...] = ()
    nights: tuple[Night, ...] = ()

    @property
    def known(self) -> bool:
        """Whether there is a run to compare with; without changes it was the same."""
        return bool(self.changes or self.nights)


NO_PAST = Past()
