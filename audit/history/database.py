"""A database that holds a history: opened, brought to our edition of the tables, or refused."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import (
    Connection,
    Engine,
    NullPool,
    column,
    create_engine,
    event,
    inspect,
    select,
    table,
    text,
)
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from audit.errors import MailsealError
from audit.history.place import Place
from audit.history.schema import EDITION_TABLE, EDITIONS

_BUSY = 30  # seconds that another one's transaction is waited for
_MIGRATING = 0x6D61696C  # any number that all of us take for this lock
_NOTE = table(EDITION_TABLE)


class Unavailable(MailsealError):
    """The history cannot be written or reached at the moment; nothing is wrong with what it has."""


def connect(place: Place, *, create: bool) -> Engine:
    """Open a history, with tables of our edition.

    Args:
        place: where.
        create: begin one where there is none.

    Raises:
        Unavailable: it cannot be reached or written.
        MailsealError: it is not there, damaged, newer than this program, or something else.
    """
    if place.file:
        _lay(place.file, create=create)
    try:
        with told(place):  # an option of the URL may be none
            engine = _engine(place)
    except ModuleNotFoundError:
        words = "a history in PostgreSQL needs psycopg: pip install 'mailseal[postgresql]'"
        raise MailsealError(words) from None
    with told(place), engine.connect() as connection:
        current = _look(connection, place)
    if not current:
        with told(place), writing(engine) as connection:
            _migrate(connection)
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that is going to write, and so waits for another one's end at its start."""
    connection = engine.connect().execution_options(begin="BEGIN IMMEDIATE")
    with connection, connection.begin():
        yield connection


@contextmanager
def told(place: Place) -> Iterator[None]:
    """Errors of the database as sentences that name the place.

    Raises:
        Unavailable: it could not be reached or written.
        MailsealError: it is damaged or something else.
    """
    try:
        yield
    except DBAPIError as error:
        raise _sentence(place, error.orig) from None
    except sqlite3.Error as error:
        raise _sentence(place, error) from None
    except SQLAlchemyError as error:
        words = place.harmless(str(error))
        raise MailsealError(f"{place}: the history cannot be used ({words})") from None


def _sentence(place: Place, error: BaseException | None) -> MailsealError:
    words = (place.harmless(str(error)).splitlines() or [type(error).__name__])[0]
    code = getattr(error, "sqlite_errorname", "")
    if code.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return MailsealError(f"{place}: is damaged or no history; nothing was changed ({words})")
    return Unavailable(f"{place}: the history cannot be written or reached ({words})")


def _lay(path: Path, *, create: bool) -> None:
    """See to the file, which nobody else may read: it tells what is wrong with the hosts."""
    if not create and not path.exists():
        raise MailsealError(f"{path}: there is no history; `mailseal audit` begins one")
    try:
        if create:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Of a pipe nobody waits for the other end.
        how = (os.O_RDWR | os.O_CREAT if create else os.O_RDONLY) | os.O_NONBLOCK
        file = os.open(path, how, 0o600)
        kind = os.fstat(file).st_mode
        os.close(file)
    except OSError as error:
        words = f"{path}: the history cannot be written or reached ({error.strerror})"
        raise Unavailable(words) from None
    if not stat.S_ISREG(kind):
        raise MailsealError(f"{path}: is no file, and so no history")


def _engine(place: Place) -> Engine:
    if not place.file:
        return create_engine(place.url, poolclass=NullPool, hide_parameters=True)
    engine = create_engine(
        place.url,
        poolclass=NullPool,
        hide_parameters=True,
        # Transactions are ours to begin: the module's own leave the making of tables outside.
        connect_args={"timeout": _BUSY, "isolation_level": None},
    )

    @event.listens_for(engine, "connect")
    def durable(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA synchronous = EXTRA")  # what is kept outlasts a power cut

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        connection.exec_driver_sql(options.get("begin", "BEGIN"))

    return engine


def _look(connection: Connection, place: Place) -> bool:
    """Whether the tables are of our edition; refuses what is not ours to write into."""
    tables = inspect(connection).get_table_names()
    if place.file:
        found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
        if found != "ok":
            words = f"{place}: the history is damaged; nothing was changed ({found})"
            raise MailsealError(words)
        if tables and EDITION_TABLE not in tables:
            raise MailsealError(f"{place}: is a database of something else; nothing was changed")
    edition = _edition(connection)
    if edition not in (None, *EDITIONS):
        words = f"was written by a newer mailseal (edition {edition}); nothing was changed"
        raise MailsealError(f"{place}: {words}")
    return edition == EDITIONS[-1]


def _edition(connection: Connection) -> str | None:
    """What the tables are; None where there are none yet."""
    if EDITION_TABLE not in inspect(connection).get_table_names():
        return None
    found: str | None = connection.scalar(select(column("version_num")).select_from(_NOTE))
    return found


def _migrate(connection: Connection) -> None:
    """Do the steps that are missing, all of them or none."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATING})
    if _edition(connection) == EDITIONS[-1]:
        return  # somebody else was faster
    from alembic import command  # takes as long to load as all the rest
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "audit.history:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, EDITIONS[-1])
