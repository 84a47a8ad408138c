"""The builds of what EL6 lacks, as Jinja filters."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

# A checkout needs no installation: what is pure lies beside the roles.
sys.path.append(str(Path(__file__).resolve().parents[3]))

from packages import el6, pinned, plan

SPECS = Path(el6.__file__).resolve().parent / "specs"


def mailseal_el6_plan(
    which: str, tools: str, library: Mapping[str, Any], manifests: Mapping[str, str]
) -> dict[str, Any]:
    """The build of one package; `refused` says why there is none."""
    packages = {one["file"]: one["sha256"] for one in library["packages"]}
    texts = {path.name: path.read_text(encoding="utf-8") for path in SPECS.iterdir()}
    try:
        if mailseal_el6_on_openssl(which):
            pinned.manifest(which, manifests)
        planned = el6.plan(which, texts, tools, library, packages)
    except plan.Failed as error:
        return {"refused": str(error)}
    return {"refused": "", **planned.document()}


def mailseal_el6_on_openssl(which: str) -> bool:
    """Whether it is built on an OpenSSL of one's own."""
    return which in el6.TABLE and el6.TABLE[which].on_openssl


def mailseal_el6_sources(
    planned: Mapping[str, Any], place: Mapping[str, str], files: Sequence[Mapping[str, str]]
) -> list[dict[str, str]]:
    """Where each source of a build is: the RPMs of the library here, the others in one place."""
    built = {one["file"]: one["source"] for one in files}
    return [
        {"file": name, "source": built[name], "on": "control"}
        if name in built
        else {"file": name, "source": f"{place['source']}/{name}", "on": place["on"]}
        for name in planned.get("sources", {})
    ]


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters by name."""
        return {
            "mailseal_el6_on_openssl": mailseal_el6_on_openssl,
            "mailseal_el6_plan": mailseal_el6_plan,
            "mailseal_el6_sources": mailseal_el6_sources,
        }
