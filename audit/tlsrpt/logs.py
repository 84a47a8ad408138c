"""Logs of Exim, read for sessions with other servers. The only I/O on them is `traffic.read`."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from audit.tlsrpt import helper
from audit.tlsrpt.exim import event
from audit.tlsrpt.sessions import Sessions
from audit.traffic.nodes import node
from audit.traffic.read import Part, blocks, changed, parts
from audit.traffic.syslog import Calendar, is_syslog


def read(paths: Sequence[Path], into: Sessions, done: Callable[[str], None]) -> None:
    """Take all lines of some logs, the oldest log first.

    Args:
        paths: Exim's own logs, or syslog's, compressed or not, in any order.
        into: gets them.
        done: called with the name of each.

    Raises:
        MailsealError: one cannot be read, or is no log.
    """
    every = {path.resolve(): path for path in paths}.values()
    for path in sorted(every, key=_begins):
        for part in parts(path):
            _part(part._replace(node=node(path)), into)
        done(path.name)


def _begins(path: Path) -> str:
    """When a log begins; where its lines do not say so, when it was written."""
    first = next(blocks(parts(path)[0]), b"")[:19].decode("ascii", "replace")
    return first if first[:1] == "2" else changed(path).strftime("%Y-%m-%d %H:%M:%S")


def _part(part: Part, into: Sessions) -> None:
    take, calendar = partial(_lines, into), Calendar(changed(part.path))
    reader = None
    for number, block in enumerate(blocks(part)):
        if not number and is_syslog(block):
            from audit.traffic.mixed import Reader
            from audit.traffic.seams import Sink
            from audit.traffic.tally import Tally

            sink = Sink(Tally(), take)
            reader = Reader(
                sink, changed(part.path), part=part.place, node=part.node, first=b"", last=b""
            )
        if reader:
            reader.count(block)
            _said(into, block, calendar)
        else:
            take(block, part.node)


def _said(into: Sessions, block: bytes, calendar: Calendar) -> None:
    """What the helper for MTA-STS says among the lines of others."""
    for line in block.split(b"\n") if helper.TAG in block else ():
        if found := helper.event(line, calendar):
            into.take(found)


def _lines(into: Sessions, block: bytes, node: bytes) -> None:
    for line in block.split(b"\n"):
        if found := event(line):
            into.take(found, node)
