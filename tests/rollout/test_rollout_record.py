"""The file of a record: whole lines, one writer, and every damage one sentence."""

import errno
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from audit.errors import MailsealError
from audit.rollout import events as ev
from audit.rollout.place import find, load, names, parse
from audit.rollout.record import Record, forget
from tests.commands import ROOT
from tests.report.report_factories import make_finding
from tests.rollout import rollout_factories as made
from tests.rollout.rollout_factories import BEGUN, STARTED

FIRST = b'{"schema": "mailseal/rollout-record/1", '
WRITER = """
import sys, time
from pathlib import Path
from audit.rollout.record import Record
from tests.rollout.rollout_factories import STARTED, killed
record = Record(Path(sys.argv[1]), STARTED)
record.write(killed())
print("written", flush=True)
time.sleep(60)
"""


def written(directory: Path, lines: list[ev.Event], after: float = 0) -> str:
    """A record of these lines; its name."""
    record = Record(directory, STARTED + timedelta(seconds=after))
    record.write(lines)
    record.close()
    return record.id


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    """Line by line; for root alone."""
    where = tmp_path / "rollouts"
    name = written(where, made.stopped())
    path = where / f"{name}.jsonl"
    assert parse(path.read_bytes(), path) == made.stopped()
    assert path.stat().st_mode & 0o777 == 0o600
    assert where.stat().st_mode & 0o777 == 0o700
    assert load(where, name).course == "finished"


def test_two_of_one_second_have_names_of_their_own(tmp_path: Path) -> None:
    """And are in order, also past the tenth."""
    found = [written(tmp_path, made.good()) for _ in range(11)]
    assert found[:2] == ["20261128T023004Z", "20261128T023004Z-2"]
    assert names(tmp_path) == found


def test_a_rollout_is_running_until_its_process_is_gone(tmp_path: Path) -> None:
    """kill -9 lets go of the lock; what was written stays, and reads as unfinished."""
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    writer = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "written\n"
        (name,) = names(tmp_path)
        assert load(tmp_path, name).course == "running"
    finally:
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
    assert load(tmp_path, name).course == "unfinished"


def test_a_last_line_that_is_not_whole_was_being_written(tmp_path: Path) -> None:
    """Cut at every byte of it the lines before it are read."""
    name = written(tmp_path, made.killed())
    path = tmp_path / f"{name}.jsonl"
    whole = path.read_bytes()
    last = whole.rstrip(b"\n").rindex(b"\n") + 1
    for end in range(last, len(whole)):
        assert parse(whole[:end], path) == made.killed()[:-1]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "it ends before its first line does"),
        (b"{}\n", "the record is 'of no', not"),
        (b"rubbish\n", "no record of a rollout"),
        (b'{"schema": "mailseal/rollout-record/9"}\n', "the record is 'mailseal/rollout-record/9'"),
        (
            b"%b\n" % msgspec.json.encode(ev.Closed(at=STARTED)).replace(b"{", FIRST, 1),
            "no record",
        ),
        (b'{"schema": "\xff"}\n', "no record"),
        (FIRST + b'"deep": ' + b"[" * 100_000 + b"\n", "no record"),
    ],
)
def test_what_is_no_record_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    """With the file's name, and no traceback."""
    path = tmp_path / "20261128T023004Z.jsonl"
    path.write_bytes(content)
    with pytest.raises(MailsealError, match=sentence) as caught:
        load(tmp_path, "20261128T023004Z")
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize(
    "line",
    [
        b'{"event": "phase", "at": 5}',
        b'{"event": "phase", "at": "2026-11-28T02:30:04", "host": "mx1", "phase": ""}',
        b'{"event": "phase", "at": "2026-11-28T02:30:04Z", "host": "\xff", "phase": ""}',
        b'{"event": "phase", "deep": ' + b"[" * 100_000,
    ],
)
def test_a_damaged_line_is_named(tmp_path: Path, line: bytes) -> None:
    """In the middle nobody was writing; the next rollout is recorded all the same."""
    name = written(tmp_path, made.good())
    path = tmp_path / f"{name}.jsonl"
    lines = path.read_bytes().split(b"\n")
    lines[4] = line
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(MailsealError, match=r"\.jsonl, line 5: "):
        load(tmp_path, name)
    forget(tmp_path, 0)
    assert names(tmp_path) == []


def test_a_host_that_no_file_can_be_called_was_not_seen(tmp_path: Path) -> None:
    """Its rollout is told all the same, and forgotten."""
    odd = [ev.Noted(at=STARTED, host=host, begun=BEGUN) for host in ("a\0b", "x" * 300)]
    name = written(tmp_path, [*made.good()[:1], *odd])
    assert load(tmp_path, name).course == "unfinished"
    forget(tmp_path, 0)
    assert names(tmp_path) == []


def test_the_one_that_is_meant(tmp_path: Path) -> None:
    """By name, by its beginning, latest and previous."""
    first, second = (written(tmp_path, made.good(), after) for after in (0, 86400))
    assert find(tmp_path, "latest") == second
    assert find(tmp_path, "previous") == first
    assert find(tmp_path, "20261128") == first
    for word, sentence in {
        "2026": "'2026' may be",
        "1999": "there is no rollout '1999'; the last is",
    }.items():
        with pytest.raises(MailsealError, match=sentence):
            find(tmp_path, word)
    with pytest.raises(MailsealError, match="no rollout is recorded there"):
        find(tmp_path / "nothing", "latest")


def test_the_oldest_go_with_what_the_gate_saw_then(tmp_path: Path) -> None:
    """But not what a newer record names too."""
    older, newer = "20261101T000000Z", BEGUN
    for begun in (older, newer):
        (tmp_path / "mx1" / begun / "before").mkdir(parents=True)
    noted = [ev.Noted(at=STARTED, host="mx1", begun=begun) for begun in (older, newer)]
    escape = ev.Noted(at=STARTED, host="..", begun=older)
    first = written(tmp_path, [*made.good()[:1], *noted, escape])
    (tmp_path / f"{first}.html").write_text("page")
    second = written(tmp_path, made.good(), 60)
    forget(tmp_path, 1)
    assert names(tmp_path) == [second]
    assert not (tmp_path / f"{first}.html").exists()
    assert not (tmp_path / "mx1" / older).exists()
    assert (tmp_path / "mx1" / newer).exists()
    forget(tmp_path, 0)
    assert names(tmp_path) == []
    forget(tmp_path / "nothing", 1)


def test_one_that_is_running_stays_however_many_are_newer(tmp_path: Path) -> None:
    """Others know of it by its record, and its gate has still to look."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout
        writer.stdout.readline()
        running = names(tmp_path)
        later = [written(tmp_path, made.good(), seconds) for seconds in (60, 120)]
        forget(tmp_path, 1)
        assert names(tmp_path) == [*running, later[-1]]
        writer.kill()
    forget(tmp_path, 1)
    assert names(tmp_path) == later[-1:]


def test_what_the_gate_saw_is_read_from_where_it_left_it(tmp_path: Path) -> None:
    """What cannot be read is not known."""
    name = written(tmp_path, made.stopped())
    home = tmp_path / "msa1" / BEGUN
    for moment, content in (
        ("before", msgspec.json.encode({"planned": 3, "findings": [make_finding()]})),
        ("after", b"{"),
        ("back", b'{"planned": "\xff"}'),
    ):
        (home / moment).mkdir(parents=True)
        (home / moment / "run.json").write_bytes(content)
    (host,) = (h for h in load(tmp_path, name).hosts if h.host == "msa1")
    before, after, back = host.looks
    assert (before.seen, before.missing, before.counts) == (True, 2, {"fail": 1})
    assert (after.seen, back.seen) == (False, False)


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To whoever writes; what is there already is still read."""
    record = Record(tmp_path, STARTED)
    record.write(made.killed())

    def full(_file: int, _lines: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space left"):
            record.write(made.good())
        patched.setattr(os, "write", lambda _file, _lines: 3)
        with pytest.raises(OSError, match="in part only"):
            record.write(made.good())
    record.close()
    assert load(tmp_path, record.id).course == "unfinished"


def test_what_is_no_file_is_no_record(tmp_path: Path) -> None:
    """Nobody waits for the other end of a pipe."""
    name = written(tmp_path, made.good())
    os.mkfifo(tmp_path / "20261129T023004Z.jsonl")
    (tmp_path / "20261130T023004Z.jsonl").mkdir()
    assert names(tmp_path) == [name]
