"""Measures `mailseal traffic` beside eximstats and pflogsumm; writes docs/benchmarks.md.

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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing import Process
from pathlib import Path

from benchmarks import page
from benchmarks.traffic import made, made_postfix

BIN = Path(sys.executable).parent
MANY = 400_000  # hosts; else there are a tenth of them
# What an installation without a compiler does.
NOT_COMPILED = """import sys
sys.modules["audit.traffic.exim_native"] = sys.modules["audit.traffic.syslog_native"] = None
from audit.start import command
command()"""
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
    busy: list[float] = field(default_factory=list)  # seconds of processors
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
        self.busy.append(usage.ru_utime + usage.ru_stime)
        self.memory.append(usage.ru_maxrss / 1024)


def main() -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--lines", type=int, default=2_000_000, help="of each log (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="of everything (%(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        programs, load = _programs(folder, options.lines), os.getloadavg()[0]
        for number in range(options.rounds):
            for program in programs:
                program.run()
                print(f"round {number + 1}: {program.name} {program.seconds[-1]:.1f} s", flush=True)
    page.write("traffic", _section(programs, options.lines, options.rounds, load))
    return 0


def _programs(folder: Path, lines: int) -> list[Program]:
    exim, many, postfix = folder / "mainlog", folder / "many", folder / "mail.log"
    writers = (
        # Not here: what is begun by a large process counts as large as that.
        Process(target=made.write, args=(exim, lines)),
        Process(target=made.write, args=(many, lines), kwargs={"hosts": MANY}),
        Process(target=made_postfix.write, args=(postfix, lines)),
    )
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    packed = folder / "mainlog.gz"
    subprocess.run(("gzip", "-k", str(exim)), check=True)
    scripts = {name: ("perl", str(_unpacked(folder, *of))) for name, of in PEERS.items()}
    ours = (str(BIN / "mailseal"), "traffic", "--jobs")
    pure = (sys.executable, "-c", NOT_COMPILED, *ours[1:])
    return [
        Program("eximstats", (*scripts["eximstats"], str(exim)), "eximstats"),
        Program("mailseal, one process", (*ours, "1", str(exim)), "eximstats"),
        Program("mailseal, two processes", (*ours, "2", str(exim)), "eximstats"),
        Program("mailseal, one process, gz", (*ours, "1", str(packed)), "eximstats"),
        Program("mailseal, one process, ten times the lines", (*ours, "1", *[str(exim)] * 10), ""),
        Program("mailseal, one process, ten times the hosts", (*ours, "1", str(many)), ""),
        Program("mailseal, one process, not compiled", (*pure, "1", str(exim)), "eximstats"),
        Program("pflogsumm", (*scripts["pflogsumm"], str(postfix)), "pflogsumm"),
        Program("mailseal, Postfix, one process", (*ours, "1", str(postfix)), "pflogsumm"),
        Program("mailseal, Postfix, two processes", (*ours, "2", str(postfix)), "pflogsumm"),
        Program("mailseal, Postfix, not compiled", (*pure, "1", str(postfix)), "pflogsumm"),
    ]


def _unpacked(folder: Path, package: str, script: str) -> Path:
    """A script of a Debian package, which is not installed."""
    subprocess.run(("apt-get", "download", "-qq", package), cwd=folder, check=True)
    (archive,) = folder.glob(f"{package}_*.deb")
    subprocess.run(("dpkg", "-x", str(archive), str(folder / package)), check=True)
    return folder / package / script


def _section(programs: Sequence[Program], lines: int, rounds: int, load: float) -> str:
    median = {program.name: statistics.median(program.seconds) for program in programs}
    busy = {program.name: statistics.median(program.busy) for program in programs}
    rows = [
        f"| {p.name} | {median[p.name]:.1f} ({min(p.seconds):.1f}-{max(p.seconds):.1f}) |"
        f" {busy[p.name]:.1f} | {max(p.memory):.0f} |"
        f" {_ratio(median, p)} | {_ratio(busy, p)} |"
        for p in programs
    ]
    return f"""## Mail logs, beside eximstats and pflogsumm

Logs of {lines:,} lines each (`benchmarks/traffic/made*.py`; {made.HOSTS:,} other hosts); {rounds}
round(s) of everything in turn on {os.cpu_count()} processors: medians, the smallest and the largest
in brackets. The load average was {load:.1f} as it began: what others have to do lengthens the clock
and hardly the processors' time, so how many times as fast as its peer a program is stands here by
both. Memory is that of the largest process. Each makes its own report; the peers' have nothing
of TLS in them.

| program | s | processors, s | MiB | times, by the clock | by processors' time |
| --- | --- | --- | --- | --- | --- |
{chr(10).join(rows)}"""


def _ratio(seconds: Mapping[str, float], program: Program) -> str:
    """How many times as fast as its peer."""
    return f"{seconds[program.peer] / seconds[program.name]:.1f}" if program.peer else ""


if __name__ == "__main__":
    sys.exit(main())
