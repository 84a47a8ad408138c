"""What is left of ICU: files by its own list, data by its own table."""

import runpy
import struct

from tests.commands import ROOT

LESS = runpy.run_path(str(ROOT / "packages" / "specs" / "icu_less.py"))

LISTED = """\
group: conversion
    ucnv.o "operator delete(void*)"  # one.o in a comment
  deps
    platform data
group: data
    udata.o
  deps
    conversion  # in a ring
library: i18n
    other.o
  deps
    conversion
group: platform
    putil.o malloc
"""


def package(items: dict[str, bytes]) -> bytes:
    """Return data as ICU packs it: a header, a table, names, contents on multiples of 16."""
    header = struct.pack("<H", 32) + b"header".ljust(30, b"\0")
    first = 4 + 8 * len(items)
    names = b"".join(name.encode() + b"\0" for name in items)
    after = first + len(names) + -(first + len(names)) % 16
    table, kept, at = struct.pack("<I", len(items)), b"", first
    for name, item in items.items():
        table += struct.pack("<II", at, after + len(kept))
        at += len(name) + 1
        kept += item + bytes(-len(item) % 16)
    return header + (table + names).ljust(after, b"\0") + kept


def test_files_are_those_of_the_groups_and_of_what_they_need() -> None:
    """Over as many steps as it takes, and no others."""
    assert LESS["files"](LISTED, ["conversion"]) == {"ucnv.o", "udata.o", "putil.o"}
    assert LESS["files"](LISTED, ["platform"]) == {"putil.o"}


def test_data_keeps_converters_as_they_were() -> None:
    """The smaller package is one as ICU packs it."""
    kept = {"icudt/a.cnv": b"x" * 16, "icudt/cnvalias.icu": b"y" * 48, "icudt/z.cnv": b"z" * 32}
    others = {"icudt/b.res": b"r" * 16, "icudt/unames.icu": b"n" * 16}
    data = package(dict(sorted({**kept, **others}.items())))
    assert LESS["fewer"](data) == package(kept)
