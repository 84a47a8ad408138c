"""One audit of an inventory at a time, as far as they keep one history.

Two at once would ask the servers twice as much as a guest may, and neither would be the other's
baseline.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, text

from audit.errors import MailsealError
from audit.history.database import Unavailable, told
from audit.history.place import Place

_LOCK = text("SELECT pg_try_advisory_lock(:key)")


@contextmanager
def alone(place: Place, engine: Engine, inventory: str) -> Iterator[None]:
    """Hold the lock of an inventory; it falls with the process, however that ends.

    Raises:
        Unavailable: there can be no lock.
        MailsealError: somebody else holds it.
    """
    name = hashlib.sha256(inventory.encode("utf-8", "surrogateescape")).digest()
    held = _by_file(place.file, name) if place.file else _by_server(place, engine, name)
    with held as ours:
        if not ours:
            raise MailsealError(f"{inventory}: another audit of it is running")
        yield


@contextmanager
def _by_file(history: Path, name: bytes) -> Iterator[bool]:
    path = history.with_name(f"{history.name}.{name.hex()[:16]}.lock")
    try:
        lock = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise Unavailable(f"{path}: cannot be written ({error.strerror})") from None
    try:
        yield _flock(lock)
    finally:
        os.close(lock)  # the file stays: whoever deletes it lets two in


def _flock(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _by_server(place: Place, engine: Engine, name: bytes) -> Iterator[bool]:
    """Held by a connection of its own, outside of any transaction."""
    key = int.from_bytes(name[:8], signed=True)
    with told(place):
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    with connection:
        with told(place):
            ours = bool(connection.scalar(_LOCK, {"key": key}))
        yield ours
