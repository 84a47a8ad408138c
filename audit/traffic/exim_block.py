"""Blocks of Exim's log, counted into a tally. Pure.

What a line means is found out once for the words in it that others share; after that such a line
costs a look-up. Which words these are is told by `exim_native.c`, or by `exim_lines` where that was
not compiled.
"""

import re
from collections.abc import Container, Iterator
from itertools import groupby

from audit.traffic import errors
from audit.traffic.exim import parse
from audit.traffic.exim_count import COUNTED
from audit.traffic.tally import STRANGE, UNNAMED, Kind, Seen, Tally, Use
from audit.traffic.where import Known, Went, Where

try:
    from audit.traffic.exim_native import count
except ImportError:  # no compiler where this was installed
    from audit.traffic.exim_lines import count

_VIA = re.compile(rb'([\w-]*)(?: X=([\w.:+-]+)\*?)?(?: CV=(\w+))?(?: DN="([^"]*)")?(?: A=(\S+))?')
_STAMP = re.compile(rb"\d{4}-\d\d-\d\d")
_DAY = 10  # characters

By = tuple[Use, bytes, bytes, bytes, bytes]  # for whom a mail came, the login, X=, CV= and DN=


class Block:
    """Counts Exim's lines into a tally."""

    def __init__(
        self, tally: Tally, own: Container[bytes] = (), first: bytes = b"", last: bytes = b""
    ) -> None:
        """Count the lines of some days, or of all; mail from *own* addresses is counted apart."""
        self._tally, self._own = tally, own
        self._first, self._last = first, last or b"~"
        self._day = b""
        self._where = Where(tally)
        self._came, self._went = Known(self._sender), Known(self._way)
        self._by = Known(self._by_whom)
        self._lines: dict[tuple[Kind, bool], Seen] = {}
        self._same: dict[bytes, bytes] = {}

    def count(self, block: bytes) -> None:
        """Count whole lines, each with its end."""
        for day, lines in _by_day(block):
            if self._first <= day <= self._last:
                if day != self._day and _STAMP.fullmatch(day):
                    self.flush()
                    self._day = day
                self._count(lines)

    def _count(self, lines: bytes) -> None:
        """Count lines of the same day."""
        tally = self._tally
        known, named, counts = count(
            lines, tally.open, self._came, self._went, tally.copy, self.other
        )
        if known:
            tally.days[self._day] += known
        tally.named += named
        for key, number in zip(COUNTED, counts, strict=True):
            tally.lines[key] += number

    def flush(self) -> None:
        """Count what is waiting; to be done at the end."""
        self._where.flush()
        for key, seen in self._lines.items():
            self._tally.lines[key] += seen.count
        for one in (self._came, self._went, self._lines):
            one.clear()

    def _line(self, kind: Kind, *, names: bool) -> Seen:
        """Where lines of a kind count."""
        return self._lines.setdefault((kind, names), Seen())

    def _sender(self, words: bytes) -> tuple[Seen, ...]:
        """Where mails count that come from an address in some way."""
        ip, _, by = words.partition(b"\n")
        use, login, x, cv, dn = self._by[by]
        if ip in self._own:
            use = "own"
        line = self._line("arrival", names=x not in (b"", UNNAMED))
        return line, *self._where.came(self._day, use, ip, login, x, cv, dn)

    def _by_whom(self, words: bytes) -> By:
        use, login, x, cv, dn = _arrived_by(*_via(words))
        return use, login, self._same.setdefault(x, x), cv, dn

    def _way(self, words: bytes) -> Went:
        """Where copies count that go to a host in some way."""
        name, ip, via = words.split(b"\n")
        _, x, cv, dn, _ = _via(via)
        x, cv = self._same.setdefault(x, x), self._same.setdefault(cv, cv)  # kept only once
        line = self._line("delivery", names=bool(x))
        if ip in self._own:
            return Went((line,))
        sent = (self._day, name, ip, x, cv, dn)
        return Went((line, *self._where.went(sent)), sent, (sent,))

    def other(self, line: bytes) -> None:
        """What is not written by everybody, one line at a time."""
        tally = self._tally
        event = parse(line)
        tally.lines[event.kind, b" X=" in line] += 1
        tally.days[event.day] += 1
        if event.kind == "arrival":
            tally.began(event.id)
            if event.ip:
                use, login, x, cv, dn = _arrived_by(
                    event.protocol, event.x, event.cv, event.dn, event.login
                )
                use = "own" if event.ip in self._own else use
                tally.arrived(event.day, use, event.ip, login, x, cv, dn)
        elif event.kind == "delivery" and event.ip and event.ip not in self._own:
            tally.sent(event.id, (event.day, event.name, event.ip, event.x, event.cv, event.dn))
        elif event.kind == "completed":
            tally.completed(event.id)
        elif event.kind == "tls-error" and event.ip:
            tally.failed(
                event.day,
                "own" if event.ip in self._own else "mx",
                event.ip,
                errors.reason(event.text),
            )
        elif event.kind == "ambiguous":  # the same few are kept, wherever a log is cut
            tally.strange = sorted({*tally.strange, line})[:STRANGE]


def _via(words: bytes) -> tuple[bytes, bytes, bytes, bytes, bytes]:
    """How a mail came or went: protocol, X=, CV=, DN= and A=."""
    match = _VIA.fullmatch(words)
    assert match is not None, words  # noqa: S101 - it is a part of what has matched
    protocol, x, cv, dn, login = match.groups(b"")
    return protocol, x, cv, dn, login


def _arrived_by(protocol: bytes, x: bytes, cv: bytes, dn: bytes, login: bytes) -> By:
    use: Use = "submission" if login or protocol.endswith(b"a") else "mx"
    if not x and protocol.rstrip(b"a").endswith(b"s"):
        x = UNNAMED
    return use, login.partition(b":")[2], x, cv, dn


def _by_day(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The lines of each day; a line without one has what its first characters are."""
    day = block[:_DAY]
    if block.count(b"\n" + day) == block.count(b"\n") - 1:
        yield day, block
        return
    for day, lines in groupby(block.split(b"\n")[:-1], key=lambda line: line[:_DAY]):
        yield day, b"\n".join((*lines, b""))
