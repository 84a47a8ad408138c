"""What a host has to know of other rollouts, as a Jinja filter."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

# A checkout needs no installation: the auditor lies beside the roles.
sys.path.append(str(Path(__file__).resolve().parents[3]))

from audit.rollout.others import others
from audit.rollout.place import USUAL


def mailseal_others(host: str, directory: str = "") -> list[str]:
    """The rollouts that came to a host before this one and are running, by their names.

    A filter of a task is evaluated by a child of the process that writes the record.
    """
    try:
        return others(Path(directory or USUAL), host, {os.getpid(), os.getppid()})
    except OSError:  # where no record can be read none was kept either: the callback says so
        return []


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """All filters."""
        return {"mailseal_others": mailseal_others}
