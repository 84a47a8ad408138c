"""Blocks of Exim's log, counted into a tally. Pure.

What a line means is found out once for the words in it that others share; after that such a line
costs a look-up. Which words these are is told by `exim_native.c`, or by `exim_lines` where that was
not compiled.
"""

import re
from collections.abc import Container, Iterator
from functools import partial
from itertools import groupby

from audit.traffic import errors
from audit.traffic.exim import parse
from audit.traffic.exim_count import COUNTED
from audit.traffic.exim_put_off import refused
from audit.traffic.seen import Seen, see
from audit.traffic.tally import UNNAMED, Kind, Sent, Tally, Use
from audit.traffic.ways import sender, way
from audit.traffic.where import WAYS, Came, Known, Went, Where

try:
    from audit.traffic.exim_native import alike, count
except ImportError:  # no compiler where this was installed
    from audit.traffic.exim_lines import alike, count

# P= to A=, of an arrival, or the X= and CV= of a delivery.
_BY = re.compile(rb'([\w-]*)(?: X=([\w.:+-]+)\*?)?(?: CV=(\w+))?(?: DN="([^"]*)")?(?: A=(\S+))?')
_STAMP = re.compile(rb"\d{4}-\d\d-\d\d")
_DAY = 10  # characters
_HOSTS = 1 << 17  # that are remembered, of those that mails came from in one way


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
        self._came = Known(self._by)
        self._went = Known(self._ways)
        self._lines: dict[tuple[Kind, bool], Seen] = {}
        self._same: dict[bytes, bytes] = {}

    def count(self, block: bytes, node: bytes = b"") -> None:
        """Count whole lines of a node, each with its end."""
        for beginning, lines in _by_day(block):
            day = beginning if _STAMP.fullmatch(beginning) else b""
            if self._first <= day <= self._last:
                if day and day != self._day:
                    self.flush()
                    self._day = day
                self._count(lines, node)

    def _count(self, lines: bytes, node: bytes) -> None:
        """Count lines of the same day."""
        tally = self._tally
        copy, other = partial(tally.copy, node), partial(self.other, node=node)
        begun, went = tally.begun(node), self._went[node]
        known, named, counts = count(lines, begun, self._came, went, tally.ways, copy, other)
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

    def _by(self, words: bytes) -> Came:
        match = _BY.fullmatch(words)
        assert match is not None, words  # noqa: S101 - it is a part of what has matched
        use, login, x, cv, dn = _arrived_by(*match.groups(b""))
        x = self._same.setdefault(x, x)
        where, day = self._where, self._day

        def sender(ip: bytes) -> Seen | tuple[Seen, ...]:
            if ip not in self._own:
                return where.client(day, use, ip, login, x)
            return where.mails(day, "own", x, cv, dn), where.client(day, "own", ip, login, x)

        line = self._line("arrival", names=x not in (b"", UNNAMED))
        return Came(line, where.mails(day, use, x, cv, dn), Known(sender, _HOSTS))

    def _ways(self, node: bytes) -> Known[bytes, Went]:
        """What copies from a node go by."""
        return Known(partial(self._by_session, node))

    def _by_session(self, node: bytes, words: bytes) -> Went:
        by, _, session = words.partition(b"\n")
        match = _BY.fullmatch(session)
        assert match is not None, words  # noqa: S101 - likewise
        _, x, cv, *_ = match.groups(b"")
        x, cv = self._same.setdefault(x, x), self._same.setdefault(cv, cv)  # kept only once
        who, day, own, where = sender(node, by), self._day, self._own, self._where

        def sent(words: bytes) -> Sent | None:
            domain, host, ip, dn = words.split(b"\n")
            if ip in own:
                return None
            name, signed, _ = host.partition(b" DS")
            return where.sent(day, ip, way(who, domain, name, signed, x, cv, dn))

        line = self._line("delivery", names=bool(x))
        return Went(line, where.copies(day, x, cv), Known(sent, WAYS))

    def other(self, line: bytes, node: bytes = b"") -> None:
        """What is not written by everybody, one line at a time."""
        tally = self._tally
        event = parse(line)
        tally.lines[event.kind, b" X=" in line] += 1
        tally.days[event.day] += 1
        if event.kind == "arrival":
            tally.begun(node).setdefault(event.id, ())
            if event.ip:
                use, login, x, cv, dn = _arrived_by(
                    event.protocol, event.x, event.cv, event.dn, event.login
                )
                use = "own" if event.ip in self._own else use
                tally.arrived(event.day, use, event.ip, login, x, cv, dn)
        elif event.kind == "delivery" and event.ip and event.ip not in self._own:
            # Without `+tls_cipher` in the log's settings, its certificate still tells of TLS.
            x = event.x or (UNNAMED if event.cv or event.dn else b"")
            who = sender(node, event.protocol)
            how = way(who, event.domain, event.name, event.signed, x, event.cv, event.dn)
            tally.sent(node, event.id, (event.day, event.ip, how))
        elif event.kind == "completed":
            tally.begun(node).pop(event.id, None)
        elif event.kind == "tls-error" and event.ip:
            tally.failed(
                event.day,
                "own" if event.ip in self._own else "mx",
                event.ip,
                errors.reason(event.text),
            )
        elif event.kind == "ambiguous":
            tally.shown(line)
        elif (found := refused(line)) and found[2] not in self._own:
            domain, host, _, why = found
            see(tally.put_off, (domain.lower(), host.lower(), why), event.day)


def _arrived_by(
    protocol: bytes, x: bytes, cv: bytes, dn: bytes, login: bytes
) -> tuple[Use, bytes, bytes, bytes, bytes]:
    """For whom a mail came, who logged in, and X=, CV= and DN=."""
    use: Use = "submission" if login or protocol.endswith(b"a") else "mx"
    if not x and protocol.rstrip(b"a").endswith(b"s"):
        x = UNNAMED
    return use, login.partition(b":")[2], x, cv, dn


def _by_day(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Lines that begin alike, with a day or what stands in its place."""
    if alike(block, _DAY):
        yield block[:_DAY], block
        return
    for day, lines in groupby(block.split(b"\n")[:-1], key=lambda line: line[:_DAY]):
        yield day, b"\n".join((*lines, b""))
