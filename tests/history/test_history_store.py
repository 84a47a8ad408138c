"""A history as a database: what is refused, what is kept, and what never costs a result."""

import contextlib
import lzma
import os
import resource
import secrets
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from msgspec.structs import replace
from sqlalchemy import column, select, table, text, update

from audit.errors import MailsealError
from audit.findings import Run, timestamp
from audit.history.database import Unavailable, connect
from audit.history.entry import Series
from audit.history.keep import Kept, keeping
from audit.history.pack import UnreadableError, unpack
from audit.history.place import Place, place
from audit.history.schema import EDITION_TABLE, EDITIONS, metadata
from audit.history.store import opened
from tests.history.history_factories import (
    FIRST,
    SERIES,
    at,
    cluster,
    dated,
    entries,
    keep,
    plan,
)
from tests.report.report_factories import make_finding, make_run

HOSTILE = (
    "mx1\x1b[2J",
    "a\nforged 2026-11-28 0 failed",
    "\u202egnp.exe",
    "'; DROP TABLE mailseal_run; --",
    "\udcff\udc80",
    "nul\x00",
    "x" * 300,
)
EDITION = table(EDITION_TABLE, column("version_num"))
SMALL = make_run(make_finding())


def _sqlite(path: Path) -> Place:
    found = place(str(path))
    assert found
    return found


def test_the_steps_lead_to_the_tables_that_the_program_knows(there: Place) -> None:
    """Alembic finds no difference between the two, and the last step is the last edition."""
    engine = connect(there, create=True)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": EDITION_TABLE})
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == EDITIONS[-1]
    engine.dispose()


def test_what_is_kept_comes_back_as_it_was(there: Place) -> None:
    """Findings, facts and notices, to the last byte."""
    run = replace(cluster(), notices=("Waiver not used",))
    kept = keep(there, run, at(0))
    with opened(there) as store:
        [entry] = store.entries()
        back = store.load(entry)
    assert back == kept
    assert back.notices == run.notices
    assert entry.counts == {
        "pass": run.planned,
        "fail": 0,
        "inconclusive": 0,
        "not-applicable": 0,
        "waived": 0,
    }
    assert (entry.series, entry.policies, entry.version) == (SERIES, "mailseal-2026", "0.1.0")


def test_only_its_owner_reads_a_history(tmp_path: Path) -> None:
    """It says what is wrong with every host."""
    there = _sqlite(tmp_path / "state" / "mailseal" / "h.db")
    keep(there, cluster(), at(0))
    assert there.file
    assert there.file.stat().st_mode & 0o077 == 0
    assert there.file.parent.stat().st_mode & 0o077 == 0


def test_hostile_names_are_kept_as_they_are(there: Place) -> None:
    """What is no UTF-8, what no database likes, and what would be SQL."""
    findings = tuple(make_finding(host=name, observed=name, evidence=name) for name in HOSTILE)
    series = Series(inventory="/i/\udcff'\";--", limit="\u202e*")
    first = keep(there, make_run(*findings), at(0), series)
    keep(there, make_run(*findings[1:]), at(1), series)
    with opened(there) as store:
        kept = store.entries()
        assert store.load(kept[0]).findings == first.findings
    assert kept[0].series == kept[1].series
    assert kept[0].series.inventory == "/i/\\udcff'\";--"


def test_ten_thousand_findings_are_small_and_soon_there(there: Place) -> None:
    """What is alike is stored once; the counts need no look at the content."""
    words = [f"TLSv1.2 accepts suite {n}" for n in range(37)]
    findings = tuple(
        make_finding(
            host=f"mx{n // 400}",
            port=n % 400 + 1,
            verdict="fail" if n % 100 == 0 else "pass",
            observed=words[n % 37],
        )
        for n in range(10_000)
    )
    keep(there, make_run(*findings), at(0))
    with opened(there) as store:
        [entry] = store.entries()
        assert store.load(entry).findings == findings
    assert entry.counts
    assert (entry.counts["pass"], entry.counts["fail"]) == (9900, 100)
    if there.file:
        assert there.file.stat().st_size < 250_000


def test_a_clock_that_was_set_back_changes_no_order(there: Place) -> None:
    """Runs are ordered by number; the notice says what the clock did, and no id comes twice."""
    first = keep(there, SMALL, at(9))
    again = keep(there, SMALL, at(9))
    assert (first.notices, again.notices) == ((), ())
    assert again.run == f"{first.run}-2"
    back = keep(there, SMALL, at(2))
    assert back.notices == (
        f"The clock was set back: {again.run}, the run before, began at {again.started}",
    )
    assert [e.run for e in entries(there)] == [first.run, again.run, back.run]
    with keeping(there, plan(at(3))) as kept:
        run, past = kept.placed(dated(SMALL, at(3)))
        kept.finish(run, None)
    assert run.notices == ()
    assert [night.run for night in past.nights] == [first.run, again.run, back.run]


def test_old_runs_go_but_never_the_last_two_of_a_series(there: Place) -> None:
    """Each series has its own two; a clock that is wrong by years once costs nothing."""
    other = replace(SERIES, limit="imap")
    for night in range(3):
        keep(there, SMALL, at(night), other)
    for night in range(10):
        keep(there, SMALL, at(night))
    assert len(entries(there)) == 13
    keep(there, SMALL, at(4000), days=30)
    assert len(entries(there)) == 14
    keep(there, SMALL, at(4001), days=30)
    kept = entries(there)
    assert [(e.series.limit, e.started) for e in kept] == [
        ("imap", timestamp(at(1))),
        ("imap", timestamp(at(2))),
        ("", timestamp(at(4000))),
        ("", timestamp(at(4001))),
    ]
    assert keep(there, SMALL, at(10)).run == f"{at(10):%Y%m%dT%H%M%SZ}"
    assert entries(there)[-1].number == 16  # no number is given twice


def test_retention_is_by_the_day(there: Place) -> None:
    """A run stays until the last but one is so many days younger."""
    now = FIRST.now(tz=FIRST.tzinfo)
    for days in (32, 30, 2, 1):
        keep(there, SMALL, now - timedelta(days=days))
    keep(there, SMALL, now, days=30)
    assert [e.started for e in entries(there)] == [
        timestamp(now - timedelta(days=days)) for days in (30, 2, 1, 0)
    ]


def test_two_audits_of_an_inventory_do_not_run_at_once(there: Place) -> None:
    """The second is told so and begins nothing; another inventory is nobody's business."""
    with keeping(there, plan(at(0))):
        with (
            pytest.raises(MailsealError, match=r"^/etc/mailseal/inventory: another audit") as told,
            keeping(there, plan(at(1), replace(SERIES, limit="imap"))),
        ):
            pass
        assert told.value.exit_code == 2
        with keeping(there, plan(at(1), Series(inventory="/other"))) as kept:
            assert kept.trouble == ""
    assert [e.series.inventory for e in entries(there)] == [SERIES.inventory, "/other"]
    keep(there, SMALL, at(2))


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:6000])


def _overwrite(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:8192] = b"\xa5" * 4096
    path.write_bytes(data)


def _garbage(path: Path) -> None:
    path.write_bytes(b"not a database at all" * 1000)


@pytest.mark.parametrize("spoil", [_cut, _overwrite, _garbage])
def test_a_damaged_file_is_refused_and_left_alone(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    """By whoever would read it and whoever would write into it."""
    there = _sqlite(tmp_path / "h.db")
    keep(there, cluster(), at(0))
    assert there.file
    spoil(there.file)
    before = there.file.read_bytes()
    for create in (False, True):
        with (
            pytest.raises(MailsealError, match="nothing was changed") as told,
            opened(there, create=create),
        ):
            pass
        assert not isinstance(told.value, Unavailable)
        assert told.value.exit_code == 2
        assert str(told.value).startswith(str(there.file))
    assert there.file.read_bytes() == before


@pytest.mark.parametrize(
    "document", [b"", b"\xff", b"[]", b"{}", b'{"endpoints": 1}', b'{"deep": ' + b"[" * 100_000]
)
def test_what_is_no_run_is_unreadable(document: bytes) -> None:
    """Also where it is nested without end."""
    with pytest.raises(UnreadableError):
        unpack(lzma.compress(document))
    with pytest.raises(UnreadableError):
        unpack(document)


def test_what_is_longer_than_any_run_is_not_unpacked() -> None:
    """A few kilobytes can become gigabytes."""
    bomb = lzma.compress(b" " * (1 << 29), preset=0)
    started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UnreadableError, match="too long for a run"):
        unpack(bomb)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - started < 700_000  # kilobytes


def test_content_that_the_disk_has_changed_is_noticed(there: Place) -> None:
    """A run whose bytes are not those that were written is not read as something else."""
    keep(there, cluster(), at(0))
    engine = connect(there, create=False)
    with engine.connect() as connection, connection.begin():
        content = bytearray(connection.scalar(text("SELECT content FROM mailseal_run")) or b"")
        content[len(content) // 2] ^= 1
        connection.execute(text("UPDATE mailseal_run SET content = :c"), {"c": bytes(content)})
    engine.dispose()
    with opened(there) as store, pytest.raises(MailsealError, match="is damaged"):
        store.load(store.entries()[0])
    with keeping(there, plan(at(1))) as kept:
        run, past = kept.placed(dated(cluster(), at(1)))
        assert "is damaged" in kept.trouble
        assert not past.known
        kept.finish(run, None)
    assert entries(there)[-1].complete


@pytest.mark.parametrize(
    "change",
    [
        *("started = x'00ff'", "run = x'ff00'", "passed = 'abc'", "passed = NULL"),
        *("planned = 'many'", "started = 'yesterday'", "started = ''", "started = 20261128"),
        *("started = '0001-01-01T00:00:00.000Z'", "started = '2026-11-28T03:00:00.000'"),
        *("finished = x''", "finished = ''", "finished = '2026-11-31T03:00:00.000Z'"),
    ],
)
def test_a_row_that_is_no_run_is_damage(tmp_path: Path, change: str) -> None:
    """SQLite takes any value in any column; an audit goes on without the history."""
    there = _sqlite(tmp_path / "h.db")
    keep(there, cluster(), at(0))
    with contextlib.closing(sqlite3.connect(str(there.file))) as connection, connection:
        connection.execute(f"UPDATE mailseal_run SET {change}")  # noqa: S608 - it is above
    with pytest.raises(MailsealError, match="run 1 is damaged") as told:
        entries(there)
    assert told.value.exit_code == 2
    with keeping(there, plan(at(1))) as kept:
        run, past = kept.placed(dated(cluster(), at(1)))
        assert "run 1 is damaged" in kept.trouble
        kept.trouble = ""
        kept.finish(run, 400, b"letter")
        assert kept.owed(None) == {2: b"letter"}
    assert "run 1 is damaged" in kept.trouble
    assert not past.known


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("make", [_pipe, _device])
def test_what_is_no_file_is_no_history(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """Said at once: nobody waits for the other end of a pipe."""
    make(tmp_path / "h.db")
    for create in (False, True):
        with (
            pytest.raises(MailsealError, match="is no file, and so no history"),
            opened(_sqlite(tmp_path / "h.db"), create=create),
        ):
            pass


def test_a_newer_history_is_refused(there: Place) -> None:
    """Whatever a later edition has put there stays."""
    engine = connect(there, create=True)
    with engine.connect() as connection, connection.begin():
        connection.execute(update(EDITION).values(version_num="9999"))
    for create in (False, True):
        with pytest.raises(MailsealError, match=r"newer mailseal \(edition 9999\)") as told:
            connect(there, create=create)
        assert told.value.exit_code == 2
    with engine.connect() as connection:
        assert connection.scalar(select(EDITION.c.version_num)) == "9999"
    engine.dispose()


def test_a_database_of_something_else_is_not_written_into(tmp_path: Path) -> None:
    """A file that was named by mistake keeps its own tables and gets none of ours."""
    path = tmp_path / "bookmarks.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE bookmark (url TEXT)")
    connection.close()
    before = path.read_bytes()
    with (
        pytest.raises(MailsealError, match="something else; nothing was changed"),
        opened(_sqlite(path), create=True),
    ):
        pass
    assert path.read_bytes() == before


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system with little room; skips where there can be none."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a file system of its own needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_costs_this_run_its_place_and_nothing_else(small: Path) -> None:
    """The audit learns why; what was kept before is whole, and with room all goes on."""
    there = _sqlite(small / "h.db")
    first = keep(there, cluster(), at(0))
    with keeping(there, plan(at(1))) as kept:
        run, past = kept.placed(dated(cluster(), at(1)))
        assert [night.run for night in past.nights] == [first.run]
        _fill(small)
        kept.finish(_noisy(run), None)
    assert kept.trouble.startswith(f"{there.file}: the history cannot be written")
    (small / "filler").unlink()
    assert [e.complete for e in entries(there)] == [True, False]
    with opened(there) as store:
        assert store.load(store.entries()[0]) == replace(
            first, hosts=store.load(store.entries()[0]).hosts
        )
    assert keep(there, cluster(), at(2)).run == f"{at(2):%Y%m%dT%H%M%SZ}"


def _fill(folder: Path) -> None:
    with (folder / "filler").open("wb", 0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 512)


def _noisy(run: Run) -> Run:
    """With evidence that does not compress, so that it needs room."""
    noisy = tuple(replace(f, evidence=secrets.token_hex(64)) for f in run.findings)
    return replace(run, findings=noisy)


def test_a_history_that_cannot_even_begin_is_no_reason_not_to_look(small: Path) -> None:
    """The run goes on without it, and says so at the end."""
    _fill(small)
    with keeping(_sqlite(small / "h.db"), plan(at(0))) as kept:
        run, past = kept.placed(cluster())
        kept.finish(run, None)
    assert run == cluster()
    assert not past.known
    assert "cannot be written" in kept.trouble


def test_what_is_owed_is_kept_with_its_run_until_it_is_taken(there: Place) -> None:
    """Of complete runs and of such as failed; of this inventory, and not of another."""
    run = cluster()
    with keeping(there, plan(at(0))) as kept:
        placed, _ = kept.placed(dated(run, at(0)))
        kept.finish(placed, None, b"one")
        assert kept.owed(None) == {1: b"one"}
    with keeping(there, plan(at(1))) as kept:
        kept.fail(b"two")
        assert kept.owed(None) == {1: b"one", 2: b"two"}
        assert kept.owe(1, None)
        assert kept.owed(b"not noted") == {2: b"two"}
    other = replace(SERIES, inventory="/etc/other")
    with keeping(there, plan(at(2), other)) as kept:
        placed, _ = kept.placed(dated(run, at(2)))
        kept.finish(placed, None)
        assert kept.owed(None) == {}
    assert [e.complete for e in entries(there)] == [True, False, True]
    assert (kept.trouble, Kept().owed(b"alone"), Kept().owed(None)) == ("", {0: b"alone"}, {})


def test_a_history_of_the_edition_before_is_brought_to_ours(there: Place) -> None:
    """With all its runs; only what is owed is new."""
    keep(there, cluster(), at(0))
    engine = connect(there, create=True)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE mailseal_run DROP COLUMN untold"))
        connection.execute(update(EDITION).values(version_num="0001"))
    engine.dispose()
    keep(there, cluster(), at(1))
    assert [e.complete for e in entries(there)] == [True, True]


def test_who_holds_the_lock_is_said(there: Place) -> None:
    """By process, user and host, in a file as on a server; who has let go is nobody."""
    keep(there, cluster(), at(0))
    with opened(there) as store, store.alone(SERIES.inventory):
        with (
            opened(there) as other,
            pytest.raises(MailsealError) as told,
            other.alone(SERIES.inventory),
        ):
            pass
        with opened(there) as other, other.alone("/etc/other"):
            pass
    assert f"another audit of it is running (process {os.getpid()} of " in str(told.value)
    with opened(there) as store, store.alone(SERIES.inventory):
        pass
