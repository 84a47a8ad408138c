from collections.abc import Callable

from audit.traffic.seen import Gone
from audit.traffic.tally import Messages, Sent, Way
from audit.traffic.where import Came, Went

def count(
    block: bytes,
    begun: Messages,
    came: dict[bytes, Came],
    went: dict[bytes, Went],
    ways: dict[Way, Gone],
    copy: Callable[[bytes, Sent], None],
    other: Callable[[bytes], None],
    /,
) -> tuple[int, int, tuple[int, ...]]: ...
def alike(block: bytes, size: int, /) -> bool: ...
