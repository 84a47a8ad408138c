"""The compiled ways: they can be done without, keep nothing, and nobody brings them down."""

import gc
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from audit.traffic import exim_native, syslog_native
from audit.traffic.seen import Seen
from benchmarks.traffic import made, made_postfix
from benchmarks.traffic.__main__ import NOT_COMPILED
from tests.traffic import ways

HEAD = b"2026-11-29 10:11:12 1xVc0c-00003u-1d "
CAME = HEAD + b"<= a@b H=h [192.0.2.1] P=esmtp S=5\n"
SENT = HEAD + b"=> c@d R=r T=t H=mx [192.0.2.7]\n"
TO = b"d\nmx\n192.0.2.7\n"
WAYS: Any = {"way": Seen(), "broken": 1}


@pytest.mark.parametrize("write", [made.write, made_postfix.write], ids=["exim", "postfix"])
def test_without_a_compiler_the_same_is_said(tmp_path: Path, write: Any) -> None:
    """Of two nodes as well, whose messages have the same numbers."""
    logs = [tmp_path / node / "log" for node in ("mx1", "mx2")]
    for log in logs:
        log.parent.mkdir()
        write(log, 3000)
    words = ["traffic", "--json", *map(str, logs)]
    said = [
        subprocess.run([sys.executable, "-c", code, *words], capture_output=True, check=True).stdout
        for code in (NOT_COMPILED, "from audit.start import command; command()")
    ]
    assert said[0] == said[1]
    assert b'"tls":' in said[0]


def test_nothing_is_kept_of_what_was_read(tmp_path: Path) -> None:
    """The hundredth time the same lines need no more memory than the third."""
    made.write(tmp_path / "exim", 300)
    made_postfix.write(tmp_path / "postfix", 300)
    exim, postfix = (
        (tmp_path / name).read_bytes().split(b"\n")[:-1] for name in ("exim", "postfix")
    )
    nodes = [(node, line) for node in (b"mx1", b"mx2") for line in exim]

    def read(times: int) -> int:
        for _ in range(times):
            ways.exim("native", nodes)
            ways.syslog("native", postfix)
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = read(3)
        assert read(100) - before < 20_000
    finally:
        tracemalloc.stop()


def _broken(*_: object) -> None:
    raise ValueError("broken")


class _Broken(dict[bytes, Any]):
    def __missing__(self, key: bytes) -> Any:
        raise ValueError("broken")


@pytest.mark.parametrize(
    ("block", "came", "went", "error"),
    [
        (CAME, _Broken(), {}, ValueError),
        (SENT, {}, _Broken(), ValueError),
        (CAME, {}, {}, KeyError),
        (CAME, {b"esmtp": 1}, {}, TypeError),
        (CAME, {b"esmtp": (1, 2, {})}, {}, AttributeError),
        (SENT, {}, {b"t\n": 1}, TypeError),
        (SENT, {}, {b"t\n": (1, 2, {})}, AttributeError),
        (SENT, {}, {b"t\n": (Seen(), 2, {})}, KeyError),
        (SENT, {}, {b"t\n": (Seen(), 2, {TO: 1})}, TypeError),
        (SENT, {}, {b"t\n": (Seen(), Seen(), {TO: (1, 2, "new")})}, KeyError),
        (SENT, {}, {b"t\n": (Seen(), Seen(), {TO: (1, 2, [])})}, TypeError),
        (SENT, {}, {b"t\n": (Seen(), 2, {TO: (1, 2, "way")})}, AttributeError),
        (SENT, {}, {b"t\n": (Seen(), Seen(), {TO: (1, 2, "broken")})}, AttributeError),
        (b"x\n", {}, {}, ValueError),
        ("x\n", {}, {}, TypeError),
        (b"x\n", [], {}, TypeError),
    ],
)
def test_what_goes_wrong_in_python_is_an_error_there(
    block: Any, came: Any, went: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        exim_native.count(block, {}, came, went, WAYS, _broken, _broken)


@pytest.mark.parametrize(
    ("ear", "error"), [((_broken, None, None), ValueError), ((_broken,), TypeError), (1, TypeError)]
)
def test_and_in_lines_of_syslog(ear: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        syslog_native.run([b"a b: c"], 0, b"a ", 2, {b"b": ear}, b"", [], [], _broken)
    with pytest.raises(TypeError):
        syslog_native.run([1], 0, b"a ", 2, {}, b"", [], [], _broken)  # type: ignore[list-item]
