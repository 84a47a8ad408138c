"""Runs in a database: begun, finished, listed, loaded, and given up when they are old."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Engine, Row, delete, insert, select, update

from audit import __version__
from audit.errors import MailsealError
from audit.findings import Run, Verdict
from audit.history.database import connect, told, writing
from audit.history.entry import Entry, Series, expendable, find
from audit.history.lock import alone
from audit.history.pack import UnreadableError, pack, unpack
from audit.history.place import Place, place
from audit.history.schema import runs

_COUNTS: dict[Verdict, str] = {
    "pass": "passed",
    "fail": "failed",
    "inconclusive": "inconclusive",
    "not-applicable": "not_applicable",
    "waived": "waived",
}
_LISTED = [column for column in runs.columns if column.name not in ("content", "untold")]


class Plan(Struct, frozen=True, kw_only=True):
    """A run before it is begun.

    Attributes:
        run: its id by the clock.
        series: what was asked for.
        policies, editions: what it measures by, several joined by commas.
        started: RFC 3339, UTC.
        planned: checks that are to be made.
    """

    run: str
    series: Series
    policies: str
    editions: str
    started: str
    planned: int


class Store:
    """A history that is open."""

    def __init__(self, place: Place, engine: Engine) -> None:
        """Take what `opened` has looked at."""
        self._place, self._engine = place, engine

    def alone(self, inventory: str) -> AbstractContextManager[None]:
        """Let no other audit of this inventory begin.

        Raises:
            MailsealError: one is running.
        """
        return alone(self._place, self._engine, inventory)

    def entries(self) -> list[Entry]:
        """Every run, in the order in which they were begun."""
        with told(self._place), self._engine.connect() as connection:
            return _entries(self._place, connection)

    def begin(self, plan: Plan) -> Entry:
        """Note that a run begins; until it is finished it counts for nothing.

        Its id gets a number behind it where another run has the same, made within a second of it
        or before the clock was set back.
        """
        with told(self._place), writing(self._engine) as connection:
            taken = set(connection.scalars(select(runs.c.run)))
            names = (plan.run if n == 1 else f"{plan.run}-{n}" for n in count(1))
            row = {
                "run": next(name for name in names if name not in taken),
                "inventory": _text(plan.series.inventory),
                "limited": _text(plan.series.limit),
                "asked": _text(plan.series.policies),
                "policies": _text(plan.policies),
                "editions": _text(plan.editions),
                "started": plan.started,
                "version": __version__,
                "planned": plan.planned,
            }
            done = connection.execute(insert(runs).values(row).returning(*_LISTED))
            return _entry(self._place, done.one())

    def finish(self, entry: Entry, run: Run, letter: bytes | None = None) -> None:
        """Keep what it found, and with that make it complete, and owe somebody this letter."""
        verdicts = [f.verdict for f in run.findings]
        row: dict[str, Any] = {name: verdicts.count(v) for v, name in _COUNTS.items()}
        row |= {"finished": run.finished, "content": pack(run), "untold": letter}
        if not self._note(entry.number, row):
            raise MailsealError(f"{self._place}: {entry.run} was deleted while it was running")

    def owe(self, number: int, letter: bytes | None) -> None:
        """Note which letter about a run somebody still has to get; None once everybody has it."""
        self._note(number, {"untold": letter})

    def owed(self, inventory: str) -> dict[int, bytes]:
        """The letters that are owed for runs of an inventory, by number; the oldest first."""
        query = select(runs.c.number, runs.c.untold).order_by(runs.c.number)
        mine = (runs.c.inventory == _text(inventory)) & runs.c.untold.is_not(None)
        with told(self._place), self._engine.connect() as connection:
            return {row.number: row.untold for row in connection.execute(query.where(mine))}

    def _note(self, number: int, row: dict[str, Any]) -> int:
        """Write into one run; how many there were."""
        with told(self._place), writing(self._engine) as connection:
            changed = update(runs).where(runs.c.number == number).values(row)
            return connection.execute(changed).rowcount

    def forget(self, days: int) -> None:
        """Delete the runs that began so many days before the last ones; see `expendable`."""
        with told(self._place), writing(self._engine) as connection:
            for number in expendable(_entries(self._place, connection), days):
                connection.execute(delete(runs).where(runs.c.number == number))

    def load(self, entry: Entry) -> Run:
        """The whole run.

        Raises:
            MailsealError: it was never finished, or cannot be read.
        """
        if not entry.complete:
            raise MailsealError(f"{entry.run} did not come to its end: nothing is known of it")
        with told(self._place), self._engine.connect() as connection:
            content = connection.scalar(select(runs.c.content).where(runs.c.number == entry.number))
        try:
            return unpack(content or b"")
        except UnreadableError as error:
            words = f"{entry.run} is damaged, or of another edition ({entry.version})"
            raise MailsealError(f"{self._place}: {words}: {error}") from None


@contextmanager
def opened(place: Place, *, create: bool = False) -> Iterator[Store]:
    """A history, open; see `connect` for what is refused."""
    engine = connect(place, create=create)
    try:
        yield Store(place, engine)
    finally:
        engine.dispose()


def named(history: str | None, name: str, option: str) -> Run:
    """The run that an option names; *history* is where the command was told that runs are kept.

    Raises:
        MailsealError: there is none, or no history.
    """
    where = place(history)
    if where is None:
        raise MailsealError(f"{option} {name}: the history is switched off by 'none'")
    with opened(where) as store:
        return store.load(find(store.entries(), name))


def _entries(place: Place, connection: Connection) -> list[Entry]:
    found = connection.execute(select(*_LISTED).order_by(runs.c.number))
    return [_entry(place, row) for row in found]


def _entry(place: Place, row: Row[Any]) -> Entry:
    """One run; SQLite itself takes any value in any column.

    Raises:
        MailsealError: it is none.
    """
    # _mapping is public, and underlined only beside the columns' names.
    said = {str(name): value for name, value in row._mapping.items()}  # noqa: SLF001
    counts = {v: said[name] for v, name in _COUNTS.items()} if said["finished"] else None
    names = {"inventory": "inventory", "limit": "limited", "policies": "asked"}
    series = {name: said[column] for name, column in names.items()}
    try:
        return msgspec.convert({**said, "series": series, "counts": counts}, Entry)
    except msgspec.ValidationError as error:
        words = f"run {said['number']!r} is damaged ({error})"
        raise MailsealError(f"{place}: {words}") from None


def _text(text: str) -> str:
    """What a database can keep: an argument that is no UTF-8 gets escapes."""
    return text.encode("utf-8", "backslashreplace").decode()
