"""What a cut of a log tore apart, as data that can be kept: see `seams`. Pure."""

from dataclasses import dataclass


@dataclass(slots=True)
class Stretch:
    """What is left of one process's lines in one part; see `seams`.

    Attributes:
        first: day and time of the first event, as the log has them.
        part: the place of the part among all parts; decides where times are the same.
        head: what came before it was known how things stood.
        known: whether that became known.
        open: how they stood in the end, if so.
    """

    first: bytes
    part: int
    head: list[tuple[bytes, ...]]
    known: bool
    open: list[tuple[bytes, ...]]


Seams = dict[bytes, list[Stretch]]  # by host, a blank, and what syslog writes of the process
