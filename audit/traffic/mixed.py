"""Lines of whatever daemons write to one syslog file: each goes to who understands it. Pure.

A process is looked at once, when its first line comes; after that a line costs a search for the
end of its name, one look-up, and what its daemon's grammar needs.
"""

from collections import Counter
from datetime import datetime
from functools import partial

from audit.traffic import cyrus, dovecot, exim_syslog, postfix, seams
from audit.traffic.seams import Process, Sink, Talk
from audit.traffic.stretch import Seams, Stretch
from audit.traffic.syslog import Calendar, Prefix, prefix
from audit.traffic.syslog_lines import NAMED, Ear, Hear
from audit.traffic.tally import Kind

try:
    from audit.traffic.syslog_native import run
except ImportError:  # no compiler where this was installed
    from audit.traffic.syslog_lines import run

_BLANKS = 2  # in the name of a process
_MANY = 1000  # names of processes that say nothing of mail


class Reader:
    """Counts one part of a syslog file, or Dovecot's own log file."""

    def __init__(  # noqa: PLR0913 - what is known of a part
        self,
        sink: Sink,
        changed: datetime,
        *,
        part: int = 0,
        node: bytes = b"",
        first: bytes = b"",
        last: bytes = b"",
    ) -> None:
        """Into a sink.

        Args:
            sink: where to count.
            changed: when the file was written to for the last time.
            part: the place of this part among all, as far as the caller knows it.
            node: the host of lines that name none, a word.
            first: the first day to count, YYYY-MM-DD; empty: all.
            last: the last one; empty: all.
        """
        self._sink, self._calendar, self._part = sink, Calendar(changed), part
        self._node, self._first, self._last = node, first, last or b"~"
        self._known: dict[bytes, Ear] = {}
        self._processes: dict[bytes, Process] = {}
        self._plain: list[Kind] = []
        self._naming: list[Kind] = []
        # How the last line began: its day, as it is written, and where its writer's name stood.
        self._stamp, self._day, self._writer, self._others = b"\n", b"", 0, 0

    def count(self, block: bytes) -> None:
        """Count whole lines, each with its end."""
        lines = block.split(b"\n")
        lines.pop()
        at = 0
        while at < len(lines):
            start = self._stamp, self._writer, self._known, self._day
            at = run(lines, at, *start, self._plain, self._naming, self._rare)
            if at < len(lines):
                self._stranger(lines[at])
                at += 1
        self._settle()

    def _stranger(self, line: bytes) -> None:
        """A line that is not like the one before, or whose writer is not known."""
        end, hear = self._meet(line)
        kind = hear(line, end + 2, self._day)
        if NAMED in line or kind == "ambiguous":
            self._rare(line, kind, hear)
        elif kind:
            self._plain.append(kind)

    def _rare(self, line: bytes, kind: Kind | None, hear: Hear) -> None:
        """A line that names a session, or in which somebody has written as if it did."""
        if kind is None:
            return
        names, foreign = NAMED in line, hear is _foreign
        self._sink.tally.named += names and foreign
        if kind == "other" and not foreign:
            kind = "ambiguous"
        if kind == "ambiguous":
            self._sink.tally.shown(line)
        (self._naming if names and not foreign else self._plain).append(kind)

    def _settle(self) -> None:
        """Count the lines since the last time: they are of one day."""
        tally = self._sink.tally
        tally.named += len(self._naming)
        for some, names in ((self._plain, False), (self._naming, True)):
            for kind, count in Counter(some).items():
                tally.lines[kind, names] += count
                tally.days[self._day] += count
            some.clear()

    def _meet(self, line: bytes) -> tuple[int, Hear]:
        """The end of the name and the grammar."""
        found = prefix(line, self._calendar)
        day = found.day if found else b""  # a line that goes on with another has none
        if day != self._day:
            self._settle()
            self._day = day
        self._stamp = b"\n"
        if not self._first <= day <= self._last:
            return -2, _unwanted
        if found is None:
            return -2, _foreign
        self._stamp, self._writer = line[: found.dated], found.writer
        name = line[found.writer : found.end - 2]
        ear = self._known.get(name) or self._ear(found._replace(host=found.host or self._node))
        if ear.hear is _foreign:
            self._others = (self._others + 1) % _MANY
            if not self._others:  # some write a name of its own for every line
                for one in [name for name, ear in self._known.items() if ear.hear is _foreign]:
                    del self._known[one]
        self._known[name] = ear
        return found.end - 2, ear.hear

    def _ear(self, found: Prefix) -> Ear:
        process = None
        if kind := _talk(found.tag):
            process = Process(kind(found.host, found.tag), found.day + b" " + found.time)
            self._processes[_name(found)] = process
        tag, host, sink = found.tag, found.host, self._sink
        if process and kind is exim_syslog.Parts:
            return Ear(exim_syslog.Native(process, sink).hear)
        if heard := postfix.hear(tag, host, process, sink):
            begun = sink.tally.begun(host)
            return Ear(heard, *(begun if one else None for one in postfix.queues(tag)))
        return Ear(cyrus.hear(tag, process, sink) or dovecot.hear(tag, sink) or _foreign)

    def end(self) -> Seams:
        """The part is over; what is left of it is to be put into the tally, for `finish`."""
        self._sink.flush()
        return {name: [one.stretch(self._part)] for name, one in self._processes.items()}


def finish(sink: Sink) -> None:
    """Count what parts left that belongs together; to be done before `Tally.finish`."""
    left, sink.tally.seams = sink.tally.seams, {}
    for name, stretches in left.items():
        host, tag, _ = name.split(b" ")
        kind = _talk(tag)
        if kind:
            seams.join(stretches, partial(kind, host, tag), sink)
    sink.flush()


def sound(left: Seams) -> bool:
    """Whether these are what parts can leave: what was kept may say anything."""
    return all(_is_left(name, stretches) for name, stretches in left.items())


def _is_left(name: bytes, stretches: list[Stretch]) -> bool:
    _, _, tag = name.rpartition(b" ")[0].rpartition(b" ")
    kind = _talk(tag)
    return (
        kind is not None
        and name.count(b" ") == _BLANKS
        and all(kind.sound(event) for one in stretches for event in (*one.head, *one.open))
    )


def _name(found: Prefix) -> bytes:
    return b" ".join((found.host, found.tag, found.pid))


def _talk(tag: bytes) -> type[Talk] | None:
    return exim_syslog.talk(tag) or postfix.talk(tag) or cyrus.talk(tag)


def _foreign(_line: bytes, _start: int, _day: bytes) -> Kind:
    """A daemon that says nothing of mail, or no line of syslog's."""
    return "other"


def _unwanted(_line: bytes, _start: int, _day: bytes) -> None:
    """A day that is not to be counted."""
