"""Lines of syslog, each to who understands it, as long as they begin alike. Pure.

`syslog_native.c` is the same once more, and tells itself what most lines say that begin messages or
end them. That both say the same is tested for lines of all kinds.
"""

from collections.abc import Callable
from typing import NamedTuple

from audit.traffic.tally import Kind, Messages

Hear = Callable[[bytes, int, bytes], Kind | None]

# What all of them write of a session, and hardly anybody else: counted apart from the grammars.
NAMED = b" with cipher "


class Ear(NamedTuple):
    """Who takes the lines of a process.

    Attributes:
        hear: takes one, where its message begins, and its day; says of what kind it is.
        begins: what its node has begun, if `ID: message-id=` begins a message here; else None.
        ends: the same, if `ID: removed` ends one here, and nothing else matters; else None.
    """

    hear: Hear
    begins: Messages | None = None
    ends: Messages | None = None


def run(  # noqa: PLR0913, PLR0917 - where every line goes through
    lines: list[bytes],
    at: int,
    stamp: bytes,
    writer: int,
    known: dict[bytes, Ear],
    day: bytes,
    plain: list[Kind],
    naming: list[Kind],
    rare: Callable[[bytes, Kind | None, Hear], None],
) -> int:
    """Take lines up to one that begins otherwise, or is of somebody new.

    Args:
        lines: without their ends.
        at: the first one to take.
        stamp: what they begin with.
        writer: where the name of who writes begins.
        known: who takes whose lines.
        day: theirs, YYYY-MM-DD.
        plain: what kinds there were is added to this.
        naming: the same of lines that name a session, and are understood so.
        rare: takes a line that names one and is not, or is ambiguous, and its kind.

    Returns:
        The first one not taken.
    """
    ear_of, count = known.get, plain.append
    for number in range(at, len(lines)):
        line = lines[number]
        end = line.find(b": ", writer)
        ear = ear_of(line[writer:end]) if end >= 0 and line.startswith(stamp) else None
        if ear is None:
            return number
        kind = ear.hear(line, end + 2, day)
        named = NAMED in line
        if named and kind == "session":
            naming.append(kind)
        elif named or kind == "ambiguous":
            rare(line, kind, ear.hear)
        elif kind:
            count(kind)
    return len(lines)
