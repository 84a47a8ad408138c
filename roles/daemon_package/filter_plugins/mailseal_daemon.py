"""The build of a daemon on an OpenSSL of one's own, and what came out of it, as Jinja filters."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

# A checkout needs no installation: what is pure lies beside the roles.
sys.path.append(str(Path(__file__).resolve().parents[3]))

from packages import cyrus, exim, pinned, plan

DAEMONS: dict[str, Any] = {"cyrus": cyrus, "exim": exim}


def mailseal_daemon_plan(
    source: object, daemon: str, library: Mapping[str, Any], manifests: Mapping[str, str]
) -> dict[str, Any]:
    """The build of a daemon and its package's name; `refused` says why there is none.

    Args:
        source: as an inventory has it.
        daemon: which.
        library: prefix, package and packages of the OpenSSL that it is built on.
        manifests: where that of each daemon is written.
    """
    if daemon not in DAEMONS:
        return {
            "refused": f"there is no way to rebuild {daemon!r}; there is for {', '.join(DAEMONS)}"
        }
    built_on = {one["file"]: one["sha256"] for one in library["packages"]}
    place = {key: library[key] for key in ("prefix", "package")}
    try:
        pinned.manifest(daemon, manifests)
        spec = {**pinned.source(daemon, source), **place, "packages": built_on}
        planned = DAEMONS[daemon].plan(spec)
    except plan.Failed as error:
        return {"refused": str(error)}
    return {"refused": "", **planned.document()}


def mailseal_daemon_judge(
    said: str, dynamic: str, daemon: str, version: str, prefix: str
) -> list[str]:
    """What is wrong with a built daemon, a sentence each."""
    wrong: list[str] = DAEMONS[daemon].judge(version, prefix, said, dynamic)
    return wrong


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters by name."""
        return {
            "mailseal_daemon_plan": mailseal_daemon_plan,
            "mailseal_daemon_judge": mailseal_daemon_judge,
        }
