"""One audit of an inventory at a time, as far as they keep one history.

Two at once would ask the servers twice as much as a guest may, and neither would be the other's
baseline.
"""

import fcntl
import getpass
import hashlib
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from audit.errors import MailsealError
from audit.history.database import Unavailable, told
from audit.history.place import Place

_LOCK = text("SELECT pg_try_advisory_lock(:key)")
_UNLOCK = text("SELECT pg_advisory_unlock(:key)")
_NAME = text("SELECT set_config('application_name', :name, false)")
# Both halves of the key, as PostgreSQL lists them (manual, "pg_locks").
_HOLDER = text(
    "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)"
    " WHERE locktype = 'advisory' AND granted AND objsubid = 1"
    " AND (classid::bigint << 32) | objid::bigint = :key"
)
_LONGEST = 63  # octets of an application's name in PostgreSQL


@contextmanager
def alone(place: Place, engine: Engine, inventory: str) -> Iterator[None]:
    """Hold the lock of an inventory; it falls with the process, however that ends.

    Raises:
        Unavailable: there can be no lock.
        MailsealError: somebody else holds it; who, as far as that can be told.
    """
    name = hashlib.sha256(inventory.encode("utf-8", "surrogateescape")).digest()
    held = _by_file(place.file, name) if place.file else _by_server(place, engine, name)
    with held as other:
        if other is not None:
            who = f" ({other})" if other else ""
            raise MailsealError(f"{inventory}: another audit of it is running{who}")
        yield


def _us() -> str:
    """Who holds a lock of ours, for whoever meets it."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # no such user, as in some containers
        user = str(os.getuid())
    return f"process {os.getpid()} of {user} on {socket.gethostname()}"


@contextmanager
def _by_file(history: Path, name: bytes) -> Iterator[str | None]:
    """Whoever else holds it; None if it is ours."""
    path = history.with_name(f"{history.name}.{name.hex()[:16]}.lock")
    try:
        lock = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise Unavailable(f"{path}: cannot be written ({error.strerror})") from None
    try:
        yield None if _flock(lock) else os.pread(lock, 256, 0).decode("utf-8", "replace")
    finally:
        os.close(lock)  # the file stays: whoever deletes it lets two in


def _flock(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    with suppress(OSError):  # a full disk takes no note; the lock holds all the same
        os.ftruncate(lock, 0)
        os.pwrite(lock, _us().encode(), 0)  # read only while somebody holds it
    return True


@contextmanager
def _by_server(place: Place, engine: Engine, name: bytes) -> Iterator[str | None]:
    """Held by a connection of its own, outside of any transaction; that has a name to be told."""
    key = int.from_bytes(name[:8], signed=True)
    with told(place):
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    with connection:
        with told(place):
            connection.execute(_NAME, {"name": _us()[:_LONGEST]})
            ours = bool(connection.scalar(_LOCK, {"key": key}))
            other = None if ours else connection.scalar(_HOLDER, {"key": key}) or ""
        try:
            yield other
        finally:
            if ours:  # the server takes its time to see that a connection has ended
                with suppress(SQLAlchemyError):
                    connection.execute(_UNLOCK, {"key": key})
