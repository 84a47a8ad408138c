"""What a build needs to know of itself, as Jinja filters."""

import hashlib
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

# A checkout needs no installation: what is pure lies beside the roles.
sys.path.append(str(Path(__file__).resolve().parents[3]))

from packages import plan


def mailseal_package_key(planned: Mapping[str, Any], versions: str, tools: Sequence[str]) -> str:
    """The name of a result in the cache, from the plan, the tools of the host and our own."""
    own = [hashlib.sha256(Path(tool).read_bytes()).hexdigest() for tool in tools]
    return plan.key(planned, "\n".join([versions, *own]))


def mailseal_package_places(
    sources: Sequence[Mapping[str, str]], pinned: Mapping[str, str], downloads: str
) -> list[dict[str, Any]]:
    """Where each source is once it was got: from an address, or on one of two hosts."""
    found = []
    for one in sources:
        remote = one["source"].startswith(("http://", "https://"))
        checksum = pinned[one["file"]]
        path = f"{downloads}/{checksum[:16]}-{one['file']}" if remote else one["source"]
        found.append(
            {
                "file": one["file"],
                "path": path,
                "sha256": checksum,
                "url": one["source"] if remote else "",
                "here": remote or one.get("on", "control") == "control",
            }
        )
    return found


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters by name."""
        return {
            "mailseal_package_key": mailseal_package_key,
            "mailseal_package_places": mailseal_package_places,
        }
