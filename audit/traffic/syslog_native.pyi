from collections.abc import Callable

from audit.traffic.syslog_lines import Ear, Hear
from audit.traffic.tally import Kind

def run(
    lines: list[bytes],
    at: int,
    stamp: bytes,
    writer: int,
    known: dict[bytes, Ear],
    day: bytes,
    plain: list[Kind],
    naming: list[Kind],
    rare: Callable[[bytes, Kind | None, Hear], None],
    /,
) -> int: ...
