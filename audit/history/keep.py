"""An audit on its way into the history, which must never cost the audit its result."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta

from msgspec.structs import replace

from audit.changes import compare
from audit.errors import MailsealError
from audit.findings import Run, timestamp
from audit.history.database import Unavailable
from audit.history.entry import Entry, backward, earlier
from audit.history.place import Place
from audit.history.store import Plan, Store, opened
from audit.past import NO_PAST, Night, Past


class Kept:
    """One run that is being made.

    Attributes:
        trouble: why the history does not have it, one sentence; empty if all went well.
    """

    def __init__(self, store: Store | None = None, entry: Entry | None = None) -> None:
        """Take what was begun; nothing where nothing is kept."""
        self._begun = (store, entry) if store and entry else None
        self.trouble = ""

    def placed(self, run: Run) -> tuple[Run, Past]:
        """The run under the id that the history has for it, and what was before it."""
        if not self._begun:
            return run, NO_PAST
        store, entry = self._begun
        run = replace(run, run=entry.run)
        try:
            entries = store.entries()
            run = replace(run, notices=(*run.notices, *backward(entries, entry)))
            return run, past(store, entries, entry, run)
        except MailsealError as error:
            self.trouble = str(error)
            return run, NO_PAST

    def finish(self, run: Run, days: int | None) -> None:
        """Keep the run, and give up what began more than so many days before it; never raises."""
        if not self._begun:
            return
        store, entry = self._begun
        try:
            store.finish(entry, run)
            if days is not None:
                began = datetime.fromisoformat(entry.started)
                store.forget(timestamp(began - timedelta(days=days)))
        except MailsealError as error:
            self.trouble = str(error)


@contextmanager
def keeping(place: Place | None, plan: Plan) -> Iterator[Kept]:
    """Begin a run, alone on its inventory.

    A history that cannot be written is told by `trouble`; the audit goes on.

    Raises:
        MailsealError: another audit is running, or the history is damaged, newer or no history.
    """
    if place is None:
        yield Kept()
        return
    with ExitStack() as stack:
        try:
            store = stack.enter_context(opened(place, create=True))
            stack.enter_context(store.alone(plan.series.inventory))
            kept = Kept(store, store.begin(plan))
        except Unavailable as error:
            kept = Kept()
            kept.trouble = str(error)
        yield kept


def past(store: Store, entries: Sequence[Entry], entry: Entry, run: Run) -> Past:
    """The complete runs of its series before it, and what changed since the last of them.

    Raises:
        MailsealError: that one cannot be read.
    """
    before = earlier(entries, entry)
    return Past(
        changes=compare(store.load(before[-1]), run) if before else (),
        nights=tuple(
            Night(run=one.run, started=one.started, counts=one.counts or {}) for one in before
        ),
    )
