"""Log files are read to their end, whatever compressed them, or there is a word of it."""

import bz2
import gzip
import lzma
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from backports import zstd

from audit.errors import MailsealError
from audit.traffic import read
from audit.traffic.syslog import Calendar

LOG = b"".join(b"line %d of some length\n" % number for number in range(20_000))
COMPRESSED: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "xz": lzma.compress,
    "bz2": bz2.compress,
    "zst": zstd.compress,
    "two of gz": lambda data: gzip.compress(data[:1000]) + gzip.compress(data[1000:]),
}


def text(path: Path) -> bytes:
    """All blocks of all parts."""
    return b"".join(block for part in read.parts(path) for block in read.blocks(part))


@pytest.mark.parametrize("way", COMPRESSED)
def test_what_it_is_compressed_with_does_not_matter(tmp_path: Path, way: str) -> None:
    path = tmp_path / "mainlog.1"
    path.write_bytes(COMPRESSED[way](LOG))
    assert text(path) == LOG


@pytest.mark.parametrize("way", ["gz", "xz", "bz2", "zst"])
def test_what_is_cut_off_is_no_whole_log(tmp_path: Path, way: str) -> None:
    path = tmp_path / "mainlog"
    path.write_bytes(COMPRESSED[way](LOG)[:-100])
    with pytest.raises(MailsealError, match="mainlog cannot be read to its end"):
        text(path)


@pytest.mark.parametrize("way", ["gz", "xz", "bz2", "zst"])
@pytest.mark.parametrize("behind", ["something else", "a second one that is damaged"])
def test_what_stands_behind_is_not_passed_over(tmp_path: Path, way: str, behind: str) -> None:
    """Python's own files for bz2 and xz say nothing of it, and half a log would be a whole one."""
    path = tmp_path / "mainlog"
    packed = COMPRESSED[way](LOG)
    damaged = bytes(byte ^ 255 for byte in packed[:40]) + packed[40:]
    path.write_bytes(packed + {"something else": b"x" * 40}.get(behind, damaged))
    with pytest.raises(MailsealError, match="mainlog cannot be read to its end"):
        text(path)


@pytest.mark.parametrize("way", ["gz", "xz", "bz2", "zst"])
def test_what_is_damaged_in_the_middle_is_one_sentence(tmp_path: Path, way: str) -> None:
    path = tmp_path / "mainlog"
    packed = COMPRESSED[way](LOG)
    half = len(packed) // 2
    path.write_bytes(packed[:half] + bytes(byte ^ 255 for byte in packed[half:]))
    with pytest.raises(MailsealError, match="mainlog cannot be read to its end"):
        text(path)


@pytest.mark.parametrize("way", ["xz", "bz2", "zst"])
def test_several_one_behind_the_other_are_one_file(tmp_path: Path, way: str) -> None:
    """With the noughts between and behind them that xz fills up with."""
    path = tmp_path / "mainlog"
    first, second = COMPRESSED[way](LOG[:1000]), COMPRESSED[way](LOG[1000:])
    path.write_bytes(first + bytes(8) + second + bytes(1 << 17))
    assert text(path) == LOG


@pytest.mark.parametrize("seconds", [-1e13, 1e13])
def test_a_clock_that_is_far_off_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """Some file systems keep years that Python's calendar does not have."""
    path = tmp_path / "syslog"
    path.touch()
    status = os.stat_result((*path.stat()[:8], seconds, seconds))
    monkeypatch.setattr(Path, "stat", lambda _: status)
    assert Calendar(read.changed(path)).day(1, 1) is not None or seconds < 0


@pytest.mark.parametrize("size", [1, 23, 1000, 1 << 16])
def test_each_line_is_in_one_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    path = tmp_path / "mainlog"
    path.write_bytes(LOG[: 100 * size] + b"not finished")
    monkeypatch.setattr(read, "_PART", size)
    assert text(path) == path.read_bytes() + b"\n"
    for part in read.parts(path, jobs=3):
        assert all(block.endswith(b"\n") for block in read.blocks(part))


def test_all_processes_get_as_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mainlog"
    path.write_bytes(LOG)
    assert len(read.parts(path, jobs=2)) == 1, "too little"
    monkeypatch.setattr(read, "_LITTLE", 1000)
    first, second = read.parts(path, jobs=2)
    sizes = [sum(map(len, read.blocks(part))) for part in (first, second)]
    assert sum(sizes) == len(LOG)
    assert abs(sizes[0] - sizes[1]) < 100


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    path = tmp_path / "mainlog"
    path.touch()
    assert text(path) == b""


def test_what_is_no_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MailsealError, match="is no regular file"):
        read.look(tmp_path)
    with pytest.raises(MailsealError, match="gone cannot be read: No such file"):
        read.changed(tmp_path / "gone")
    with pytest.raises(MailsealError, match="gone cannot be read: No such file"):
        read.parts(tmp_path / "gone")
    monkeypatch.setattr(read, "_LONGEST", 1000)
    path = tmp_path / "disk.img"
    path.write_bytes(bytes(1 << 20))
    with pytest.raises(MailsealError, match="is no log: it has a line without end"):
        text(path)
