"""What the quick ways through Exim's lines, `exim_lines` and `native.c`, count them into. Pure."""

from typing import NamedTuple

from audit.traffic.tally import Kind, Seen, Sent


class Went(NamedTuple):
    """A way that copies went.

    Attributes:
        counted: where each of them counts.
        sent: what it is to a message; None: to one's own host, which no message needs to know.
        only: the mails of a message with this one alone.
    """

    counted: tuple[Seen, ...]
    sent: Sent | None = None
    only: tuple[Sent, ...] = ()


# What is counted at once: lines that matter to no message, by kind and whether they name a session.
COUNTED: tuple[tuple[Kind, bool], ...] = (
    ("completed", False),
    ("deferral", False),
    ("failure", False),
    ("delivery", False),
    ("reject", False),
    ("reject", True),
    ("other", False),
    ("other", True),
)
