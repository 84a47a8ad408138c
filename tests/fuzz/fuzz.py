"""Fuzz the parsers with atheris, each for a bounded time: `make fuzz`, or `fuzz.py --help`.

It starts from the seeds and the kept corpus. A crash is shown and lies in `out/fuzz`; only with
`--keep` is anything written to the corpus: what reaches new code, and what crashes.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.fuzz.targets import CORPUS, TARGETS, inputs  # noqa: E402 - the path comes first

LARGEST_INPUT = 2048
_GRACE = 60.0  # for the start and for one last slow input
_STATE = re.compile(r"^#\d+\s+\w+\s+cov: (\d+) ft: \d+ corp: (\d+)/", re.MULTILINE)
_RUNS = re.compile(r"^stat::number_of_executed_units: (\d+)", re.MULTILINE)


@dataclass(frozen=True)
class Session:
    """What came of one target.

    Attributes:
        runs: how often it was called.
        coverage: what libFuzzer counted as reached.
        inputs: those that reach it.
        crash: the input that broke an invariant, if one did.
        log: all that libFuzzer said.
    """

    runs: int
    coverage: int
    inputs: int
    crash: Path | None
    log: str


def run(name: str, seconds: int, found: Path) -> Session:
    """Fuzz one target; new inputs and the crash are left in *found*."""
    with tempfile.TemporaryDirectory() as folder:
        for data in inputs(name).values():
            _save(Path(folder), data)
        crashes = found / "crash"
        crashes.mkdir(parents=True, exist_ok=True)
        options = (
            f"-max_total_time={seconds}",
            f"-artifact_prefix={crashes}/",
            *("-timeout=20", "-report_slow_units=30", "-rss_limit_mb=1024"),
            "-print_final_stats=1",
        )
        (found / "new").mkdir(exist_ok=True)
        log = _engine(name, *options, str(found / "new"), folder, limit=seconds + _GRACE)
    runs, states = _RUNS.search(log), _STATE.findall(log)
    coverage, kept = states[-1] if states else (0, 0)
    crash = next(iter(sorted(crashes.iterdir())), None)
    return Session(int(runs[1]) if runs else 0, int(coverage), int(kept), crash, log)


def keep(name: str, session: Session, found: Path) -> int:
    """Put into the corpus what adds to its coverage, the smallest first; how many files."""
    kept = CORPUS / name
    kept.mkdir(parents=True, exist_ok=True)
    before = len(list(kept.iterdir()))
    if session.crash:
        _save(kept, session.crash.read_bytes())
    else:
        _engine(name, "-merge=1", str(kept), str(found / "new"), limit=600.0)
    return len(list(kept.iterdir())) - before


def _engine(name: str, *options: str, limit: float) -> str:
    # libFuzzer's bound is on the most memory there ever was, which a program has from what it was
    # started by: `timeout` is small, and starts it as a child of its own.
    command = ["timeout", "--signal=KILL", str(limit)]
    command += [sys.executable, "-m", "tests.fuzz.engine", name, f"-max_len={LARGEST_INPUT}"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*command, *options], cwd=ROOT, env=environment, timeout=limit + _GRACE, check=False,
        capture_output=True, text=True, errors="replace",
    )  # fmt: skip
    return done.stderr + done.stdout


def name_of(data: bytes) -> str:
    """The name of an input, as libFuzzer gives it."""
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


def _save(folder: Path, data: bytes) -> None:
    (folder / name_of(data)).write_bytes(data)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz what was asked for; 1 if an invariant was broken."""
    parser = argparse.ArgumentParser(description="Fuzz the parsers of untrusted input.")
    parser.add_argument("target", nargs="*", help=f"of {', '.join(TARGETS)}; default: all")
    parser.add_argument("--seconds", type=int, default=20, help="for each target (default: 20)")
    parser.add_argument("--keep", action="store_true", help="add what was found to the corpus")
    asked = parser.parse_args(arguments)
    if unknown := [name for name in asked.target if name not in TARGETS]:
        parser.error(f"no such target: {', '.join(unknown)}")
    broken = False
    for name in asked.target or TARGETS:
        found = ROOT / "out" / "fuzz" / name
        shutil.rmtree(found, ignore_errors=True)
        session = run(name, asked.seconds, found)
        print(f"{name}: {session.runs} runs, coverage {session.coverage}, {session.inputs} inputs")
        if session.crash or not session.runs:
            broken = True
            print(session.log[-4000:])
            print(f"{name}: broken by {session.crash or 'the fuzzer itself'}")
        if asked.keep and session.runs:
            print(f"{name}: {keep(name, session, found)} inputs more in the corpus")
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
