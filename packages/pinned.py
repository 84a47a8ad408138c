"""What an inventory pins, before any of it stands in a script, a path or the name of a package.

Each function returns what it was given, or raises Failed with one sentence.
"""

import re
from collections.abc import Mapping
from typing import Any

from packages.plan import Failed

# Upstream's: Debian's revision and our release come after a hyphen.
_VERSION = re.compile(r"[0-9][0-9A-Za-z.+~]*")
_FILE = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+~_-]*")
_PATH = re.compile(r"/[0-9A-Za-z./+_-]+")
_SHA256 = re.compile(r"[0-9a-f]{64}")
# No quotes, no dollar sign, nothing that begins another command.
_WORDS = re.compile(r"[0-9A-Za-z ./,:=+@%~_-]*")


def version(what: str, value: object) -> str:
    """Return a version; YAML reads 4.96 as a number, and 4.90 as the same one as 4.9."""
    if not isinstance(value, str):
        raise Failed(f"the version of {what} is no text but {value!r}: put it into quotes")
    return _fitting(_VERSION, value, f"{value!r} is no version of {what}")


def checksum(what: str, value: object) -> str:
    """Return a SHA-256: there is no build of just anything."""
    return _fitting(_SHA256, value, f"{what} needs its SHA-256, 64 hex digits")


def file(what: str, value: object) -> str:
    """Return the name of a source: neither a path nor an option of whatever unpacks it."""
    return _fitting(_FILE, value, f"{value!r} is no plain name for a source of {what}")


def files(what: str, given: Mapping[str, object]) -> dict[str, str]:
    """Return the SHA-256 of each source by its name."""
    return {
        file(what, name): checksum(f"the source {name} of {what}", digest)
        for name, digest in given.items()
    }


def path(what: str, value: object) -> str:
    """Return a path that needs no quotes."""
    return _fitting(_PATH, value, f"{what} is no plain path: {value!r}")


def words(what: str, value: object) -> str:
    """Return what stands in a script as it is: words, and nothing that a shell would run."""
    refusal = f"{what} may be words and nothing that a shell runs, not {value!r}"
    return _fitting(_WORDS, value, refusal)


def source(what: str, given: object) -> dict[str, Any]:
    """Return a source package as an inventory has it, with `files` as SHA-256 by name."""
    whole = _having(f"the source of {what}", given, "version", "files")
    listed = whole["files"]
    if not isinstance(listed, list):
        raise Failed(f"the files of the source of {what} are no list")
    found = [
        _having(f"a file of the source of {what}", one, "file", "source", "sha256")
        for one in listed
    ]
    pinned = {file(what, one["file"]): one["sha256"] for one in found}
    return {**whole, "version": version(what, whole["version"]), "files": files(what, pinned)}


def manifest(daemon: str, manifests: Mapping[str, str]) -> str:
    """Return where the manifest of a daemon is written: hosts would never learn of one without."""
    if not manifests.get(daemon):
        raise Failed(f"mailseal_daemon_manifests does not say where that of {daemon} is written")
    return manifests[daemon]


def _fitting(pattern: re.Pattern[str], value: object, refusal: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise Failed(refusal)
    return value


def _having(what: str, given: object, *keys: str) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise Failed(f"{what} is no mapping with {', '.join(keys)}")
    missing = [key for key in keys if key not in given]
    if missing:
        raise Failed(f"{what} has no {' and no '.join(missing)}")
    return given
