"""`mailseal traffic` from the outside."""

import gzip
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest

from audit.errors import MailsealError
from audit.traffic import work
from audit.traffic.read import Part
from benchmarks.traffic.made import write
from tests.commands import BIN, ROOT, mailseal, run

HEAD = "2026-11-%02d 10:00:00 1xVc0c-%06d-1d "
X = "X=TLS1.3:TLS_AES_256_GCM_SHA384:256 CV=no"


def document(*words: str, code: int = 0) -> dict[str, object]:
    """What it prints as JSON."""
    done = mailseal("traffic", "--json", *words)
    assert done.returncode == code, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some thousand lines."""
    path = tmp_path_factory.mktemp("log") / "mainlog"
    write(path, 5_000)
    return path


def test_it_is_valid_by_its_schema(log: Path) -> None:
    schema = json.loads((ROOT / "docs/schema/traffic-1.json").read_text())
    found = document(str(log))
    jsonschema.Draft202012Validator(schema).validate(found)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(found | {"lines": {}})


def test_processes_files_and_kept_counts_give_the_same(log: Path, tmp_path: Path) -> None:
    """One file; two that it was cut into, in any order, by two processes; counts that were kept."""
    whole = document(str(log), "--jobs", "1")
    data = log.read_bytes()
    first, second = tmp_path / "mainlog.1.gz", tmp_path / "mainlog"
    cut = data.index(b"\n", len(data) // 3) + 1
    first.write_bytes(gzip.compress(data[:cut]))
    second.write_bytes(data[cut:])
    assert document(str(second), str(first), "--jobs", "2") == whole
    kept = str(tmp_path / "kept")
    document(str(first), "--save", kept)
    assert document(kept, str(second)) == whole
    assert document(str(second), kept) == whole


def test_days_and_own_networks(tmp_path: Path) -> None:
    path = tmp_path / "mainlog"
    path.write_text(
        "".join(
            HEAD % (day, day) + f"<= a@b H=h [{ip}] P=esmtps {X} S=5\n"
            for day, ip in ((1, "192.0.2.1"), (2, "192.0.2.2"), (3, "198.51.100.1"))
        )
    )

    def mails(*words: str) -> tuple[int, int]:
        found = document(str(path), *words)
        return found["incoming"]["mails"], found["own"]["mails"]  # type: ignore[index]

    assert mails() == (3, 0)
    assert mails("--own", "192.0.2.0/24") == (1, 2)
    assert mails("--from", "2026-11-02") == (2, 0)
    assert mails("--from", "2026-11-02", "--to", "2026-11-02") == (1, 0)


def test_shares_are_told_by_what_suits_or_is_asked_for(tmp_path: Path) -> None:
    """Also of counts that were kept, day by day."""
    kept = []
    for day in (1, 9):
        path, counts = tmp_path / f"mainlog.{day}", tmp_path / f"kept{day}"
        path.write_text(HEAD % (day, day) + f"<= a@b H=h [192.0.2.1] P=esmtps {X} S=5\n")
        document(str(path), "--save", str(counts))
        kept.append(str(counts))

    def told(*words: str) -> list[str]:
        trend = document(*kept, *words)["trend"]
        return [trend["by"], *(one["period"] for one in trend["periods"])]  # type: ignore[index]

    assert told() == ["day", "2026-11-01", "2026-11-09"]
    assert told("--by", "week") == ["week", "2026-W44", "2026-W46"]
    assert told("--by", "month") == ["month", "2026-11"]


def test_a_line_that_can_be_read_in_two_ways_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "mainlog"
    forged = "(x) [192.0.2.9] P=esmtps X=TLS1.3:FAKE:256 S=1 id=a)"
    path.write_text(HEAD % (1, 1) + f"<= a@b H={forged} [192.0.2.1] P=esmtps {X} S=5\n")
    done = mailseal("traffic", str(path))
    assert "1 lines are ambiguous, and in no figure" in done.stdout
    assert "could be read in more than one way: 2026-11-01" in done.stdout
    assert done.returncode == 3, "nothing could be counted"


def test_who_logs_no_tls_is_named(tmp_path: Path) -> None:
    """It is neither with nor without, in counts that are kept as well, until a session is named."""
    sent = (
        "Nov 29 10:07:46 mx1 postfix/smtp[9]: %s: to=<a@b>, relay=mx.b[192.0.2.9]:25, delay=1,"
        " delays=0/0/1/0, dsn=2.0.0, status=sent (250 Ok)\n"
    )
    session = (
        "Nov 29 10:07:45 mx1 postfix/smtp[9]: Untrusted TLS connection established to"
        " mx.b[192.0.2.9]:25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\n"
    )
    quiet, named, kept = tmp_path / "quiet", tmp_path / "named", str(tmp_path / "kept")
    quiet.write_text(sent % "A1")
    named.write_text(session + sent % "A2")
    done = mailseal("traffic", str(quiet), "--save", kept)
    assert "mx1 postfix/smtp names no TLS session: whether" in done.stdout

    def ways(*files: str) -> tuple[int, ...]:
        found = document(*files)["outgoing"]
        return found["tls"], found["plain"], found["not_logged"]  # type: ignore[index]

    assert ways(kept) == (0, 0, 1)
    assert ways(kept, str(named)) == (1, 1, 0)


def test_nobody_waits_for_somebody_to_write_to_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    done = run(str(BIN / "mailseal"), "traffic", str(pipe), seconds=60)
    assert done.returncode == 2
    assert done.stderr == f"mailseal: {pipe} is no log: it is no regular file\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["gone"], "gone cannot be read: No such file or directory"),
        (["{log}", "--own", "192.0.2.300"], "'192.0.2.300' is no network, as 192.0.2.0/24 is one"),
        (["{log}", "--from", "2026-11-31"], "'2026-11-31' is no day, as 2026-11-29 is one"),
        (["{log}", "--from", "2026-12-01", "--to", "2026-11-01"], "--from 2026-12-01 is after"),
        (["{log}", "--save", "/gone/counts"], "/gone/counts: there is no directory /gone"),
        (["{log}", "--html", "/gone/page"], "/gone/page: there is no directory /gone"),
        (["{log}", "--html", "/"], "/: that is a directory"),
        (["{log}", "--save", "{log}"], "--save would replace what is no file of kept counts"),
        (["{log}", "--html", "{log}"], "--html is what is to be read"),
        (["{log}", "--save", "{new}", "--html", "{new}"], "--save and --html are the same file"),
        (["{log}", "--jobs", "0"], "'0' is no number of processes"),
        (["{log}", "--scheduler", "tcp://127.0.0.1:9"], "dask"),
        (["{kept}"], "these counts are not complete"),
        (["{newer}"], "counts of version 5, and this reads only 4"),
        (["{damaged}"], "damaged counts"),
    ],
)
def test_wrong_words(log: Path, tmp_path: Path, words: list[str], sentence: str) -> None:
    kept = tmp_path / "counts"
    mailseal("traffic", str(log), "--save", str(kept))
    data = kept.read_bytes()
    (tmp_path / "kept").write_bytes(data[:-20])
    (tmp_path / "newer").write_bytes(data.replace(b"tally/4", b"tally/5"))
    (tmp_path / "damaged").write_bytes(data[:30] + b"x" * 40 + data[70:])
    before = log.read_bytes()
    names = {name: str(tmp_path / name) for name in ("kept", "newer", "damaged", "new")}
    done = mailseal("traffic", *(word.format(log=log, **names) for word in words))
    assert done.returncode == 2, done.stdout
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout, "nothing was counted before"
    assert log.read_bytes() == before


def test_counts_may_take_the_place_of_those_that_they_are_added_to(
    log: Path, tmp_path: Path
) -> None:
    kept = str(tmp_path / "counts")
    once = document(str(log), "--save", kept)["lines"]["total"]  # type: ignore[index]
    document(kept, str(log), "--save", kept)
    assert document(kept)["lines"]["total"] == 2 * once  # type: ignore[index]


def test_kept_counts_are_not_parted(log: Path, tmp_path: Path) -> None:
    """Figures of days that were not asked for would stand there as if they had been."""
    kept = tmp_path / "counts"
    mailseal("traffic", str(log), "--save", str(kept))
    assert document(str(kept), "--from", "2026-01-01", "--to", "2026-01-01") == document(str(kept))
    for words in (("--from", "2026-01-02"), ("--to", "2025-12-31")):
        done = mailseal("traffic", str(kept), *words)
        assert done.returncode == 2, done.stdout
        sentence = "counts of 2026-01-01 too, which --from and --to cannot part"
        assert done.stderr == f"mailseal: {kept}: {sentence}\n"


def test_logs_without_a_line_say_so_and_nothing_else(log: Path, tmp_path: Path) -> None:
    """An empty file, and days that are not in it."""
    empty = tmp_path / "empty"
    empty.touch()
    for words in ((str(empty),), (str(log), "--from", "2030-01-01")):
        done = mailseal("traffic", *words)
        assert done.returncode == 3
        _, *rest = done.stdout.splitlines()
        (sentence,) = rest
        assert sentence.startswith("there is no line at all in these logs")


@pytest.mark.parametrize("option", ["--save", "--html"])
def test_what_cannot_be_written_is_said_after_the_figures(log: Path, option: str) -> None:
    """A disk that is full takes no counts, and what took an hour to count is not lost."""
    done = mailseal("traffic", str(log), option, "/dev/full")
    assert "Mails from other servers" in done.stdout
    assert done.stderr == "mailseal: /dev/full: cannot be written (No space left on device)\n"
    assert done.returncode == 2
    assert Path("/dev/full").is_char_device(), "what stands for a device is not replaced"


def test_a_disk_that_fills_leaves_the_counts_from_before(log: Path, tmp_path: Path) -> None:
    """A limit of the size of files stands for the disk: nothing is left beside it either."""
    kept = tmp_path / "kept"
    kept.write_bytes(b"mailseal/tally/before")
    words = f"ulimit -f 4; trap '' XFSZ; {BIN / 'mailseal'} traffic {log} --save {kept}"
    done = run("bash", "-c", words)
    assert "Mails from other servers" in done.stdout
    assert done.stderr == f"mailseal: {kept}: cannot be written (File too large)\n"
    assert done.returncode == 2
    assert list(tmp_path.iterdir()) == [kept]
    assert kept.read_bytes() == b"mailseal/tally/before"


def test_what_is_no_log_of_mail_is_undetermined(tmp_path: Path) -> None:
    path = tmp_path / "passwd"
    path.write_text("root:x:0:0:root:/root:/bin/bash\n")
    done = mailseal("traffic", str(path))
    assert done.returncode == 3
    assert "no line is one of mail" in done.stdout


def test_a_process_that_is_killed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_text("x\n")
    monkeypatch.setattr(work, "count", _killed)
    with pytest.raises(MailsealError, match="a process that read logs was ended"):
        work.tally([tmp_path / "one", tmp_path / "two"], work.Wanted(), jobs=2)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_processes_end_with_the_one_that_began_them(tmp_path: Path, number: int) -> None:
    """Who waits for what the command prints would wait for ever for those that are left."""
    for name in ("one", "two"):
        (tmp_path / name).write_text("x\n")
    words = [
        sys.executable,
        "-m",
        "tests.traffic.idle",
        str(tmp_path / "one"),
        str(tmp_path / "two"),
    ]
    with subprocess.Popen(words, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"reading\n"
        process.send_signal(number)
        assert process.communicate(timeout=30)[0] == b""


def _killed(_part: Part, _wanted: work.Wanted) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
