"""Times of a log in UTC, for reports are about days of UTC. Pure."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

_MINUTE = 16  # characters: 2026-11-23 21:55
_MOST = 1 << 14  # minutes that are remembered

Clock = Callable[[bytes], datetime]


def clock(zone: tzinfo | None) -> Clock:
    """What makes a time of an Exim's stamp.

    Args:
        zone: of stamps that name none; None: this machine's.
    """

    @lru_cache(maxsize=_MOST)
    def minute(words: str, offset: str) -> datetime:
        time = datetime.fromisoformat(f"{words}:00{offset}")
        if time.tzinfo is None and zone is not None:
            time = time.replace(tzinfo=zone)
        return time.astimezone(UTC)

    def read(stamp: bytes) -> datetime:
        """The time, to the second.

        Raises:
            ValueError, OverflowError: there is none like it.
        """
        words = stamp.decode("ascii")
        offset = next((one for one in words.split()[2:] if one[0] in "+-"), "")
        seconds = min(int(words[_MINUTE + 1 : _MINUTE + 3]), 59)
        return minute(words[:_MINUTE], offset) + timedelta(seconds=seconds)

    return read
