"""Fails if a binary below the given paths wants a newer glibc than the one it has to run on.

    glibc_check.py 2.12 DIRECTORY ...

Reads the ELF files themselves, so that no tool of the build host can leave one out. Ends with 1 if
one wants more, and with 2 if there is nothing to look at: that nobody looked must not read as fine.
"""

import re
import struct
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

_PT_LOAD, _PT_DYNAMIC = 1, 2
_DT_STRTAB, _DT_VERNEED, _DT_VERNEEDNUM = 5, 0x6FFFFFFE, 0x6FFFFFFF
_RELOCATABLE = b"\x01\0"
_GLIBC = re.compile(r"GLIBC_(\d+(?:\.\d+)*)")


class Wanted(NamedTuple):
    """One version of one library that a binary cannot start without."""

    library: str
    version: str


def wanted(data: bytes) -> list[Wanted]:
    """Return every symbol version that an ELF file needs, in its own order.

    Raises ValueError for what is no 64-bit little-endian ELF file, or a damaged one.
    """
    if data[:6] != b"\x7fELF\x02\x01":
        raise ValueError("not a 64-bit little-endian ELF file")
    try:
        return list(_needs(data))
    except (struct.error, IndexError) as error:
        raise ValueError(f"damaged: {error}") from None


def newer(needs: Iterable[Wanted], limit: str) -> list[str]:
    """Return those of the versions that a glibc of version *limit* does not have."""
    names = [need.version for need in needs if need.version.startswith("GLIBC_")]
    return sorted({name for name in names if not _has(limit, name)})


def newest(needs: Iterable[Wanted]) -> str:
    """Return the newest glibc that is wanted; empty if none is."""
    found = [match[1] for need in needs if (match := _GLIBC.fullmatch(need.version))]
    return max(found, key=_numbers, default="")


def _has(limit: str, name: str) -> bool:
    match = _GLIBC.fullmatch(name)
    # GLIBC_PRIVATE belongs to one build of glibc alone.
    return bool(match) and _numbers(match[1]) <= _numbers(limit)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _needs(data: bytes) -> Iterator[Wanted]:
    loads: list[tuple[int, int, int]] = []
    dynamic: dict[int, int] = {}
    table = struct.unpack_from("<Q", data, 32)[0]
    size, count = struct.unpack_from("<HH", data, 54)
    for place in range(table, table + size * count, size):
        kind, _, offset, address, _, length = struct.unpack_from("<IIQQQQ", data, place)
        if kind == _PT_LOAD:
            loads.append((address, offset, length))
        elif kind == _PT_DYNAMIC:
            for entry in range(offset, offset + length, 16):
                tag, value = struct.unpack_from("<QQ", data, entry)
                dynamic.setdefault(tag, value)
    if _DT_VERNEED not in dynamic:
        return
    strings = _offset(loads, dynamic[_DT_STRTAB])
    place = _offset(loads, dynamic[_DT_VERNEED])
    for _ in range(dynamic[_DT_VERNEEDNUM]):
        _, versions, file, first, following = struct.unpack_from("<HHIII", data, place)
        entry = place + first
        for _ in range(versions):
            _, _, _, name, after = struct.unpack_from("<IHHII", data, entry)
            yield Wanted(_text(data, strings + file), _text(data, strings + name))
            entry += after
        place += following


def _offset(loads: list[tuple[int, int, int]], address: int) -> int:
    for start, offset, length in loads:
        if start <= address < start + length:
            return address - start + offset
    raise IndexError(f"address {address:#x} is in no segment")


def _text(data: bytes, place: int) -> str:
    return data[place : data.index(b"\0", place)].decode("ascii", "replace")


def _programs(paths: Iterable[str]) -> Iterator[tuple[Path, bytes]]:
    """Yield every ELF file below the paths, but not the objects that are not run as they are."""
    for top in map(Path, paths):
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_symlink() or not path.is_file():
                continue
            with path.open("rb") as stream:
                data = stream.read(4)
                data += stream.read() if data == b"\x7fELF" else b""
            if data[:4] == b"\x7fELF" and data[16:18] != _RELOCATABLE:
                yield path, data


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def main(words: list[str]) -> int:
    """Look at every ELF file below the paths; say what each wants."""
    if not words[1:] or not re.fullmatch(r"\d+(\.\d+)+", words[0]):
        sys.stderr.write("glibc_check.py VERSION DIRECTORY ...\n")
        return 2
    limit, seen, bad = words[0], 0, 0
    for path, data in _programs(words[1:]):
        seen += 1
        try:
            needs = wanted(data)
        except ValueError as error:
            bad += 1
            _say(f"{path}: {error}")
            continue
        extra = newer(needs, limit)
        bad += bool(extra)
        wants = f"wants {', '.join(extra)}; " if extra else ""
        _say(f"{path}: {wants}newest {newest(needs) or 'none'}, to run on {limit}")
    if not seen:
        _say(f"no ELF file in {', '.join(words[1:])}: nothing was checked")
        return 2
    _say(f"{seen} looked at, {bad} not fit for glibc {limit}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
