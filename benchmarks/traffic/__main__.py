"""Measures `mailseal traffic` beside eximstats and pflogsumm; writes docs/benchmarks-traffic.md.

    python -m benchmarks.traffic

Makes logs of mails that never were (the same for the same number of lines), gets the peers from
Debian's packages without installing them, and runs all in turn, several times over, so that a
machine whose speed drifts is the same for all. The peers make their own reports, which have
nothing of TLS in them: what is compared is a whole report each.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing import Process
from pathlib import Path

from benchmarks.traffic import made, made_postfix

BIN = Path(sys.executable).parent
PAGE = Path(__file__).parent.parent.parent / "docs" / "benchmarks-traffic.md"
PEERS = {
    "eximstats": ("exim4-base", "usr/sbin/eximstats"),
    "pflogsumm": ("pflogsumm", "usr/sbin/pflogsumm"),
}


@dataclass
class Program:
    """What is measured: a name, what to run, the peer it is compared with, and what came out."""

    name: str
    words: Sequence[str]
    peer: str
    seconds: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)  # MiB, of the largest process

    def run(self) -> None:
        """Once more."""
        begun = time.monotonic()
        process = subprocess.Popen(
            self.words, stdout=subprocess.DEVNULL, env={**os.environ, "LC_ALL": "C"}
        )
        _, status, usage = os.wait4(process.pid, 0)
        if os.waitstatus_to_exitcode(status):
            raise SystemExit(f"{self.name} ended with {os.waitstatus_to_exitcode(status)}")
        process.returncode = 0
        self.seconds.append(time.monotonic() - begun)
        self.memory.append(usage.ru_maxrss / 1024)


def main() -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--lines", type=int, default=2_000_000, help="of each log (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="of everything (%(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        programs = _programs(folder, options.lines)
        for number in range(options.rounds):
            for program in programs:
                program.run()
                print(f"round {number + 1}: {program.name} {program.seconds[-1]:.1f} s", flush=True)
    PAGE.write_text(_page(programs, options.lines, options.rounds), encoding="utf-8")
    return 0


def _programs(folder: Path, lines: int) -> list[Program]:
    exim, ten, postfix = folder / "mainlog", folder / "ten", folder / "mail.log"
    for write, path, count in (
        (made.write, exim, lines),
        (made.write, ten, 10 * lines),
        (made_postfix.write, postfix, lines),
    ):
        # Not here: what is begun by a large process counts as large as that.
        writer = Process(target=write, args=(path, count))
        writer.start()
        writer.join()
    packed = folder / "mainlog.gz"
    subprocess.run(("gzip", "-k", str(exim)), check=True)
    scripts = {name: ("perl", str(_unpacked(folder, *of))) for name, of in PEERS.items()}
    ours = (str(BIN / "mailseal"), "traffic", "--jobs")
    return [
        Program("eximstats", (*scripts["eximstats"], str(exim)), "eximstats"),
        Program("mailseal, one process", (*ours, "1", str(exim)), "eximstats"),
        Program("mailseal, two processes", (*ours, "2", str(exim)), "eximstats"),
        Program("mailseal, one process, gz", (*ours, "1", str(packed)), "eximstats"),
        Program("mailseal, one process, ten times the lines", (*ours, "1", str(ten)), ""),
        Program("pflogsumm", (*scripts["pflogsumm"], str(postfix)), "pflogsumm"),
        Program("mailseal, Postfix, one process", (*ours, "1", str(postfix)), "pflogsumm"),
    ]


def _unpacked(folder: Path, package: str, script: str) -> Path:
    """A script of a Debian package, which is not installed."""
    subprocess.run(("apt-get", "download", "-qq", package), cwd=folder, check=True)
    (archive,) = folder.glob(f"{package}_*.deb")
    subprocess.run(("dpkg", "-x", str(archive), str(folder / package)), check=True)
    return folder / package / script


def _page(programs: Sequence[Program], lines: int, rounds: int) -> str:
    median = {program.name: statistics.median(program.seconds) for program in programs}
    rows = [
        f"| {p.name} | {median[p.name]:.1f} | {min(p.seconds):.1f}-{max(p.seconds):.1f} |"
        f" {max(p.memory):.0f} | {f'{median[p.peer] / median[p.name]:.1f}' if p.peer else ''} |"
        for p in programs
    ]
    return "\n".join(
        (
            "# Mail logs: how fast, beside other tools",
            "",
            (
                "Written by `python -m benchmarks.traffic`. Logs of"
                f" {lines:,} lines each (`benchmarks/traffic/made*.py`), {rounds} rounds of"
                f" everything in turn on {os.cpu_count()} processors, wall clock. Memory is that of"
                " the largest process."
            ),
            "",
            "| program | median s | s | MiB | times as fast as its peer |",
            "|---|---|---|---|---|",
            *rows,
            "",
        )
    )


if __name__ == "__main__":
    sys.exit(main())
