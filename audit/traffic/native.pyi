from collections.abc import Callable

from audit.traffic.exim_count import Went
from audit.traffic.tally import Seen, Sent

def count(
    block: bytes,
    begun: dict[bytes, tuple[Sent, ...]],
    came: dict[bytes, tuple[Seen, ...]],
    went: dict[bytes, Went],
    copy: Callable[[bytes, Sent], None],
    other: Callable[[bytes], None],
    /,
) -> tuple[int, int, tuple[int, ...]]: ...
