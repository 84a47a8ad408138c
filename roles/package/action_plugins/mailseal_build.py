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
# The terminal of this command goes before the build has a session of its own.
START = """\
cd {home} || exit
trap '' HUP
test ! -s pid || kill -- "-$(cat pid)" 2>/dev/null
rm -f result status log environment
setsid {python} tools/run.py plan.json </dev/null >runner 2>&1 &
echo $! >pid
"""
LOOK = """\
cd {home} && cat status 2>/dev/null; echo @
test ! -e result || cat result; echo @
test -e result || kill -0 "$(cat pid)" 2>/dev/null || echo gone
"""


def reason(words: list[str]) -> str:
    """The line among the last ones that says most."""
    telling = [line for line in words if TELLING.search(line) and "***" not in line]
    return (telling or words or ["it gives no reason"])[-1].strip()


class ActionModule(ActionBase):  # type: ignore[misc]
    """Starts the runner of a prepared directory, watches it, and tells how it ended."""

    _requires_connection = True

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:  # noqa: ANN401
        """Do what the task says."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        home, name = self._task.args["directory"], self._task.args["name"]
        self._host = (task_vars or {}).get("inventory_hostname", "")
        limit = float(self._task.args.get("timeout", 3600))
        words = {"home": shlex.quote(home), "python": self._task.args.get("python", "python3")}
        if self._task.check_mode:
            return {**result, "changed": True}
        began = time.monotonic()
        self._low_level_execute_command(START.format(**words))
        ended = self.watch(name, LOOK.format(**words), began + limit)
        took = round(time.monotonic() - began, 1)
        if ended["failed"]:
            text = f"{name}: {ended['failed']} failed: {reason(ended['words'])} ({home}/log)"
            return {**result, "failed": True, "msg": text, "words": ended["words"]}
        return {
            **result,
            "changed": True,
            "took": took,
            **{k: ended[k] for k in ("seconds", "cpu")},
        }

    def watch(self, name: str, look: str, deadline: float) -> dict[str, Any]:
        """Show each new step at once and its progress from time to time."""
        host = self._host
        shown, when, began = "", 0.0, time.monotonic()
        while True:
            said = self._low_level_execute_command(look)["stdout"].split("@")
            status, end = said[0].strip(), said[1].strip() if len(said) > 1 else ""
            now = time.monotonic()
            fresh = status.split(" ", maxsplit=1)[0] != shown.split(" ", maxsplit=1)[0]
            if status and status != shown and (fresh or now - when > SILENCE):
                shown, when = status, now
                self._display.display(f"{host}: {name} [{now - began:5.0f} s] {status}")
            if end:
                found: dict[str, Any] = json.loads(end)
                return found
            if "gone" in said[-1]:
                return {"failed": status or "the build", "words": ["it was ended from outside"]}
            if now > deadline:
                return {"failed": status or "the build", "words": ["it takes too long"]}
            time.sleep(PAUSE)
