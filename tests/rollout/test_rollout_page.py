"""The page of a rollout, the list and the JSON: what they say, and what is hostile stays text."""

import io
import json
import re
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest
from msgspec.structs import replace

from audit.cli import main
from audit.report.rollout_page import rollout_page
from audit.report.rollouts import rollout_document, rollouts_document, show, show_list
from audit.report.strip import lasted, strip
from audit.rollout import events as ev
from audit.rollout.record import Record
from audit.written import put
from tests.commands import ROOT
from tests.report.report_factories import HOSTILE
from tests.rollout import rollout_factories as made
from tests.rollout.rollout_factories import STARTED, Script, told

ALL = (made.good, made.stopped, made.killed, made.unchanged, made.looked, made.by_hand)


def page(events: list[ev.Event]) -> str:
    """The page of a record."""
    return rollout_page(told(events)).decode()


def hostile() -> list[ev.Event]:
    """A rollout in which every text is an attack."""
    script = Script()
    host = "mx1</title><script>document.title='owned'</script>"
    script.batch(1, (host,))
    script.lines.append(ev.Phase(at=script.at(1), host=host, phase=f"change{HOSTILE}"))
    script.lines.append(ev.Changed(at=script.at(2), host=host, task=HOSTILE))
    script.lines.append(ev.Diff(at=script.at(2), host=host, path=HOSTILE, lines=(f"+{HOSTILE}",)))
    script.lines.append(
        ev.Package(at=script.at(2), host=host, name=HOSTILE, before=HOSTILE, after="1")
    )
    script.lines.append(ev.Failed(at=script.at(3), host=host, task=HOSTILE, why=HOSTILE))
    script.over({host: 3})
    return script.close(host).lines


@pytest.mark.parametrize("lines", ALL, ids=lambda f: f.__name__)
def test_the_page_needs_nothing_from_elsewhere(lines: object) -> None:
    """No address but those of its own places."""
    text = page(lines())  # type: ignore[operator]
    for word in ("http:", "https:", "src=", "@import", "url(", "style=", "onload="):
        assert word not in text.replace("default-src 'none'; style-src", "")


def test_the_page_says_why_and_what() -> None:
    """The sentence, the difference with its signs, the finding that is new, and what was fixed."""
    text = page(made.stopped())
    for words in (
        '<h1 class="fail">msa1 did not pass, went back and is as before</h1>',
        "<del>-smtp_accept_max = 100</del><ins>+smtp_accept_max = 400</ins>",
        "MT-AUTH-BEFORE-TLS",
        ">new</span>",
        "Fixed against before",
        "put back again",
        'aria-label="msa1: pre-flight 4.0 s, change 9.0 s',
        "Set by hand (-e)",
    ):
        assert words in text


def test_what_went_wrong_comes_first() -> None:
    """Of the hosts."""
    text = page(made.stopped())
    places = [text.index(f'<span class="id">{host}<') for host in ("msa1", "mx1", "imap1")]
    assert places == sorted(places)


def test_a_rollout_that_was_killed_says_so_loudly() -> None:
    """Below the sentence, and nothing on the page is a pass but what passed."""
    text = page(made.killed())
    assert "This rollout did NOT come to its end" in text
    assert '<h1 class="inconclusive">It did not come to its end' in text


def test_hostile_texts_stay_text() -> None:
    """Hosts, files, packages, tasks and reasons."""
    text = page(hostile())
    assert text.count("<script>") == 1
    assert "<script>document.title" not in text
    assert "\u202e" not in text
    assert "\x00" not in text


def test_the_terminal_obeys_nobody() -> None:
    """Control characters are shown, not sent."""
    file = io.StringIO()
    found = told(hostile())
    names = {"id": HOSTILE, "playbook": HOSTILE}
    show(replace(found, **names), file)
    show_list([replace(found, **names), (HOSTILE, HOSTILE)], Path(HOSTILE), file)
    assert "\x1b" not in file.getvalue()
    assert "\u202e" not in file.getvalue()


@pytest.mark.parametrize("lines", [*ALL, hostile], ids=lambda f: f.__name__)
def test_the_documents_are_as_their_schemas_say(lines: object) -> None:
    """And one without a key is not."""
    found = told(lines())  # type: ignore[operator]
    for name, document in (
        ("rollout-1.json", rollout_document(found)),
        ("rollouts-1.json", rollouts_document([found, ("x", "it is damaged")])),
    ):
        schema = json.loads((ROOT / "docs" / "schema" / name).read_text())
        validator = jsonschema.Draft202012Validator(schema)
        content = json.loads(document)
        validator.validate(content)
        content.pop("schema")
        assert not validator.is_valid(content)


def test_bars_lie_within_the_picture_and_in_their_batch() -> None:
    """In percent, from left to right; every host is once in a batch."""
    picture = strip(told(made.stopped()))
    lanes = [lane for group in picture.groups for lane in group.lanes]
    assert [lane.host.host for lane in lanes] == ["ns1", "mx1", "mx2", "msa1", "imap1", "imap2"]
    for lane in lanes:
        for bar in lane.bars:
            assert 0 <= bar.at <= 100
            assert bar.at + bar.width <= 100.5
    assert len(lanes[1].bars) == 7
    assert lanes[-1].words == "nothing was done"
    assert 2 <= len(picture.marks) <= 9


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (9.9, "9.9 s"), (59.4, "59 s"), (60, "1 min"), (200, "3 min 20 s"),
     (3600, "1 h"), (7500, "2 h 5 min")],
)  # fmt: skip
def test_times_as_people_say_them(seconds: float, words: str) -> None:
    """Tenths only where they matter."""
    assert lasted(seconds) == words


def record(directory: Path, lines: list[ev.Event]) -> str:
    """A record of these lines."""
    one = Record(directory, STARTED)
    one.write(lines)
    one.close()
    return one.id


def test_the_command_lists_tells_and_writes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With exit codes as the README has them, and damage in one sentence."""
    where = ("--directory", str(tmp_path / "rollouts"))
    assert main(["rollout", *where]) == 0
    assert "no rollout is recorded in" in capsys.readouterr().out
    good = record(tmp_path / "rollouts", made.good())
    assert main(["rollout", "latest", *where]) == 0
    assert "Batch 3, 2 hosts" in capsys.readouterr().out
    record(tmp_path / "rollouts", made.stopped())
    assert main(["rollout", "latest", *where]) == 1
    assert "msa1  ↩ went back" in capsys.readouterr().out
    record(tmp_path / "rollouts", made.killed())
    output = tmp_path / "page.html"
    assert main(["rollout", "latest", *where, "-o", str(output)]) == 3
    assert output.read_bytes().startswith(b"<!DOCTYPE html>")
    assert main(["rollout", "latest", *where, "-o", "/"]) == 2
    assert capsys.readouterr().err == "mailseal: /: cannot be written (Is a directory)\n"
    assert main(["rollout", good, *where, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["course"] == "finished"
    (tmp_path / "rollouts" / f"{good}.jsonl").write_text("damaged\n")
    assert main(["rollout", *where]) == 0
    assert f"{good}  cannot be read" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("latest",), "no rollout is recorded there"),
        (("-o", "x.html"), "-o wants the name of a rollout"),
    ],
)
def test_wrong_usage_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], sentence: str
) -> None:
    """And exit code 2."""
    assert main(["rollout", *words, "--directory", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


def test_an_error_does_no_harm_to_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A record says what it likes, and the sentence about it is one line of characters."""
    told = b'{"event": "opened", "schema": "mailseal/rollout-record/1"}\n'
    for line in (
        told.replace(b"opened", b"\\u001b[2J\\u202e\\n"),
        b'{"schema": "%b"}\n' % (b"y" * 9999),
    ):
        (tmp_path / "20261128T023004Z.jsonl").write_bytes(line)
        assert main(["rollout", "latest", "--directory", str(tmp_path)]) == 2
        said = capsys.readouterr().err
        assert said.rstrip("\n").isprintable()
        assert len(said) < 5000


def test_a_private_file_is_its_owner_s_alone(tmp_path: Path) -> None:
    """Whatever the umask says; another has what the umask leaves."""
    put(b"x", tmp_path / "private", private=True)
    put(b"x", tmp_path / "other")
    assert (tmp_path / "private").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "other").stat().st_mode & 0o777 != 0o600


@pytest.mark.parametrize("year", [1, 9999])
@pytest.mark.parametrize("zone", ["+14:00", "-12:00"])
def test_a_record_of_the_first_or_last_day_is_told(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], year: int, zone: str
) -> None:
    """A clock may be wrong by any number of years; the page, the list and the JSON are there."""
    name = f"{year:04}1231T235900Z"
    record = Record(tmp_path, STARTED)
    record.write(made.good())
    record.close()
    lines = record.path.read_text()
    for second, stamp in enumerate(sorted(set(re.findall(r"2026-[^\"]*Z", lines)))):
        lines = lines.replace(stamp, f"{year:04}-12-31T23:{second // 60:02}:{second % 60:02}{zone}")
    (tmp_path / f"{name}.jsonl").write_text(lines)
    out = tmp_path / "page.html"
    given = ["--directory", str(tmp_path)]
    for words in ([], ["--json"], [name], [name, "--json"], [name, "-o", str(out)]):
        assert main(["rollout", *words, *given]) == 0
    assert capfd.readouterr().err == ""
    assert "23:00:" in out.read_text()
