"""Runs the steps of a build, one after the other, and keeps saying how far it is.

    run.py PLAN

PLAN is JSON: home, environment, steps. In the directory `home` it writes `status` (a line, for who
watches), `log` (all output) and, at the end, `result`: failed (a step, or nothing), words (the last
lines), seconds and cpu (of each step: how long, and how much work).
Nothing but the standard library: a build host needs no more than Python.
"""

import json
import re
import resource
import subprocess
import sys
import time
from pathlib import Path

LAST_WORDS = 12


def children() -> float:
    """Seconds of processor time of all that was started and has ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Build:
    """One build in one directory."""

    def __init__(self, plan: dict) -> None:
        """Take what there is to do."""
        self.home = Path(plan["home"])
        self.steps = plan["steps"]
        self.environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL": "C",
            "TZ": "UTC",
            "HOME": str(self.home),
            "SOURCES": str(self.home / "sources"),
            "TOOLS": str(self.home / "tools"),
            **plan["environment"],
        }
        self.words: list[str] = []
        self.seconds: dict[str, float] = {}
        self.cpu: dict[str, float] = {}

    def run(self) -> str:
        """Do every step; return the name of the one that failed, or nothing."""
        with (self.home / "log").open("w", encoding="utf-8", buffering=1) as log:
            for step in self.steps:
                if self.step(step, log):
                    return str(step["name"])
        return ""

    def step(self, step: dict, log) -> int:  # noqa: ANN001 - any file
        """Do one step and count as its output comes."""
        name, done, last = step["name"], 0, 0.0
        self.say(name)
        total = self.count(step["count"])
        tick = re.compile(step["tick"]) if step["tick"] else None
        script = self.home / "step"
        script.write_text(step["script"], encoding="utf-8")
        began, used = time.monotonic(), children()
        with subprocess.Popen(
            ["sh", "-e", str(script)],
            cwd=self.home,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            for line in process.stdout:
                log.write(line)
                if line.strip():
                    self.words = [*self.words[1 - LAST_WORDS :], line.rstrip()[:300]]
                if tick and tick.search(line):
                    done += 1
                    if time.monotonic() - last > 1:
                        last = time.monotonic()
                        self.say(f"{name} {done} of {total}" if total >= done else f"{name} {done}")
        self.seconds[name] = round(time.monotonic() - began, 1)
        self.cpu[name] = round(children() - used, 1)
        known = self.home / "environment"
        if known.exists():
            pairs = (line.split("=", 1) for line in known.read_text().splitlines())
            self.environment.update(dict(pairs))
        return process.returncode

    def count(self, script: str) -> int:
        """How many units a step has; 0 if that cannot be told."""
        if not script:
            return 0
        done = subprocess.run(
            ["sh", "-c", script],
            cwd=self.home,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return int(done.stdout) if done.stdout.strip().isdigit() else 0

    def say(self, text: str) -> None:
        """Replace the line for who watches."""
        new = self.home / "status.new"
        new.write_text(text + "\n", encoding="utf-8")
        new.replace(self.home / "status")


def main() -> None:
    """Build, and leave the result in one rename."""
    plan = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    build = Build(plan)
    try:
        failed = build.run()
    except OSError as error:
        failed, build.words = "the build", [str(error)]
    words = build.words if failed else []
    result = {"failed": failed, "words": words, "seconds": build.seconds, "cpu": build.cpu}
    new = build.home / "result.new"
    new.write_text(json.dumps(result), encoding="utf-8")
    new.replace(build.home / "result")


if __name__ == "__main__":
    main()
