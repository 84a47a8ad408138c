"""An audit on its way into the history, which must never cost the audit its result."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

from msgspec.structs import replace

from audit.changes import compare
from audit.drift import drift, remembered
from audit.errors import MailsealError
from audit.findings import Run
from audit.history.database import Unavailable
from audit.history.entry import Entry, backward, earlier, unfinished
from audit.history.place import Place
from audit.history.store import Plan, Store, opened
from audit.past import NO_PAST, Night, Past

_NO_NUMBER = 0  # runs are counted from 1
_MEMORY = 7  # runs before the last that are asked for what that one did not see


class Kept:
    """One run that is being made.

    Attributes:
        trouble: why the history does not have it, one sentence; empty if all went well.
    """

    def __init__(self, store: Store | None = None, entry: Entry | None = None) -> None:
        """Take what was begun; nothing where nothing is kept."""
        self._begun = (store, entry) if store and entry else None
        self._owes = False
        self.trouble = ""

    def placed(self, run: Run) -> tuple[Run, Past]:
        """The run under the id that the history has for it, and what was before it."""
        if not self._begun:
            return run, NO_PAST
        store, entry = self._begun
        run = replace(run, run=entry.run)
        try:
            entries = store.entries()
            more = (*backward(entries, entry), *unfinished(entries, entry))
            run = replace(run, notices=(*run.notices, *more))
            return run, past(store, entries, entry, run)
        except MailsealError as error:
            self.trouble = str(error)
            return run, NO_PAST

    def finish(self, run: Run, days: int | None, letter: bytes | None = None) -> None:
        """Keep the run, and give up what began more than so many days ago; never raises.

        The *letter* about it is owed until `owe` says otherwise.
        """
        if not self._begun:
            return
        store, entry = self._begun
        try:
            store.finish(entry, run, letter)
            self._owes = True
            if days is not None:
                store.forget(days)
        except MailsealError as error:
            self.trouble = str(error)

    def fail(self, letter: bytes) -> None:
        """Owe a letter about a run that came to no end; never raises."""
        if self._begun:
            self._owes = self.owe(self._begun[1].number, letter)

    def owed(self, letter: bytes | None) -> dict[int, bytes]:
        """Every letter that is owed, the oldest first; never raises.

        Without a history that has noted it, *letter* alone, under no number.
        """
        if self._begun and self._owes:
            store, entry = self._begun
            try:
                return store.owed(entry.series.inventory)
            except MailsealError as error:
                self.trouble = str(error)
        return {_NO_NUMBER: letter} if letter else {}

    def owe(self, number: int, letter: bytes | None) -> bool:
        """Note what is still owed for a run, and whether that was noted; never raises."""
        if not self._begun or number == _NO_NUMBER:
            return False
        try:
            self._begun[0].owe(number, letter)
        except MailsealError as error:
            self.trouble = str(error)
            return False
        return True


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

    What that one did not see of facts is compared with the newest that did.

    Raises:
        MailsealError: that one cannot be read.
    """
    before = earlier(entries, entry)
    last = store.load(before[-1]) if before else None
    older = _readable(store, before[-2 : -2 - _MEMORY : -1])
    return Past(
        changes=compare(last, run) if last else (),
        drift=drift(remembered(run, last, older), run) if last else (),
        notices=last.notices if last else (),
        nights=tuple(
            Night(run=one.run, started=one.started, counts=one.counts or {}) for one in before
        ),
    )


def _readable(store: Store, entries: Sequence[Entry]) -> Iterator[Run]:
    """Of these runs those that can be read."""
    for entry in entries:
        with suppress(MailsealError):
            yield store.load(entry)
