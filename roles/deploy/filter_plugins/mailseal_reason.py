"""Why a task failed, in its own words."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

# A checkout needs no installation: the auditor lies beside the roles.
sys.path.append(str(Path(__file__).resolve().parents[3]))

from audit.rollout.reason import reason as mailseal_reason


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters by name."""
        return {"mailseal_reason": mailseal_reason}
