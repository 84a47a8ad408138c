"""The quick ways through a block say what the strict reading of every line says."""

from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.traffic import exim_block, exim_lines, exim_native
from audit.traffic.exim_block import Block
from audit.traffic.own import Own
from audit.traffic.tally import Tally
from tests.traffic.lines import FAKE, lines

OWN = ("2001:db8::/32",)
Count = Callable[..., Any]
both = pytest.mark.parametrize("way", [exim_lines.count, exim_native.count], ids=["python", "native"])


def counted(block: bytes, way: Count, **more: bytes) -> Tally:
    """The counts of a block."""
    tally = Tally()
    with mock.patch.object(exim_block, "count", way):
        reader = Block(tally, Own(OWN), **more)
        reader.count(block)
        reader.flush()
    return tally


def strictly(log: list[bytes]) -> Tally:
    """The same with each line read for itself."""
    tally = Tally()
    reader = Block(tally, Own(OWN))
    for line in log:
        tally.named += b" X=" in line
        reader.other(line)
    return tally


@both
@settings(max_examples=300, deadline=None)
@given(log=st.lists(lines, min_size=1, max_size=8))
def test_both_ways_say_the_same(way: Count, log: list[bytes]) -> None:
    block = b"".join(line + b"\n" for line in log)
    assert counted(block, way) == strictly(log)


@both
@settings(max_examples=200, deadline=None)
@given(log=st.lists(lines, min_size=1, max_size=8))
def test_nothing_forged_is_counted_and_nothing_is_lost(way: Count, log: list[bytes]) -> None:
    tally = counted(b"".join(line + b"\n" for line in log), way)
    counts = (tally.incoming, tally.clients, tally.outgoing, tally.hosts)
    for key in (key for counter in counts for key in counter):
        assert FAKE not in key
        assert b"192.0.2.9" not in key
    assert sum(tally.lines.values()) == len(log)
    named = sum(count for (_, has_session), count in tally.lines.items() if has_session)
    assert tally.named == named == sum(b" X=" in line for line in log)
