"""The runner of builds: steps in order, progress to read, failures to understand."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.commands import ROOT

RUN = ROOT / "roles" / "package" / "files" / "run.py"
PLAN: dict[str, Any] = {"release": "1.abc", "sources": {}, "environment": {}, "steps": []}
STEP = {"name": "compile", "tick": "", "count": "", "script": "true"}


def build(home: Path, *steps: dict[str, str], **environment: str) -> dict[str, Any]:
    """Run these steps and return the result that the runner leaves."""
    whole = [{"name": f"step {n}", "tick": "", "count": "", **s} for n, s in enumerate(steps)]
    return told(home, {**PLAN, "environment": environment, "steps": whole})


def told(home: Path, plan: object) -> dict[str, Any]:
    """Run a plan and return the result that the runner leaves."""
    (home / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    subprocess.run([sys.executable, str(RUN), str(home / "plan.json")], check=True, timeout=60)
    found: dict[str, Any] = json.loads((home / "result").read_text(encoding="utf-8"))
    assert not (home / "pid").exists()
    return found


def test_steps_run_in_order_and_are_timed(tmp_path: Path) -> None:
    """Each sees what the one before left."""
    result = build(
        tmp_path,
        {"script": "echo one >made"},
        {"script": "test $(cat made) = one; echo $WORD >two"},
        WORD="said",
    )
    assert result["failed"] == ""
    assert (tmp_path / "two").read_text(encoding="utf-8") == "said\n"
    assert set(result["seconds"]) == set(result["cpu"]) == {"step 0", "step 1"}


def test_the_first_failure_ends_the_build(tmp_path: Path) -> None:
    """With its name and its last words; nothing after it runs."""
    result = build(
        tmp_path,
        {"name": "compile", "script": "echo 'x.c:1: error: no'; false; echo after >after"},
        {"script": "echo never >never"},
    )
    assert result["failed"] == "compile"
    assert result["words"][-1] == "x.c:1: error: no"
    assert not (tmp_path / "after").exists()
    assert not (tmp_path / "never").exists()


def test_progress_is_counted(tmp_path: Path) -> None:
    """Units done of those that there will be, once a second at most."""
    script = "echo 'cc -c a'; sleep 1.2; echo other; echo 'cc -c b'"
    build(tmp_path, {"name": "compile", "script": script, "tick": "-c ", "count": "echo 2"})
    assert (tmp_path / "status").read_text(encoding="utf-8") == "compile 2 of 2\n"


def test_a_step_tells_later_ones_what_it_found(tmp_path: Path) -> None:
    """As the day of the source, which stands for the day of the build."""
    result = build(
        tmp_path,
        {"script": "echo SOURCE_DATE_EPOCH=7 >environment"},
        {"script": "test $SOURCE_DATE_EPOCH = 7"},
    )
    assert result["failed"] == ""


def test_no_step_waits_for_a_terminal(tmp_path: Path) -> None:
    """Whoever reads from it gets nothing, at once."""
    assert build(tmp_path, {"script": "cat; echo done"})["failed"] == ""


def test_all_output_is_kept(tmp_path: Path) -> None:
    """Also what goes to the error output, and what is no UTF-8."""
    build(tmp_path, {"script": "echo out; echo err >&2; printf '\\\\377\\\\n'"})
    text = (tmp_path / "log").read_text(encoding="utf-8")
    assert text.startswith("out\nerr\n")


def test_the_words_are_those_of_the_step_that_failed(tmp_path: Path) -> None:
    """Not of the one before it, which may have spoken of errors."""
    result = build(tmp_path, {"script": "echo error: never mind"}, {"script": "false"})
    assert (result["failed"], result["words"]) == ("step 1", [])


def test_the_result_says_which_build_it_was_and_what_came_out(tmp_path: Path) -> None:
    """By release and by checksum: somebody else may build in the same place right after."""
    result = build(tmp_path, {"script": "mkdir -p product/below; printf x >product/x.deb"})
    assert result["release"] == "1.abc"
    assert result["products"] == {"x.deb": hashlib.sha256(b"x").hexdigest()}
    assert build(tmp_path, {"script": "false"})["products"] == {}


@pytest.mark.parametrize(
    ("digest", "failed"), [(hashlib.sha256(b"x").hexdigest(), ""), ("ab" * 32, "the sources")]
)
def test_a_source_that_was_replaced_is_not_unpacked(
    tmp_path: Path, digest: str, failed: str
) -> None:
    """It was looked at before, and somebody else may have put another there."""
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "x.tar").write_bytes(b"x")
    steps = [{**STEP, "script": "echo >unpacked"}]
    assert (
        told(tmp_path, {**PLAN, "sources": {"x.tar": digest}, "steps": steps})["failed"] == failed
    )
    assert (tmp_path / "unpacked").exists() == (failed == "")


@pytest.mark.parametrize(
    ("plan", "failed", "word"),
    [
        ([], "the build", "TypeError"),
        ({}, "the build", "KeyError"),
        ({**PLAN, "sources": {"gone.tar": ""}}, "the sources", "gone.tar"),
        ({**PLAN, "steps": [{**STEP, "script": None}]}, "compile", "TypeError"),
        ({**PLAN, "steps": [{**STEP, "tick": "("}]}, "compile", "unterminated"),
        ({**PLAN, "steps": [{**STEP, "script": "echo no >environment"}]}, "compile", "ValueError"),
    ],
)
def test_whatever_goes_wrong_is_said(tmp_path: Path, plan: object, failed: str, word: str) -> None:
    """Who watches gets a result in any case, and not only that something was ended."""
    result = told(tmp_path, plan)
    assert result["failed"] == failed
    assert word in result["words"][-1]


def test_a_full_disk_is_said_with_what_is_left(tmp_path: Path) -> None:
    """Of a step that says so, and of the log that cannot be written."""
    result = build(tmp_path, {"script": "echo 'x.o: No space left on device'; false"})
    assert re.search(rf"No space left .*\d MB are free below {tmp_path}", result["words"][-1])
    (tmp_path / "log").unlink()
    (tmp_path / "log").symlink_to("/dev/full")
    result = build(tmp_path, {"name": "compile", "script": "yes"})
    assert result["failed"] == "compile"
    assert "MB are free" in result["words"][-1]
