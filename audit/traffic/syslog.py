"""What syslog, journald's export or multilog wrote before a line. Pure.

Sources: RFC 3164, RFC 3339, journalctl(1) (`short`, `short-precise`, `short-iso`), multilog(8),
rsyslog's and syslog-ng's own templates, Dovecot's log files (a time and a process, no host).
"""

import re
from calendar import month_abbr
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

_MONTHS = {name.encode(): number for number, name in enumerate(month_abbr)}
_CLOCK = rb"\d\d:\d\d:\d\d(?:[.,]\d+)?"
_YEARLESS = rb"(?P<month>[A-Z][a-z]{2}) {1,2}(?P<of>\d{1,2}) (?P<time>" + _CLOCK + rb") "
_DATED = rb"(?P<day>\d{4}-\d\d-\d\d)[T ](?P<clock>" + _CLOCK + rb"(?: ?(?:Z|[+-]\d\d:?\d\d))?) "
_TAI64N = rb"@(?P<tai>[0-9a-f]{16})(?P<nano>[0-9a-f]{8}) "
_AGAIN = re.sub(rb"\?P<\w+>", rb"?:", rb"(?>" + _YEARLESS + rb"|" + _DATED + rb"|)")
_PREFIX = re.compile(
    rb"(?><\d{1,3}>|)(?:"
    + _YEARLESS
    + rb"|"
    + _DATED
    + rb"|"
    + _TAI64N
    + rb")"
    + _AGAIN
    +
    # A host's name or address; then who writes, which has neither colon nor blank.
    rb"(?P<writer>(?>(?P<host>\S*[^\s:]) |)(?P<tag>[^\s:\[\]]+)(?>\[(?P<pid>\d+)\]|)): "
)
_TAI = (1 << 62) + 10  # of 1970, as multilog writes it: it knows of no later leap seconds
_LOOKED_AT = 1 << 14  # bytes of a file, to know what it is


class Prefix(NamedTuple):
    """What stands before a message.

    Attributes:
        day: YYYY-MM-DD.
        time: the time of the day, as it is written; of the same file, later ones sort later.
        host, tag, pid: who wrote; host and pid are empty if they are not there.
        dated: how many bytes at the start of the line fix the day.
        writer: where host and tag begin.
        end: where the message begins.
    """

    day: bytes
    time: bytes
    host: bytes
    tag: bytes
    pid: bytes
    dated: int
    writer: int
    end: int


class Calendar:
    """Days of lines, also of those whose stamp names no year.

    Their day is the last of its name before the file was changed, so a file may go on over New
    Year. It must not span more than a year: nothing in it would say so.
    """

    def __init__(self, changed: datetime) -> None:
        """*changed*: when the last line was written, as the file system has it."""
        # The clock of the log may be ahead of ours by a time zone.
        self._last = (changed + timedelta(days=1)).date()

    def day(self, month: int, of: int) -> date | None:
        """The day; None if there is none of that name."""
        for year in range(self._last.year, self._last.year - 9, -1):
            try:
                found = date(year, month, of)
            except ValueError:
                continue  # the 29th of February, or nonsense
            if found <= self._last:
                return found
        return None


def is_syslog(block: bytes) -> bool:
    """Whether most lines at the beginning of a file have a prefix: Exim's own files have none."""
    lines = [line for line in block[:_LOOKED_AT].splitlines() if line.strip()]
    return 2 * sum(bool(_PREFIX.match(line)) for line in lines) > len(lines)


def prefix(line: bytes, calendar: Calendar) -> Prefix | None:
    """What syslog wrote before the message; None if that is not what the line begins with."""
    match = _PREFIX.match(line)
    if match is None:
        return None
    if match["day"]:
        day, time, dated = match["day"], match["clock"], match.end("day")
    elif match["tai"]:
        found = _tai(int(match["tai"], 16))
        if found is None:
            return None
        day, time = found[:10], found[11:] + b"." + match["nano"]
        dated = match.end("nano")
    else:
        month = _MONTHS.get(match["month"])
        known = calendar.day(month, int(match["of"])) if month else None
        if known is None:
            return None
        day, time = known.isoformat().encode(), match["time"]
        dated = match.end("of") + 1  # with the blank: "Nov 2" is no beginning of "Nov 29"
    return Prefix(
        *(day, time, match["host"] or b"", match["tag"], match["pid"] or b""),
        *(dated, match.start("writer"), match.end()),
    )


def _tai(label: int) -> bytes | None:
    try:
        return datetime.fromtimestamp(label - _TAI, UTC).strftime("%Y-%m-%d %H:%M:%S").encode()
    except (ValueError, OverflowError, OSError):
        return None
