"""Runs the steps of a build, one after the other, and keeps saying how far it is.

    run.py PLAN

PLAN is JSON: release, sources (SHA-256 by name), environment, steps. Beside it are written `pid`
while it runs, `status` (a line, for who watches), `log` (all output) and, at the end, `result`:
release (which build it was), failed (a step, or nothing), words (the last lines of that step),
seconds and cpu (of each step: how long, and how much work), products (SHA-256 of what came out, by
name). Whoever starts it holds a lock on the directory; this process has it until it ends.
Nothing but the standard library: a build host needs no more than Python.
"""

import hashlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

LAST_WORDS = 12
# What is given up at the end: on a full disk a result can be written all the same.
RESERVE = 65536
FULL = "No space left on device"


def children() -> float:
    """Seconds of processor time of all that was started and has ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Build:
    """One build in one directory."""

    def __init__(self, home: Path) -> None:
        """Say who is at it."""
        self.home = home
        self.release = ""
        self.at = "the build"
        self.words: list[str] = []
        self.seconds: dict[str, float] = {}
        self.cpu: dict[str, float] = {}
        self.environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL": "C",
            "TZ": "UTC",
            "HOME": str(home),
            "SOURCES": str(home / "sources"),
            "TOOLS": str(home / "tools"),
        }

    def run(self, plan: dict) -> bool:
        """Do every step; return whether all went well."""
        self.release = plan["release"]
        self.environment.update(plan["environment"])
        if not self.pinned(plan["sources"]):
            return False
        with (self.home / "log").open("w", encoding="utf-8", buffering=1) as log:
            return all(self.step(step, log) == 0 for step in plan["steps"])

    def pinned(self, sources: dict) -> bool:
        """Whether every source is still the one that was looked at: others may use the place."""
        self.at = "the sources"
        for name, wanted in sources.items():
            if digest(self.home / "sources" / name) != wanted:
                self.words = [f"{name} is not the one that is pinned"]
                return False
        return True

    def step(self, step: dict, log) -> int:  # noqa: ANN001 - any file
        """Do one step and count as its output comes."""
        name, done, last = step["name"], 0, 0.0
        self.at, self.words = name, []
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
            try:
                for line in process.stdout:
                    log.write(line)
                    if line.strip():
                        self.words = [*self.words[1 - LAST_WORDS :], line.rstrip()[:300]]
                    if tick and tick.search(line):
                        done += 1
                        if time.monotonic() - last > 1:
                            last = time.monotonic()
                            self.say(
                                f"{name} {done} of {total}" if total >= done else f"{name} {done}"
                            )
            except BaseException:
                # Nobody reads what it says any more.
                process.kill()
                raise
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

    def products(self) -> dict[str, str]:
        """What came out."""
        found = sorted((self.home / "product").glob("*"))
        return {path.name: digest(path) for path in found if path.is_file()}

    def leave(self, result: dict) -> None:
        """Leave the result in one rename."""
        (self.home / "reserve").unlink(missing_ok=True)
        new = self.home / "result.new"
        new.write_text(json.dumps(result), encoding="utf-8")
        new.replace(self.home / "result")
        (self.home / "pid").unlink(missing_ok=True)


def main() -> None:
    """Build, and say how that ended, however it did."""
    build, good, products = Build(Path(sys.argv[1]).resolve().parent), False, {}
    try:
        (build.home / "pid").write_text(f"{os.getpid()}\n", encoding="ascii")
        (build.home / "reserve").write_bytes(bytes(RESERVE))
        good = build.run(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
        products = build.products() if good else {}
    except OSError as error:
        good, build.words = False, [str(error)]
    except Exception as error:  # noqa: BLE001 - whatever it is, somebody waits for a sentence
        good, build.words = False, [f"{type(error).__name__}: {error}"]
    if not good and any(FULL in line for line in build.words):
        free = shutil.disk_usage(build.home).free >> 20
        build.words.append(f"{FULL}: {free} MB are free below {build.home}")
    build.leave(
        {
            "release": build.release,
            "failed": "" if good else build.at,
            "words": [] if good else build.words,
            "seconds": build.seconds,
            "cpu": build.cpu,
            "products": products,
        }
    )
    if not good and os.getpgrp() == os.getpid():
        # Nothing of a build that failed goes on beside the next one.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.killpg(0, signal.SIGTERM)


if __name__ == "__main__":
    main()
