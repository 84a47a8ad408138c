"""The table of reporters and the file a report ends in."""

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from audit.errors import MailsealError
from audit.past import NO_PAST
from audit.report import REPORTERS, Reporter, render, wanted, write
from audit.report.html import html_document
from audit.report.json import run_document, scan_document
from audit.report.jsonl import lines_document
from audit.report.junit import junit_document
from audit.report.oscal import oscal_document
from audit.report.prometheus import prometheus_document
from audit.report.sarif import sarif_document
from audit.report.terminal import text_document
from audit.written import writable
from tests.report.report_factories import lab_past, lab_run, make_finding, make_run, worst_run

TYPED: dict[str, Reporter] = {
    "html": html_document,
    "json": run_document,
    "json-scan": scan_document,
    "jsonl": lines_document,
    "junit": junit_document,
    "oscal": oscal_document,
    "prometheus": prometheus_document,
    "sarif": sarif_document,
    "text": text_document,
}


def test_every_name_in_the_table_is_a_reporter() -> None:
    """Each name of the table leads to the function that mypy knows as a Reporter."""
    assert sorted(TYPED) == sorted(REPORTERS)
    for name, reporter in TYPED.items():
        assert reporter(lab_run()) == render(lab_run(), name)


@pytest.mark.parametrize("name", REPORTERS)
def test_every_reporter_takes_a_past(name: str) -> None:
    """And says the same each time it is asked; no past is the same as none given."""
    once = render(lab_run(), name, lab_past())
    assert once == render(lab_run(), name, lab_past())
    assert render(lab_run(), name, NO_PAST) == render(lab_run(), name)


@pytest.mark.parametrize("name", REPORTERS)
def test_a_run_without_findings_can_be_reported(name: str) -> None:
    """Not even one check made is still a report, and none that says all is well.

    Of JSON Lines it has no line.
    """
    report = render(make_run(planned=3), name)
    assert bool(report) == (name != "jsonl")
    assert b"checks hold" not in report


@pytest.mark.parametrize("name", REPORTERS)
def test_an_unknown_check_is_reported(name: str) -> None:
    """A run of a newer mailseal with a check that this one does not know is shown all the same."""
    assert b"MT-FUTURE" in render(make_run(make_finding(check="MT-FUTURE")), name)


@pytest.mark.parametrize("name", REPORTERS)
def test_ten_thousand_failures_are_reported_in_bounded_time_and_size(name: str) -> None:
    """25 hosts on which every check fails, each with words of its own."""
    run = worst_run()
    started = time.process_time()
    size = len(render(run, name))
    assert len(run.findings) > 10_000
    assert time.process_time() - started < 30
    assert size < 40_000_000


def test_importing_the_package_loads_no_library() -> None:
    """`mailseal --help` waits for none of the reporters' libraries."""
    heavy = "('jinja2', 'msgspec', 'prometheus_client', 'pygal', 'xml')"
    code = f"import sys, audit.report; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_a_report_is_written_with_the_users_permissions(tmp_path: Path) -> None:
    """The file has the mode the umask gives, not that of a temporary file."""
    path = tmp_path / "report.html"
    old = os.umask(0o027)
    try:
        write(lab_run(), "html", path)
    finally:
        os.umask(old)
    assert path.read_bytes() == render(lab_run(), "html")
    assert path.stat().st_mode & 0o777 == 0o640


def test_an_old_report_is_replaced_at_once_and_nothing_is_left(tmp_path: Path) -> None:
    """A new file takes the old one's place; a reader who has the old one open keeps it whole."""
    path = tmp_path / "run.json"
    path.write_text("old")
    with path.open() as reader:
        write(lab_run(), "json", path)
        assert reader.read() == "old"
    assert [path] == list(tmp_path.iterdir())


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """The file behind a symbolic link is replaced, not the link."""
    (tmp_path / "latest.json").symlink_to("run.json")
    write(lab_run(), "json", tmp_path / "latest.json")
    assert (tmp_path / "latest.json").is_symlink()
    assert (tmp_path / "run.json").is_file()


def test_a_device_is_written_to() -> None:
    """/dev/null is still a device afterwards, also for root."""
    write(lab_run(), "json", Path("/dev/null"))
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("name", ["missing/report.html", "directory", "/"])
def test_a_path_that_cannot_be_written_is_named(tmp_path: Path, name: str) -> None:
    """One sentence names the path; no temporary file is left behind."""
    (tmp_path / "directory").mkdir()
    with pytest.raises(MailsealError, match=f"{name}: cannot be written") as caught:
        write(lab_run(), "html", tmp_path / name)
    assert caught.value.exit_code == 2
    assert [tmp_path / "directory"] == list(tmp_path.iterdir())


def test_an_unknown_format_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    """The sentence names what was asked for and what there is."""
    with pytest.raises(MailsealError, match="'pdf': one of html, json"):
        write(lab_run(), "pdf", tmp_path / "x")


def test_what_is_wanted_is_each_report_and_the_usual_ones(tmp_path: Path) -> None:
    """Of --report in its order, then those of --out, whose directory is made."""
    out = tmp_path / "a" / "b"
    found = wanted([f"sarif={out}/x=1.sarif"], out)
    assert found[0] == ("sarif", out / "x=1.sarif")
    assert {path.name for _, path in found[1:]} == {"run.json", "junit.xml", "report.html"}
    assert out.is_dir()


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("sarif", "must be FORMAT=FILE"),
        ("sarif=", "must be FORMAT=FILE"),
        ("pdf=x", "the formats are html, json, .*text"),
        ("=x", "the formats are"),
        ("html=missing/x", "there is no directory missing"),
        ("html=tests", "that is a directory"),
    ],
)
def test_a_wrong_wish_is_one_sentence(word: str, sentence: str) -> None:
    """It names what was asked for, and ends with the code of wrong usage."""
    with pytest.raises(MailsealError, match=f"^--report {word}: {sentence}") as caught:
        wanted([word])
    assert caught.value.exit_code == 2


def test_two_reports_do_not_go_to_one_file(tmp_path: Path) -> None:
    """However it is named; a device takes any number."""
    (tmp_path / "link").symlink_to(tmp_path / "x")
    for words, out in (
        ([f"html={tmp_path}/x", f"json={tmp_path}/link"], None),
        ([f"json={tmp_path}/report.html"], tmp_path),
    ):
        with pytest.raises(MailsealError, match="two reports would go there"):
            wanted(words, out)
    assert len(wanted(["html=/dev/null", "json=/dev/null"])) == 2


def test_a_link_to_itself_is_no_traceback(tmp_path: Path) -> None:
    """The report takes its place."""
    loop = tmp_path / "loop"
    loop.symlink_to("loop")
    write(make_run(), "jsonl", loop)
    assert loop.is_file()


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """Before anything is looked at."""
    (tmp_path / "file").touch()
    with pytest.raises(MailsealError, match="file/out: cannot be made"):
        wanted([], tmp_path / "file" / "out")


def test_a_name_of_any_length_that_a_file_may_have_is_written(tmp_path: Path) -> None:
    """What it is called while it is written is no longer than that."""
    path = tmp_path / f"{'é' * 125}.html"
    writable(path)
    write(make_run(), "jsonl", path)
    assert [path] == list(tmp_path.iterdir())


def test_what_could_not_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    """A name that is too long, a directory; of --report and of --out."""
    long = tmp_path / f"{'x' * 252}.html"
    for word in (f"html={long}", f"html={long}/x"):
        with pytest.raises(MailsealError, match=f"^--report {word}: cannot be written"):
            wanted([word])
    (tmp_path / "run.json").mkdir()
    with pytest.raises(MailsealError, match=r"run\.json: that is a directory"):
        wanted([], tmp_path)
    assert [tmp_path / "run.json"] == list(tmp_path.iterdir())


def test_looking_whether_it_can_be_written_changes_nothing(tmp_path: Path) -> None:
    """Neither the old report nor the directory; a full disk is none of its business."""
    path = tmp_path / "old.html"
    path.write_text("old")
    path.chmod(0o640)
    writable(path)
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("old", 0o640)
    assert [path] == list(tmp_path.iterdir())


def test_a_full_disk_is_no_reason_not_to_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is read-only is: that does not pass."""

    def fail(code: int) -> None:
        def refuse(*_: object) -> int:
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr("audit.report.reporters.os.open", refuse)

    fail(errno.ENOSPC)
    writable(tmp_path / "x")
    fail(errno.EROFS)
    with pytest.raises(MailsealError, match="cannot be written"):
        writable(tmp_path / "x")


def test_what_a_killed_writer_has_left_is_removed_by_the_next(tmp_path: Path) -> None:
    """That of one that lives is not, nor what only looks alike."""
    path = tmp_path / "run.json"
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left = [tmp_path / f".run.json.{number}.tmp" for number in (dead.pid, 2**40)]
    others = [tmp_path / f".run.json.{word}.tmp" for word in (1, "x", "")]
    for file in (*left, *others, tmp_path / f".other.json.{dead.pid}.tmp"):
        file.touch()
    write(make_run(), "jsonl", path)
    assert not any(file.exists() for file in left)
    assert all(file.exists() for file in others)
    assert (tmp_path / f".other.json.{dead.pid}.tmp").exists()


def test_nobody_leads_a_report_elsewhere(tmp_path: Path) -> None:
    """A link under the name that it has while it is written is not followed."""
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / f".run.json.{os.getpid()}.tmp").symlink_to(victim)
    write(lab_run(), "json", tmp_path / "run.json")
    assert victim.read_text() == "mine"
    assert not (tmp_path / "run.json").is_symlink()
