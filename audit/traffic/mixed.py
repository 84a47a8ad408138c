"""Lines of whatever daemons write to one syslog file: each goes to who understands it. Pure.

A process is looked at once, when its first line comes; after that a line costs a search for the
end of its name, one look-up, and what its daemon's grammar needs.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from audit.traffic import cyrus, dovecot, exim_syslog, postfix, seams
from audit.traffic.seams import Process, Seams, Sink, Stretch, Talk
from audit.traffic.syslog import Calendar, Prefix, prefix
from audit.traffic.tally import STRANGE, Kind

Hear = Callable[[bytes, int, bytes], Kind | None]

# What all of them write of a session, and hardly anybody else: counted apart from the grammars.
NAMED = b" with cipher "
_MANY = 1000  # names of processes that say nothing of mail


class Reader:
    """Counts one part of a syslog file, or Dovecot's own log file."""

    def __init__(
        self,
        sink: Sink,
        changed: datetime,
        *,
        part: int = 0,
        first: bytes = b"",
        last: bytes = b"",
    ) -> None:
        """Into a sink.

        Args:
            sink: where to count.
            changed: when the file was written to for the last time.
            part: the place of this part among all, as far as the caller knows it.
            first, last: the days to count, YYYY-MM-DD, both counted; empty: all.
        """
        self._sink, self._calendar, self._part = sink, Calendar(changed), part
        self._first, self._last = first, last or b"~"
        self._days: dict[bytes, bytes] = {}
        self._known: dict[bytes, Hear] = {}
        self._processes: dict[bytes, Process] = {}
        self._dated = self._writer = self._others = 0

    def count(self, block: bytes) -> None:
        """Count whole lines, each with its end."""
        lines = block.split(b"\n")
        lines.pop()
        tally, known, days = self._sink.tally, self._known.get, self._days.get
        dated, writer = self._dated, self._writer
        kinds: list[Kind] = []
        counted: list[bytes] = []
        for line in lines:
            day = days(line[:dated])
            end = line.find(b": ", writer)
            hear = known(line[writer:end])
            if not day or not hear:
                day, end, hear = self._meet(line)
                dated, writer = self._dated, self._writer
                if not self._first <= day <= self._last:
                    continue
            if NAMED in line:
                self._named(line, end + 2, day, hear)
            elif kind := hear(line, end + 2, day):
                kinds.append(kind)
                counted.append(day)
                if kind == "ambiguous":
                    self._strange(line)
        for one, count in Counter(kinds).items():
            tally.lines[one, False] += count
        for one_day, count in Counter(counted).items():
            tally.days[one_day] += count

    def _named(self, line: bytes, start: int, day: bytes, hear: Hear) -> None:
        """Count a line that names a session, or in which somebody has written as if it did."""
        kind = hear(line, start, day)
        if kind is None:
            return  # Exim's are counted by who understands them
        tally = self._sink.tally
        tally.named += 1
        tally.days[day] += 1
        if hear is _foreign:
            tally.lines[kind, False] += 1
            return
        if kind in ("other", "ambiguous"):
            kind = "ambiguous"
            self._strange(line)
        tally.lines[kind, True] += 1

    def _strange(self, line: bytes) -> None:
        """Keep the same few, wherever a log is cut."""
        some = self._sink.tally.strange
        some[:] = sorted({*some, line})[:STRANGE]

    def _meet(self, line: bytes) -> tuple[bytes, int, Hear]:
        """The day, the end of the name and the grammar, of a line that is not like those before."""
        found = prefix(line, self._calendar)
        if found is None:
            return self._first, -2, _foreign
        self._dated, self._writer = found.dated, found.writer
        if self._first <= found.day <= self._last:
            self._days[line[: found.dated]] = found.day
        name = line[found.writer : found.end - 2]
        hear = self._known.get(name) or self._hear(found)
        if hear is _foreign:
            self._others = (self._others + 1) % _MANY
            if not self._others:  # some write a name of its own for every line
                for one in [name for name, hear in self._known.items() if hear is _foreign]:
                    del self._known[one]
        self._known[name] = hear
        return found.day, found.end - 2, hear

    def _hear(self, found: Prefix) -> Hear:
        process = None
        if kind := _talk(found.tag):
            process = Process(kind(found.host, found.tag), found.day + b" " + found.time)
            self._processes[_name(found)] = process
        tag, sink = found.tag, self._sink
        if process and kind is exim_syslog.Parts:
            return exim_syslog.Native(process, sink).hear
        return (
            postfix.hear(tag, found.host, process, sink)
            or cyrus.hear(tag, process, sink)
            or dovecot.hear(tag, sink)
            or _foreign
        )

    def seams(self) -> Seams:
        """What is left when the part is over; to be given to `finish` with that of all others."""
        return {name: [one.stretch(self._part)] for name, one in self._processes.items()}


def finish(left: Mapping[bytes, list[Stretch]], sink: Sink) -> None:
    """Count what parts left that belongs together; to be done before `Tally.finish`."""
    for name, stretches in left.items():
        host, tag, _ = name.split(b" ")
        kind = _talk(tag)
        if kind:
            seams.join(stretches, partial(kind, host, tag), sink)


def _name(found: Prefix) -> bytes:
    return b" ".join((found.host, found.tag, found.pid))


def _talk(tag: bytes) -> type[Talk] | None:
    return exim_syslog.talk(tag) or postfix.talk(tag) or cyrus.talk(tag)


def _foreign(_line: bytes, _start: int, _day: bytes) -> Kind:
    """A daemon that says nothing of mail, or no line of syslog's."""
    return "other"
