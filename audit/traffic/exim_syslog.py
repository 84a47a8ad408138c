"""Exim's lines in syslog, made what they would be in its own log files. Pure.

Syslog's stamp stands before the line, and Exim's own only if `syslog_timestamp` is on. A line that
is too long comes in parts `[1/3]`; a part whose end was the end of a line has a backslash.

Source: Exim's spec, chapter "Log files", and write_syslog() of log.c.
"""

import re
from dataclasses import dataclass, field

from audit.traffic.seams import Event, Process, Sink, Talk
from audit.traffic.tally import Kind

_TAG = re.compile(rb"exim4?")
_STAMPED = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_CLOCK = re.compile(rb"\d\d:\d\d:\d\d")
_PART = re.compile(rb"\[(\d{1,3})([/\\])(\d{1,3})\] ")

_WORDS, _DIGITS = 3, 3  # of a part, and of its number


def talk(tag: bytes) -> type[Talk] | None:
    """What has to be remembered of a process; None: this is not Exim."""
    return Parts if _TAG.fullmatch(tag) else None


@dataclass(slots=True)
class Native:
    """Lines of one process."""

    process: Process
    sink: Sink

    def hear(self, line: bytes, start: int, day: bytes) -> Kind | None:
        """One line; None: who counts Exim's lines counts it."""
        part = _PART.match(line, start)
        begin = part.end() if part else start
        stamped = _STAMPED.match(line, begin) or (part and part[1] != b"1")
        clock = _CLOCK.search(line, 0, start)
        stamp = b"%b %b " % (day, clock[0] if clock else b"00:00:00")
        text = line[begin:] if stamped else stamp + line[begin:]
        if part is None:
            self.sink.exim(text + b"\n", self.process.talk.host)
            return None
        number, end, count = part.groups()
        self.process.take((number, count, text + (b"\n" if end == b"\\" else b"")), self.sink)
        return "other"


@dataclass(slots=True)
class Parts(Talk):
    """A process that writes a line in parts: what there is of it."""

    some: list[bytes] = field(default_factory=list)

    @staticmethod
    def begins(_before: Event | None, event: Event) -> bool:
        """The first part."""
        return event[0] == b"1"

    @staticmethod
    def ends(event: Event) -> bool:
        """The last part."""
        return event[0] == event[1]

    @staticmethod
    def sound(event: Event) -> bool:
        """A number, how many there are, and the words."""
        return len(event) == _WORDS and event[0].isdigit() and len(event[0]) <= _DIGITS

    def take(self, event: Event, sink: Sink) -> None:
        """One part; one without those before it makes no line."""
        number, count, text = event
        if number == b"1":
            self.some.clear()
        if int(number) == len(self.some) + 1:
            self.some.append(text)
            if number == count:
                sink.exim(b"".join(self.some).rstrip(b"\n") + b"\n", self.host)
        if number == count:
            self.some.clear()

    def end(self, sink: Sink) -> None:
        """What is not complete is no line."""

    def open(self) -> list[Event]:
        """The parts."""
        return [(b"%d" % n, b"", text) for n, text in enumerate(self.some, 1)]
