"""Why a task failed, in its own words."""

from collections.abc import Mapping
from typing import Any


def reason(result: Mapping[str, Any]) -> str:
    """What says most in the result of a failed task; of a loop, in that of the item that failed."""
    items = [item for item in result.get("results", []) if isinstance(item, Mapping)]
    for item in items:
        if item.get("failed"):
            return reason(item)
    # Of processes on an old state the module says which, and does not fail by itself.
    told = ("; ".join(result.get("stale", [])), *map(result.get, ("msg", "stderr", "stdout")))
    return str(next(filter(None, told), "it gives no reason")).strip()
