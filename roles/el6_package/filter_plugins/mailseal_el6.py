"""The builds of what EL6 lacks, as Jinja filters."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

# A checkout needs no installation: what is pure lies beside the roles.
sys.path.append(str(Path(__file__).resolve().parents[3]))

from packages import cyrus_judge, el6, plan

SPECS = Path(el6.__file__).resolve().parent / "specs"


def mailseal_el6_plan(
    which: str, tools: str, library: Mapping[str, str], files: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    """The build of one package; `refused` says why there is none."""
    packages = {Path(one["path"]).name: one["checksum"] for one in files}
    texts = {path.name: path.read_text(encoding="utf-8") for path in SPECS.iterdir()}
    try:
        planned = el6.plan(which, texts, tools, library, packages)
    except plan.Failed as error:
        return {"refused": str(error)}
    return {"refused": "", **planned.document()}


def mailseal_el6_sources(
    planned: Mapping[str, Any], place: Mapping[str, str], files: Sequence[Mapping[str, str]]
) -> list[dict[str, str]]:
    """Where each source of a build is: the RPMs of the library here, the others in one place."""
    built = {Path(one["path"]).name: one["path"] for one in files}
    return [
        {"file": name, "source": built[name], "on": "control"}
        if name in built
        else {"file": name, "source": f"{place['source']}/{name}", "on": place["on"]}
        for name in planned.get("sources", {})
    ]


def mailseal_el6_cyrus_judge(said: str, dynamic: str, openssl: str, prefix: str) -> list[str]:
    """What is wrong with a built Cyrus, in sentences."""
    return cyrus_judge.judge(openssl, prefix, said, dynamic)


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters by name."""
        return {
            "mailseal_el6_cyrus_judge": mailseal_el6_cyrus_judge,
            "mailseal_el6_plan": mailseal_el6_plan,
            "mailseal_el6_sources": mailseal_el6_sources,
        }
