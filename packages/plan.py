"""A build as data: steps of shell, what counts as progress in each, and the key of its result."""

import hashlib
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

# Bump when the way of building changes what comes out of the same plan.
_BUILDER = 1

# deb TREE CONTROL: the same tree gives the same package, byte for byte.
DEB = """\
deb() {
    mkdir -p "$1/DEBIAN"
    (cd "$1" && find . -path ./DEBIAN -prune -o -type f -print0 | sort -z |
        xargs -0 md5sum | sed 's#  ./#  #') >md5sums
    mv md5sums "$1/DEBIAN/md5sums"
    size=$(du -sk --apparent-size --exclude=DEBIAN "$1" | cut -f1)
    printf 'Installed-Size: %s\n%s' "$size" "$2" >"$1/DEBIAN/control"
    find "$1" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
    dpkg-deb --root-owner-group -Zxz --threads-max=1 --build "$1" product
}
"""


class Failed(ValueError):
    """Why something cannot be built, as one sentence."""


@dataclass(frozen=True, kw_only=True)
class Edit:
    """One change to the source: one place of the file fits the pattern.

    Attributes:
        file, pattern, replacement: where and what.
        needed: whether the build stops where there is no such place, or no such file.
    """

    file: str
    pattern: str
    replacement: str
    needed: bool = True

    def script(self) -> str:
        """Return the shell that makes it, and fails where the source is not as it is known."""
        perl = f"$n += s{{{self.pattern}}}{{{self.replacement}}}g;"
        if not self.needed:
            return f"test ! -e {self.file} || perl -0777 -i -pe {shlex.quote(perl)} {self.file}"
        perl += " END { exit($n != 1) }"
        refusal = f"echo '{self.file} is not as it is known: nothing to edit' >&2; exit 1"
        return f"perl -0777 -i -pe {shlex.quote(perl)} {self.file} || {{ {refusal}; }}"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a build.

    Attributes:
        name: what people read while it runs.
        script: shell, run with -e in the directory of the build.
        tick: a regular expression; each line of output that it fits is one unit done.
        count: shell that prints how many units there will be.
    """

    name: str
    script: str
    tick: str = ""
    count: str = ""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that decides what comes out of a build, but for the tools of the build host.

    Attributes:
        name: of what is built, with its version; also the directory it is built in.
        sources: SHA-256 of each source, by file name.
        environment: of every step.
        steps: in order; each has "$HOME" as the directory of the build, and the last leaves
            what came out in "product" there.
    """

    name: str
    sources: Mapping[str, str]
    steps: Sequence[Step]
    environment: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return it as plain data, for Ansible and JSON."""
        return {**asdict(self), "steps": [asdict(step) for step in self.steps]}


def key(plan: Mapping[str, Any], tools: str) -> str:
    """Return the name of the result in the cache: another plan or other tools, another key."""
    inputs = [_BUILDER, plan, tools]
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:16]


def control(fields: Mapping[str, str]) -> str:
    """Return the control file of a Debian package."""
    return "".join(f"{name}: {value}\n" for name, value in fields.items() if value)
