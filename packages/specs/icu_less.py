"""Leaves of ICU what a program needs that only converts character sets.

    icu_less.py DATA GROUP ...

In icu/source. Writes common/sources.txt anew: the files that the groups need, as ICU's own list for
its tests says it (test/depstest/dependencies.txt). Writes less.dat: of DATA the converters alone.
"""

import re
import struct
import sys
from pathlib import Path

_WANTED = (b".cnv", b"/cnvalias.icu")


def files(text: str, wanted: list[str]) -> set[str]:
    """Return the objects of these groups and of all that they depend on.

    Args:
        text: ``group: NAME``, then objects and symbols, then ``deps`` and names of groups.
        wanted: names of groups.
    """
    own: dict[str, list[str]] = {}
    deps: dict[str, list[str]] = {}
    group, into = "", own
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if words[:1] == ["deps"]:
            into = deps
        elif words and words[0].endswith(":"):
            group, into = " ".join(words[1:]), own
        else:
            into.setdefault(group, []).extend(words)
    seen: set[str] = set()
    todo = list(wanted)
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += deps.get(name, [])
    return {word for name in seen for word in own.get(name, []) if word.endswith(".o")}


def fewer(data: bytes) -> bytes:
    """Return a package of ICU's data with the converters alone.

    After a header stands a table: how many, and of each where its name and its contents are, from
    the table on. Contents are aligned to 16 bytes.
    """
    start = struct.unpack_from("<H", data)[0]
    body = data[start:]
    count = struct.unpack_from("<I", body)[0]
    places = [struct.unpack_from("<II", body, 4 + 8 * n) for n in range(count)]
    ends = [at for _, at in places[1:]] + [len(body)]
    found = [
        (body[name : body.index(b"\0", name)], body[at:end])
        for (name, at), end in zip(places, ends, strict=True)
    ]
    items = [(name, item) for name, item in found if name.endswith(_WANTED)]
    first = 4 + 8 * len(items)
    after = first + sum(len(name) + 1 for name, _ in items)
    after += -(start + after) % 16
    table, names, kept = struct.pack("<I", len(items)), b"", b""
    for name, item in items:
        table += struct.pack("<II", first + len(names), after + len(kept))
        names += name + b"\0"
        kept += item + bytes(-len(item) % 16)
    return data[:start] + (table + names).ljust(after, b"\0") + kept


def main(words: list[str]) -> None:
    """Read and write, in the directory that it is called in."""
    text = Path("test/depstest/dependencies.txt").read_text(encoding="utf-8")
    needed = {re.sub(r"\.o$", ".cpp", name) for name in files(text, words[1:])}
    sources = Path("common/sources.txt")
    kept = [name for name in sources.read_text(encoding="utf-8").split() if name in needed]
    sources.write_text("".join(f"{name}\n" for name in kept), encoding="utf-8")
    Path("less.dat").write_bytes(fewer(Path(words[0]).read_bytes()))


if __name__ == "__main__":
    main(sys.argv[1:])
