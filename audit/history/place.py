"""Where a history is: a file, a database by its URL, or nowhere."""

import os
import re
from pathlib import Path

from msgspec import Struct
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from audit import state
from audit.errors import MailsealError

VARIABLE = "MAILSEAL_HISTORY"
NOWHERE = "none"

_FILE = "history.db"
# The names that people write, and ours for the driver.
_POSTGRESQL = ("postgresql", "postgres", "postgresql+psycopg")
# What nobody says otherwise: a server that is gone must not hold an audit up for hours.
_PATIENCE = {"connect_timeout": "10", "tcp_user_timeout": "30000"}  # seconds; milliseconds

_WHERE = ("host", "hostaddr", "port")  # options of libpq that are no secrets
_HIDDEN = "(not shown)"


class Place(Struct, frozen=True):
    """One place for a history.

    Attributes:
        url: what SQLAlchemy opens; may hold a password.
        file: the SQLite file; None if it is a server's.
    """

    url: URL
    file: Path | None = None

    def __str__(self) -> str:
        """As messages name it: never with a password, a user or an option."""
        if self.file:
            return str(self.file)
        port = f":{self.url.port}" if self.url.port else ""
        return f"postgresql://{self.url.host or ''}{port}/{self.url.database or ''}"

    def harmless(self, words: str) -> str:
        """What a driver says, without the password and the options that it may repeat."""
        options = self.url.normalized_query.items()
        said = {v for name, found in options if name not in _WHERE for v in found}
        said = {*said, str(self.url.password or "")} - {"", *_PATIENCE.values()}
        for secret in sorted(said, key=len, reverse=True):
            words = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", _HIDDEN, words)
        return words


def place(option: str | None) -> Place | None:
    """The place that is meant; None for nowhere.

    Args:
        option: a file, a URL or "none"; None for what the environment says, or else the usual file.

    Raises:
        MailsealError: it is no such place. The sentence does not repeat it: it may hold a password.
    """
    text = option or os.environ.get(VARIABLE) or str(usual())
    if text == NOWHERE:
        return None
    if "://" not in text:
        return _file(Path(text))
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise MailsealError("the URL of the history cannot be read") from None
    if url.drivername == "sqlite" and url.database:
        return _file(Path(url.database))
    if url.drivername not in _POSTGRESQL:
        words = "a history is a file, a URL that begins with postgresql://, or none"
        raise MailsealError(words)
    if "@" in (url.host or ""):  # half a password, and the driver would name it
        raise MailsealError("in the URL of the history an @ of the password must be written %40")
    url = url.set(drivername="postgresql+psycopg")
    return Place(url.update_query_dict({**_PATIENCE, **url.query}))


def usual() -> Path:
    """Where a history is if nobody says: the machine's for root, otherwise the user's own."""
    return state.directory() / _FILE


def _file(path: Path) -> Place:
    return Place(URL.create("sqlite", database=str(path)), path)
