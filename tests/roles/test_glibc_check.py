"""What a binary wants of glibc, read from ELF files made for it."""

import importlib.util
import struct
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.commands import ROOT

SCRIPT = ROOT / "roles" / "package" / "files" / "glibc_check.py"
PROGRAM, OBJECT = 3, 1
_BASE = 0x400000


@pytest.fixture(scope="module")
def check() -> ModuleType:
    spec = importlib.util.spec_from_file_location("glibc_check", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def elf(needs: dict[str, list[str]], kind: int = PROGRAM) -> bytes:
    """An ELF file that wants these versions of these libraries, and nothing else."""
    strings = bytearray(b"\0")

    def text(word: str) -> int:
        strings.extend(word.encode() + b"\0")
        return len(strings) - 1 - len(word)

    versions = bytearray()
    for number, (library, names) in enumerate(needs.items(), 1):
        size = 16 + 16 * len(names)
        following = size if number < len(needs) else 0
        versions += struct.pack("<HHIII", 1, len(names), text(library), 16, following)
        for place, name in enumerate(names, 1):
            after = 16 if place < len(names) else 0
            versions += struct.pack("<IHHII", 0, 0, place + 1, text(name), after)
    headers, dynamic = 64, 64 + 2 * 56
    table = [(0x6FFFFFFE, 0), (0x6FFFFFFF, len(needs)), (5, 0), (0, 0)]
    start = dynamic + 16 * len(table)
    table[0] = (table[0][0], _BASE + start)
    table[2] = (5, _BASE + start + len(versions))
    if not needs:
        table = [(0, 0)] * 4
    tail = b"".join(struct.pack("<QQ", *row) for row in table) + versions + strings
    head = b"\x7fELF\x02\x01\x01" + bytes(9)
    head += struct.pack("<HHIQQQIHHHHHH", kind, 62, 1, 0, headers, 0, 0, 64, 56, 2, 0, 0, 0)
    size = dynamic + len(tail)
    head += struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, 4096)
    words = 16 * len(table)
    head += struct.pack("<IIQQQQQQ", 2, 6, dynamic, _BASE + dynamic, 0, words, words, 8)
    return head + tail


def run(*words: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *words], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_every_version_of_every_library_is_read(check: ModuleType) -> None:
    """In the file's own order, libraries other than glibc too."""
    needs = {"libc.so.6": ["GLIBC_2.2.5", "GLIBC_2.10"], "libssl.so.1.1": ["OPENSSL_1_1_0"]}
    assert [tuple(need) for need in check.wanted(elf(needs))] == [
        ("libc.so.6", "GLIBC_2.2.5"),
        ("libc.so.6", "GLIBC_2.10"),
        ("libssl.so.1.1", "OPENSSL_1_1_0"),
    ]
    assert check.wanted(elf({})) == []


@pytest.mark.parametrize(
    ("versions", "extra"),
    [
        (["GLIBC_2.2.5", "GLIBC_2.12"], []),
        (["GLIBC_2.9", "GLIBC_2.10"], []),
        (["GLIBC_2.13"], ["GLIBC_2.13"]),
        (["GLIBC_2.2.5", "GLIBC_2.34", "GLIBC_2.17"], ["GLIBC_2.17", "GLIBC_2.34"]),
        (["GLIBC_2.12.1"], ["GLIBC_2.12.1"]),
        (["GLIBC_3.0"], ["GLIBC_3.0"]),
        (["GLIBC_PRIVATE"], ["GLIBC_PRIVATE"]),
        (["GCC_3.0", "OPENSSL_1_1_0"], []),
    ],
)
def test_what_is_newer_is_named(check: ModuleType, versions: list[str], extra: list[str]) -> None:
    """As numbers, not as text: 2.9 is older than 2.10."""
    assert check.newer(check.wanted(elf({"libc.so.6": versions})), "2.12") == extra


def test_one_bad_file_among_good_ones_fails_and_is_named(tmp_path: Path) -> None:
    """Whatever its mode, and wherever below the directory."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "good").write_bytes(elf({"libc.so.6": ["GLIBC_2.4"]}))
    assert run("2.12", str(tmp_path))[0] == 0
    bad = tmp_path / "lib" / "bad.so"
    bad.write_bytes(elf({"libc.so.6": ["GLIBC_2.4", "GLIBC_2.33"]}))
    code, said = run("2.12", str(tmp_path))
    assert code == 1
    assert f"{bad}: wants GLIBC_2.33" in said
    assert "2 looked at, 1 not fit" in said


def test_a_damaged_file_is_not_fit(tmp_path: Path) -> None:
    """Neither one that is cut off nor one of another kind passes unread."""
    whole = elf({"libc.so.6": ["GLIBC_2.4"]})
    for text in (whole[:-20], whole[:130], b"\x7fELF\x01" + whole[5:]):
        (tmp_path / "file").write_bytes(text)
        assert run("2.12", str(tmp_path))[0] == 1


def test_nothing_to_look_at_is_no_success(tmp_path: Path) -> None:
    """An empty tree, a tree of texts, or of objects that nobody runs."""
    assert run("2.12", str(tmp_path))[0] == 2
    (tmp_path / "text").write_text("#!/bin/sh\n")
    (tmp_path / "part.o").write_bytes(elf({"libc.so.6": ["GLIBC_2.33"]}, OBJECT))
    assert run("2.12", str(tmp_path))[0] == 2
    assert run("nonsense", str(tmp_path))[0] == 2


def test_this_machines_own_python_is_not_fit_for_el6() -> None:
    """The check sees what a real linker wrote."""
    code, said = run("2.12", str(Path(sys.executable).resolve()))
    assert code == 1
    assert "wants GLIBC_2" in said
