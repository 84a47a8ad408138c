"""The ways to read a log, each as a function of lines: they are to say the same."""

from collections.abc import Callable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any
from unittest import mock

from audit.traffic import (
    exim_block,
    exim_lines,
    exim_native,
    mixed,
    syslog_lines,
    syslog_native,
)
from audit.traffic.exim_block import Block
from audit.traffic.own import Own
from audit.traffic.tally import Tally
from tests.traffic.counted import Counted

OWN = ("2001:db8::/32",)
Way = Callable[..., Any]
Log = Sequence[tuple[bytes, bytes]]  # nodes, each with a line of its
EXIM: dict[str, Way] = {"python": exim_lines.count, "native": exim_native.count}
SYSLOG: dict[str, Way] = {"python": syslog_lines.run, "native": syslog_native.run}


def exim(way: str, log: Log) -> Tally:
    """Lines of Exim's log, those of a node that follow each other as a block."""
    tally = Tally()
    with mock.patch.object(exim_block, "count", EXIM[way]):
        reader = Block(tally, Own(OWN))
        for node, some in groupby(log, itemgetter(0)):
            reader.count(b"".join(line + b"\n" for _, line in some), node)
        reader.flush()
    return tally


def exim_strictly(log: Log) -> Tally:
    """The same with each line read for itself."""
    tally = Tally()
    reader = Block(tally, Own(OWN))
    for node, line in log:
        tally.begun(node)
        tally.named += b" X=" in line
        reader.other(line, node)
    return tally


def syslog(way: str, lines: Sequence[bytes]) -> tuple[Tally, list[tuple[bytes, bytes]]]:
    """Lines of syslog, and what of them is left for the reader of Exim's."""
    with mock.patch.object(mixed, "run", SYSLOG[way]):
        counted = Counted(Own(OWN)).part(lines)
        return counted.finish(), counted.exim
