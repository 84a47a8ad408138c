"""The places where a history may be."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from audit.history.place import Place, place
from tests.history import postgresql

_NUMBERS = count()


@pytest.fixture(scope="session")
def socket() -> Iterator[Path]:
    """Where a PostgreSQL of ours listens."""
    with postgresql.server() as home:
        yield home


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty history, as --history takes it: a file, or the URL of a database."""
    if request.param == "sqlite":
        return str(tmp_path / "history.db")
    home = request.getfixturevalue("socket")
    name = f"history_{next(_NUMBERS)}"
    url = f"postgresql+psycopg://postgres@/%s?host={home}"
    engine = create_engine(url % "postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return f"postgresql://postgres@/{name}?host={home}"


@pytest.fixture
def there(where: str) -> Place:
    """The same as the history's own type."""
    found = place(where)
    assert found is not None
    return found
