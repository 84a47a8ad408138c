"""Why a task failed, in its own words."""

from collections.abc import Mapping
from typing import Any

# Of a program that failed Ansible itself says no more than this.
_GENERAL = "non-zero return code"


def reason(result: Mapping[str, Any]) -> str:
    """What says most in the result of a failed task; of a loop, in that of the item that failed."""
    items = [item for item in result.get("results", []) if isinstance(item, Mapping)]
    for item in items:
        if item.get("failed"):
            return reason(item)
    # Of processes on an old state the module says which, and does not fail by itself.
    stale, message = "; ".join(result.get("stale", [])), str(result.get("msg") or "").strip()
    own = "" if message == _GENERAL else message
    told = (stale, own, *(_last(result.get(name)) for name in ("stderr", "stdout")), message)
    return next(filter(None, told), "it gives no reason")


def _last(said: object) -> str:
    """The last line of what a program said: those before are of its work."""
    return next(reversed(str(said or "").strip().splitlines()), "").strip()
