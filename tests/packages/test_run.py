"""The runner of builds: steps in order, progress to read, failures to understand."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.commands import ROOT

RUN = ROOT / "roles" / "package" / "files" / "run.py"


def build(home: Path, *steps: dict[str, str], **environment: str) -> dict[str, Any]:
    """Run these steps and return the result that the runner leaves."""
    whole = [{"name": f"step {n}", "tick": "", "count": "", **s} for n, s in enumerate(steps)]
    told = {"home": str(home), "environment": environment, "steps": whole}
    (home / "plan.json").write_text(json.dumps(told), encoding="utf-8")
    subprocess.run([sys.executable, str(RUN), str(home / "plan.json")], check=True, timeout=60)
    found: dict[str, Any] = json.loads((home / "result").read_text(encoding="utf-8"))
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
