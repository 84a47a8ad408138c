"""Whole blocks of Exim's log at a time: the lines that everybody writes, by one expression. Pure.

An expression that reads a line from its beginning and allows no blank, quote or bracket where
others write is as strict as `exim.parse` and several times as fast; it leaves every other line to
that. That both say the same is tested for lines of all kinds.
"""

import re
from collections import Counter
from collections.abc import Container, Iterator
from itertools import groupby

from audit.traffic import errors
from audit.traffic.exim import parse
from audit.traffic.tally import STRANGE, UNNAMED, Kind, Sent, Tally, Use, see


def _maybe(expression: bytes) -> bytes:
    """Something or nothing, in the form that costs least."""
    return rb"(?:" + expression + rb"|)"


def _without(letters: bytes, more: bytes = b"") -> bytes:
    """What follows on a line, without `P=` for the letter P, and without other characters."""
    other = rb"[^" + letters + more + rb"\n]*"
    return other + rb"(?:[" + letters + rb"](?!=)" + other + rb")*"


_PORT = _maybe(rb":\d+")
_PEER = rb"\[([0-9a-fA-F.:]+)\]" + _PORT
_INTERFACE = _maybe(rb" I=\[[^\]\s]+\]" + _PORT)
_TLS = _maybe(rb" X=[\w.:+-]+\*?" + _maybe(rb" CV=\w+") + _maybe(rb' DN="[^"\\\n]*"'))
_WITHOUT_FIELDS = _without(rb"PRX", rb'"')
_ARRIVED = (
    rb"<= [^\s\"]+ H="
    + _maybe(rb"[^\s()\[\]=\"]+ ")
    + _maybe(rb"\([^\s()=\"]*\) ")
    + _PEER
    + _INTERFACE
    + rb" P=([\w-]+(?:(?<=s)|(?<=sa)|(?! X=))"
    + _TLS
    + _maybe(rb" A=\S+")
    + rb")"
    + _maybe(rb" K")
    + rb" S=\d"
    + _WITHOUT_FIELDS
    + _maybe(rb" T=\"[^PX\"\\\n]*\"" + _WITHOUT_FIELDS)
)
_SENT = (
    rb"[=-]> [^\s\"]+"
    + _maybe(rb" <[^\s\">]*>")
    + _maybe(rb" F=<[^\s\">]*>")
    + _maybe(rb" P=<[^\s\">]*>")
    + rb" R=\S+ T=\S+"
    + _maybe(rb" ST=\S+")
    + _maybe(rb" S=\d+")
    + _maybe(
        rb" H=(\S+)" + _maybe(rb" DS") + rb" " + _PEER + rb"\*?" + _INTERFACE + rb"(" + _TLS + rb")"
    )
    + rb"(?! (?:ST|S|H|I|X|CV|DN)=)"
    + _maybe(rb" " + _without(rb"RX"))
)
_LINE = re.compile(
    rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    + _maybe(rb"\.\d+")
    + _maybe(rb" [+-]\d{4}")
    + _maybe(rb" \[\d+\]")
    + rb" (?:(\w{6}-\w{6}-\w{2}|\w{6}-\w{11}-\w{4}) (?:"
    + rb"|".join((_ARRIVED, _SENT, rb"(C)ompleted[^X\n]*", rb"(=|\*)[=*] " + _without(rb"X")))
    + rb")|(H=[^\n]*))\n|([^\n]*)\n"
)
_VIA = re.compile(rb'([\w-]*)(?: X=([\w.:+-]+)\*?)?(?: CV=(\w+))?(?: DN="([^"]*)")?(?: A=(\S+))?')
_NAMED = re.compile(rb" X=[^\n]*")
_DAY = 10  # characters
_FULL = 1 << 15  # different ones that wait to be counted, or are remembered

Via = tuple[bytes, bytes, bytes, bytes, bytes]


class Block:
    """Counts Exim's lines into a tally."""

    def __init__(
        self, tally: Tally, own: Container[bytes] = (), first: bytes = b"", last: bytes = b""
    ) -> None:
        """Count the lines of some days, or of all; mail from *own* addresses is counted apart."""
        self._tally, self._own = tally, own
        self._first, self._last = first, last or b"~"
        self._day = b""
        self._arrivals: Counter[tuple[bytes, bytes]] = Counter()
        self._copies: Counter[Sent] = Counter()
        self._again: Counter[Sent] = Counter()
        self._vias: dict[bytes, Via] = {}
        self._by: dict[bytes, tuple[Use, bytes, bytes, bytes, bytes]] = {}

    def count(self, block: bytes, node: bytes = b"") -> None:
        """Count whole lines of a node, each with its end."""
        for day, lines in _by_day(block):
            if self._first <= day <= self._last:
                if day != self._day:
                    self.flush()
                    self._day = day
                self._count(lines, node)

    def _count(self, block: bytes, node: bytes) -> None:  # noqa: C901, PLR0912, PLR0915 - where every line goes through
        """Count lines of the same day."""
        day, own, begun, vias = self._day, self._own, self._tally.begun(node), self._vias
        arrivals: list[tuple[bytes, bytes]] = []
        copies: list[Sent] = []
        again: list[Sent] = []
        rejects: list[bytes] = []
        arrive, send, repeat = arrivals.append, copies.append, again.append
        complete = begun.pop
        completed = local = deferred = failed = others = 0
        found = _LINE.findall(block)
        for line in found:
            identity = line[0]
            if line[1]:
                begun[identity] = ()
                arrive(line[1:3])
            elif line[3]:
                _, x, cv, dn, _ = vias.get(line[5]) or self._via(line[5])
                if line[4] in own:
                    self._tally.lines["delivery", bool(x)] += 1
                    continue
                sent = (day, line[3], line[4], x, cv, dn)
                send(sent)
                known = begun.get(identity)
                if known == ():
                    begun[identity] = (sent,)
                elif known and sent in known:
                    repeat(sent)
                else:
                    self._tally.copy(node, identity, sent)
            elif line[6]:
                completed += 1
                complete(identity, None)
            elif line[7]:
                deferred += line[7] == b"="
                failed += line[7] == b"*"
            elif line[8]:
                rejects.append(line[8])
            elif identity:
                local += 1
            else:
                others += 1
                self.other(line[9], node)
        if len(found) > others:
            self._tally.days[day] += len(found) - others
        self._tally.named += len(_NAMED.findall(block))
        kinds: tuple[tuple[Kind, int], ...] = (
            ("completed", completed),
            ("deferral", deferred),
            ("failure", failed),
            ("delivery", local),
        )
        for kind, count in kinds:
            self._tally.lines[kind, False] += count
        for text in rejects:
            self._tally.lines["reject" if b" rejected " in text else "other", b" X=" in text] += 1
        self._arrivals.update(arrivals)
        self._copies.update(copies)
        self._again.update(again)
        if len(self._arrivals) + len(self._copies) > _FULL:
            self.flush()

    def flush(self) -> None:
        """Count what is waiting; to be done at the end."""
        tally, day, own = self._tally, self._day, self._own
        mails: Counter[tuple[Use, bytes, bytes, bytes]] = Counter()
        for (ip, words), count in self._arrivals.items():
            use, login, x, cv, dn = self._arrived_by(words)
            if ip in own:
                use = "own"
            mails[use, x, cv, dn] += count
            see(tally.clients, (use, ip, login, x), day, count)
        for (use, x, cv, dn), count in mails.items():
            tally.lines["arrival", x not in (b"", UNNAMED)] += count
            tally.mails(day, use, x, cv, dn, count)
        ways: Counter[tuple[bytes, bytes]] = Counter()
        for (_, name, _, x, cv, dn), count in self._copies.items():
            ways[x, cv] += count
            see(tally.hosts, (name, x, cv, dn), day, count)
        for (x, cv), count in ways.items():
            tally.lines["delivery", bool(x)] += count
            tally.mails_sent(day, x, cv, count)
        for sent, count in self._again.items():
            tally.again(sent, count)
        for waiting in (self._arrivals, self._copies, self._again):
            waiting.clear()
        if len(self._vias) > _FULL:
            self._vias.clear()
            self._by.clear()

    def _via(self, words: bytes) -> Via:
        """How a mail came or went: protocol, X=, CV=, DN= and A=."""
        match = _VIA.fullmatch(words)
        assert match is not None, words  # noqa: S101 - it is a part of what has matched
        protocol, x, cv, dn, login = match.groups(b"")
        via = self._vias[words] = protocol, x, cv, dn, login
        return via

    def _arrived_by(self, words: bytes) -> tuple[Use, bytes, bytes, bytes, bytes]:
        by = self._by.get(words)
        if by is None:
            by = self._by[words] = _arrived_by(*self._via(words))
        return by

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
            tally.sent(node, event.id, (event.day, event.name, event.ip, x, event.cv, event.dn))
        elif event.kind == "completed":
            tally.begun(node).pop(event.id, None)
        elif event.kind == "tls-error" and event.ip:
            tally.failed(
                event.day,
                "own" if event.ip in self._own else "mx",
                event.ip,
                errors.reason(event.text),
            )
        elif event.kind == "ambiguous":  # the same few are kept, wherever a log is cut
            tally.strange = sorted({*tally.strange, line})[:STRANGE]


def _arrived_by(
    protocol: bytes, x: bytes, cv: bytes, dn: bytes, login: bytes
) -> tuple[Use, bytes, bytes, bytes, bytes]:
    """For whom a mail came, who logged in, and X=, CV= and DN=."""
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
    lines = block.splitlines(keepends=True)
    for day, together in groupby(lines, key=lambda line: line[:_DAY]):
        yield day, b"".join(together)
