"""Runs a long build on its host and shows how far it is; Ansible itself would say nothing."""

import json
import re
import shlex
import time
from typing import Any

from ansible.plugins.action import ActionBase

# Between two looks; between two lines about the same step.
PAUSE = 1.0
SILENCE = 15.0
TELLING = re.compile(r"(?i)error|fail|no space|cannot|not found|is not as it is known")
# The runner inherits the lock, and so holds it for as long as it lives. The terminal of this
# command goes before the build has a session of its own.
START = """\
cd -P {home} || exit
exec 9>>lock
if ! flock -w 5 9; then
    echo "busy $(cat pid 2>/dev/null) $(cat status 2>/dev/null)"
    exit
fi
trap '' HUP
# What is built has the modes that hosts need, whatever root's own are here.
umask 022
rm -f result status log environment pid runner
setsid python3 tools/run.py plan.json </dev/null >runner 2>&1 &
"""
# A line each, with its word before it.
LOOK = """\
cd -P {home} || {{ echo gone; exit; }}
test ! -e status || printf 'status %s\\n' "$(cat status)"
if test -e result; then
    printf 'result %s\\n' "$(cat result)"
elif flock -n lock true; then
    test -e result || printf 'gone %s\\n' "$(tail -n 1 runner)"
fi
"""
# Of a number that was written down some day: only if it is the runner, and here.
STOP = """\
cd -P {home} || exit
pid=$(cat pid) || exit
test "$(readlink "/proc/$pid/cwd")" = "$PWD" || exit
tr '\\0' ' ' <"/proc/$pid/cmdline" | grep -q 'tools/run.py plan.json' || exit
kill -s TERM -- "-$pid"
flock -w 10 lock true || kill -s KILL -- "-$pid"
rm -f pid
"""


def reason(words: list[str]) -> str:
    """The line among the last ones that says most."""
    telling = [line for line in words if TELLING.search(line) and "***" not in line]
    return (telling or words or ["it gives no reason"])[-1].strip()


def read(said: str) -> dict[str, str]:
    """What a look brought: `status`, and `result` or `gone` where it has ended."""
    words = (line.strip().partition(" ") for line in said.splitlines())
    return {word: rest for word, _, rest in words if word in {"status", "result", "gone"}}


def ended(found: dict[str, str], release: str) -> dict[str, Any] | None:
    """How the build of this release ended; None while it goes on."""
    failure = {"failed": found.get("status") or "the build"}
    if "result" in found:
        try:
            result: dict[str, Any] = json.loads(found["result"])
        except ValueError:
            return {**failure, "words": ["its result cannot be read"]}
        if result["release"] not in {release, ""}:
            other = f"another run builds {result['release']} there, and this one wants {release}"
            return {**failure, "words": [other]}
        return result
    if "gone" in found:
        last = f": {found['gone']}" if found["gone"] else ""
        return {**failure, "words": [f"it was ended from outside{last}"]}
    return None


class ActionModule(ActionBase):  # type: ignore[misc]
    """Starts the runner of a prepared directory, watches it, and tells how it ended."""

    _requires_connection = True

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:  # noqa: ANN401
        """Do what the task says."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        home, name = self._task.args["directory"], self._task.args["name"]
        self._host = (task_vars or {}).get("inventory_hostname", "")
        limit = float(self._task.args.get("timeout", 3600))
        if self._task.check_mode:
            return {**result, "changed": True}
        began = time.monotonic()
        busy = read_busy(self.shell(START, home))
        if busy:
            return {**result, "failed": True, "msg": f"{name}: {busy}"}
        end = self.watch(name, home, self._task.args["release"], limit)
        if end["failed"]:
            text = f"{name}: {end['failed']} failed: {reason(end['words'])} ({home}/log)"
            return {**result, "failed": True, "msg": text, "words": end["words"]}
        return {
            **result,
            "changed": True,
            "took": round(time.monotonic() - began, 1),
            **{k: end[k] for k in ("seconds", "cpu", "products")},
        }

    def shell(self, script: str, home: str) -> str:
        """What a script prints in the directory of the build."""
        command = script.format(home=shlex.quote(home))
        said: str = self._low_level_execute_command(command)["stdout"]
        return said

    def watch(self, name: str, home: str, release: str, limit: float) -> dict[str, Any]:
        """Show each new step at once and its progress from time to time."""
        shown, when, began = "", 0.0, time.monotonic()
        while True:
            found = read(self.shell(LOOK, home))
            status, now = found.get("status", ""), time.monotonic()
            fresh = status.split(" ", maxsplit=1)[0] != shown.split(" ", maxsplit=1)[0]
            if status and status != shown and (fresh or now - when > SILENCE):
                shown, when = status, now
                self._display.display(f"{self._host}: {name} [{now - began:5.0f} s] {status}")
            end = ended(found, release)
            if end:
                return end
            if now - began > limit:
                self.shell(STOP, home)
                late = f"it takes longer than {limit:.0f} s and was ended"
                return {"failed": status or "the build", "words": [late]}
            time.sleep(PAUSE)


def read_busy(said: str) -> str:
    """Who builds there already, as a sentence; nothing where nobody does."""
    found = re.search(r"^busy (\d*) (.*)$", said.replace("\r", ""), re.MULTILINE)
    if not found:
        return ""
    who = f"process {found[1]}" if found[1] else "somebody who has just begun"
    at = f", now at: {found[2]}" if found[2] else ""
    end = f", or end it (kill -- -{found[1]})" if found[1] else ""
    return f"{who} builds it on this host already{at}; wait for it{end}"
