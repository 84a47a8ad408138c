"""An Ansible callback: what happens on which host, as one JSON object a line."""

import json
import os
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: mailseal_events
type: aggregate
short_description: Write what happens to the file that MAILSEAL_EVENTS names
description:
  - One JSON object a line. Tasks, failures with their reason, files that are replaced, and sums.
requirements: []
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """What Ansible looks for."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "mailseal_events"
    CALLBACK_NEEDS_ENABLED = True

    def _write(self, **event: Any) -> None:  # noqa: ANN401 - whatever is told
        with open(os.environ["MAILSEAL_EVENTS"], "a", encoding="utf-8") as file:  # noqa: PTH123
            file.write(json.dumps(event) + "\n")

    def v2_runner_on_start(self, host: Any, task: Any) -> None:  # noqa: ANN401 - Ansible's
        """A host begins a task."""
        self._write(event="task", host=host.get_name(), task=task.get_name())

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:  # noqa: ANN401, FBT001, FBT002
        """A host has failed; where it is rescued another failure follows, or none counts."""
        if not ignore_errors:
            self._failed(result)

    def v2_runner_on_unreachable(self, result: Any) -> None:  # noqa: ANN401 - Ansible's
        """A host is not reached."""
        self._failed(result)

    def _failed(self, result: Any) -> None:  # noqa: ANN401 - Ansible's
        found = result.result
        items = [i for i in found.get("results", []) if isinstance(i, dict) and i.get("failed")]
        told = items[0] if items else found
        reason = told.get("msg") or told.get("stderr") or told.get("censored") or ""
        self._write(event="failed", host=result.host.get_name(), reason=str(reason))

    def v2_on_file_diff(self, result: Any) -> None:  # noqa: ANN401 - Ansible's
        """Files that were replaced, or would be."""
        found = result.result
        for one in [found, *(i for i in found.get("results", []) if isinstance(i, dict))]:
            told = one.get("diff") if one.get("changed") else None
            for diff in told if isinstance(told, list) else [told]:
                if isinstance(diff, dict) and {"before", "after"} <= diff.keys():
                    self._file(result.host.get_name(), diff)

    def _file(self, host: str, diff: dict[str, Any]) -> None:
        path = str(diff.get("after_header") or diff.get("before_header") or "?")
        before, after = (_text(diff[side]) for side in ("before", "after"))
        self._write(event="file", host=host, path=path, before=before, after=after)

    def v2_playbook_on_stats(self, stats: Any) -> None:  # noqa: ANN401 - Ansible's
        """The sums."""
        for host in sorted(stats.processed):
            found = stats.summarize(host)
            sums = {name: found[name] for name in ("changed", "failures", "unreachable")}
            self._write(event="sum", host=host, **sums)


def _text(side: Any) -> str:  # noqa: ANN401 - text, or a state as data
    return side if isinstance(side, str) else json.dumps(side, indent=2, sort_keys=True)
