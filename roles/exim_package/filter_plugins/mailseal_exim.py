"""The build of an Exim, and what came out of it, as Jinja filters."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

# A checkout needs no installation: what is pure lies beside the roles.
sys.path.append(str(Path(__file__).resolve().parents[3]))

from packages import exim, plan


def mailseal_exim_plan(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The build of an Exim on an OpenSSL of one's own; `refused` says why there is none."""
    try:
        planned = exim.plan(spec)
    except plan.Failed as error:
        return {"refused": str(error)}
    return {"refused": "", **planned.document()}


def mailseal_exim_judge(said: str, dynamic: str, version: str, prefix: str) -> list[str]:
    """What is wrong with a built Exim."""
    return exim.judge(version, prefix, said, dynamic)


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters by name."""
        return {
            "mailseal_exim_plan": mailseal_exim_plan,
            "mailseal_exim_judge": mailseal_exim_judge,
        }
