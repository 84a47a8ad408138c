"""The ways to read a log, each as a function of lines: they are to say the same."""

from collections.abc import Callable, Sequence
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
EXIM: dict[str, Way] = {"python": exim_lines.count, "native": exim_native.count}
SYSLOG: dict[str, Way] = {"python": syslog_lines.run, "native": syslog_native.run}


def exim(way: str, lines: Sequence[bytes]) -> Tally:
    """Lines of Exim's log, as a block."""
    tally = Tally()
    with mock.patch.object(exim_block, "count", EXIM[way]):
        reader = Block(tally, Own(OWN))
        reader.count(b"".join(line + b"\n" for line in lines))
        reader.flush()
    return tally


def exim_strictly(lines: Sequence[bytes]) -> Tally:
    """The same with each line read for itself."""
    tally = Tally()
    reader = Block(tally, Own(OWN))
    for line in lines:
        tally.named += b" X=" in line
        reader.other(line)
    return tally


def syslog(way: str, lines: Sequence[bytes]) -> tuple[Tally, list[bytes]]:
    """Lines of syslog, and what of them is left for the reader of Exim's."""
    with mock.patch.object(mixed, "run", SYSLOG[way]):
        counted = Counted(Own(OWN)).part(lines)
        return counted.finish(), counted.exim
