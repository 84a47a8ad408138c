"""Blocks of Exim's log, counted into a tally. Pure.

What a line means is found out once for the words in it that others share; after that such a line
costs a look-up. Which words these are is told by `exim_lines`, or `native.c` where it was compiled.
"""

import re
from collections.abc import Callable, Container, Iterator
from itertools import groupby
from typing import TypeVar

from audit.traffic import errors
from audit.traffic.exim import parse
from audit.traffic.exim_count import COUNTED, Went
from audit.traffic.tally import STRANGE, UNNAMED, Seen, Tally, Use, see

try:
    from audit.traffic.native import count
except ImportError:  # no compiler where this was installed
    from audit.traffic.exim_lines import count

_VIA = re.compile(rb'([\w-]*)(?: X=([\w.:+-]+)\*?)?(?: CV=(\w+))?(?: DN="([^"]*)")?(?: A=(\S+))?')
_STAMP = re.compile(rb"\d{4}-\d\d-\d\d")
_DAY = 10  # characters
_FULL = 1 << 15  # words that are remembered

T = TypeVar("T")
By = tuple[Use, bytes, bytes, bytes, bytes]  # for whom a mail came, the login, X=, CV= and DN=


class _Known(dict[bytes, T]):
    """What words mean, found out once, as long as there is room."""

    def __init__(self, meaning: Callable[[bytes], T]) -> None:
        super().__init__()
        self._meaning = meaning

    def __missing__(self, words: bytes) -> T:
        if len(self) >= _FULL:
            self.clear()
        found = self[words] = self._meaning(words)
        return found


class Block:
    """Counts Exim's lines into a tally."""

    def __init__(
        self, tally: Tally, own: Container[bytes] = (), first: bytes = b"", last: bytes = b""
    ) -> None:
        """Count the lines of some days, or of all; mail from *own* addresses is counted apart."""
        self._tally, self._own = tally, own
        self._first, self._last = first, last or b"~"
        self._day = b""
        self._came, self._went = _Known(self._sender), _Known(self._way)
        self._by = _Known(self._by_whom)
        self._mails: dict[tuple[Use, bytes, bytes, bytes], Seen] = {}
        self._copies: dict[tuple[bool, bytes, bytes], Seen] = {}
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
        tally, day = self._tally, self._day
        for (use, x, cv, dn), seen in self._mails.items():
            tally.lines["arrival", x not in (b"", UNNAMED)] += seen.count
            tally.mails(day, use, x, cv, dn, seen.count)
        for (own, x, cv), seen in self._copies.items():
            tally.lines["delivery", bool(x)] += seen.count
            if not own:
                tally.mails_sent(day, x, cv, seen.count)
        for one in (self._came, self._went, self._mails, self._copies):
            one.clear()

    def _sender(self, words: bytes) -> tuple[Seen, ...]:
        """Where mails count that come from an address in some way."""
        ip, _, by = words.partition(b"\n")
        use, login, x, cv, dn = self._by[by]
        if ip in self._own:
            use = "own"
        mails = self._mails.setdefault((use, x, cv, dn), Seen())
        return mails, see(self._tally.clients, (use, ip, login, x), self._day, 0)

    def _by_whom(self, words: bytes) -> By:
        use, login, x, cv, dn = _arrived_by(*_via(words))
        return use, login, self._same.setdefault(x, x), cv, dn

    def _way(self, words: bytes) -> Went:
        """Where copies count that go to a host in some way."""
        name, ip, via = words.split(b"\n")
        _, x, cv, dn, _ = _via(via)
        x, cv = self._same.setdefault(x, x), self._same.setdefault(cv, cv)  # kept only once
        own = ip in self._own
        copies = self._copies.setdefault((own, x, cv), Seen())
        if own:
            return Went((copies,))
        sent = (self._day, name, ip, x, cv, dn)
        return Went(
            (copies, see(self._tally.hosts, (name, x, cv, dn), self._day, 0)), sent, (sent,)
        )

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
