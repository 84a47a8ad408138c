"""What a build needs to know of itself, as Jinja filters."""

import hashlib
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

# A checkout needs no installation: what is pure lies beside the roles.
sys.path.append(str(Path(__file__).resolve().parents[3]))

from packages import plan

# What is kept with a result, in the words of sha256sum.
SUMS = "SHA256SUMS"


def mailseal_package_key(planned: Mapping[str, Any], versions: str, tools: Sequence[str]) -> str:
    """The name of a result in the cache, from the plan, the tools of the host and our own."""
    own = [_digest(Path(tool)) for tool in tools]
    return plan.key(planned, "\n".join([versions, *own]))


def mailseal_package_sums(products: Mapping[str, str]) -> str:
    """What is written down of a result: SHA-256 by name."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(products.items()))


def mailseal_package_kept(directory: str) -> dict[str, Any]:
    """Whether there is a result, and what is wrong with it: a directory alone says nothing."""
    home = Path(directory)
    if not home.is_dir():
        return {"found": False, "wrong": ""}
    sums = _sums(home)
    if not sums:
        return {"found": True, "wrong": f"it has no {SUMS}"}
    strange = {path.name for path in home.iterdir()} - {SUMS, *sums}
    if strange:
        return {"found": True, "wrong": f"{min(strange)} is not of what was built"}
    for name, digest in sums.items():
        if not (home / name).is_file():
            return {"found": True, "wrong": f"{name} is missing"}
        if _digest(home / name) != digest:
            return {"found": True, "wrong": f"{name} is not as it was built"}
    return {"found": True, "wrong": ""}


def mailseal_package_packages(directory: str) -> list[dict[str, str]]:
    """The packages of a result, as sources for what is built on them."""
    home = Path(directory)
    return [
        {"file": name, "source": str(home / name), "sha256": digest}
        for name, digest in _sums(home).items()
        if name.endswith((".deb", ".rpm"))
    ]


def mailseal_package_addresses(
    sources: Sequence[Mapping[str, str]], pinned: Mapping[str, str], downloads: str
) -> list[dict[str, str]]:
    """What has to be got from elsewhere first: the address, and where it is kept."""
    return [
        {
            "file": one["file"],
            "url": one["source"],
            "path": _kept(one, pinned, downloads),
            "sha256": pinned[one["file"]],
        }
        for one in sources
        if _remote(one)
    ]


def mailseal_package_places(
    sources: Sequence[Mapping[str, str]], pinned: Mapping[str, str], downloads: str
) -> list[dict[str, Any]]:
    """Where each source is once it was got, on one of two hosts, and what to call it.

    No address stands here: one may have a password in it, and these are shown.
    """
    found = []
    for one in sources:
        remote = _remote(one)
        path = _kept(one, pinned, downloads) if remote else one["source"]
        found.append(
            {
                "file": one["file"],
                "path": path,
                "sha256": pinned[one["file"]],
                "said": f"{_shown(one['source'])} (kept as {path})" if remote else path,
                "here": remote or one.get("on", "control") == "control",
            }
        )
    return found


def mailseal_package_refused(looked: Mapping[str, Any], got: Sequence[Mapping[str, Any]]) -> str:
    """What is wrong with a source, of what `stat` said of it and `get_url` of all; or nothing."""
    place, stat = looked["item"], looked["stat"]
    if stat.get("checksum", "") == place["sha256"]:
        return ""
    if stat["exists"]:
        found = stat.get("checksum") or "of no file"
        return f"the source {place['said']} has the SHA-256 {found}, not {place['sha256']}"
    words = [one.get("msg", "") for one in got if one["item"]["file"] == place["file"]]
    why = "".join(f": {_shown(str(word))}" for word in words if word)
    return f"the source {place['said']} is not there{why}"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _sums(home: Path) -> dict[str, str]:
    try:
        lines = (home / SUMS).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    pairs = (line.split("  ", maxsplit=1) for line in lines)
    return {pair[1]: pair[0] for pair in pairs if len(pair) > 1}


def _remote(one: Mapping[str, str]) -> bool:
    return one["source"].startswith(("http://", "https://"))


def _kept(one: Mapping[str, str], pinned: Mapping[str, str], downloads: str) -> str:
    return f"{downloads}/{pinned[one['file']][:16]}-{one['file']}"


def _shown(text: str) -> str:
    """Addresses without who asks and the password."""
    return re.sub(r"(https?://)[^/\s]*@", r"\1", text)


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters by name."""
        return {
            "mailseal_package_addresses": mailseal_package_addresses,
            "mailseal_package_kept": mailseal_package_kept,
            "mailseal_package_key": mailseal_package_key,
            "mailseal_package_packages": mailseal_package_packages,
            "mailseal_package_places": mailseal_package_places,
            "mailseal_package_refused": mailseal_package_refused,
            "mailseal_package_sums": mailseal_package_sums,
        }
