"""A PostgreSQL that goes away in the middle of an audit."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from audit.history.keep import keeping
from audit.history.place import place
from tests.history.history_factories import at, cluster, dated, entries, keep, plan

_END = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)


def test_a_connection_that_ended_meanwhile_costs_nothing(
    socket: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The lock goes with it, the run is kept by another one, and nobody is told of it."""
    there = place(f"postgresql://postgres@/postgres?host={socket}")
    assert there
    with keeping(there, plan(at(0))) as kept:
        engine = create_engine(there.url)
        with engine.connect() as connection:
            assert connection.execute(_END).all()
        engine.dispose()
        run, _ = kept.placed(dated(cluster(), at(0)))
        kept.finish(run, None)
    assert kept.trouble == ""
    assert [e.complete for e in entries(there)] == [True]
    keep(there, cluster(), at(1))
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")
