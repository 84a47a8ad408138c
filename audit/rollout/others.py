"""Rollouts that are at work beside one: two on the same host would undo each other's steps."""

from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path

from audit.errors import MailsealError
from audit.rollout.events import Batch, Event, Opened
from audit.rollout.place import events_of, held, names


def others(directory: Path, host: str, mine: Collection[int]) -> list[str]:
    """The rollouts that are running and came to this host before this one.

    To be asked by another process than the one that writes a record: reading would end its lock.

    Args:
        directory: where rollouts are kept.
        host: as the inventory calls it.
        mine: processes of which one is this rollout's.

    Where no record can be read none was kept either: whoever keeps one says so.
    """
    claims: list[tuple[datetime, str]] = []
    own: tuple[datetime, str] | None = None
    for name in _recorded(directory):
        try:
            if not held(directory, name):
                continue
            events, _ = events_of(directory, name)
        except (OSError, MailsealError):  # removed meanwhile, still empty, of another version
            continue
        claim = _claim(events, host)
        opened = events[0]
        if claim is None or not isinstance(opened, Opened) or opened.check:
            continue
        if opened.process in mine:
            own = claim, name
        else:
            claims.append((claim, name))
    return [name for claim, name in sorted(claims) if own is None or (claim, name) < own]


def _recorded(directory: Path) -> list[str]:
    try:
        return names(directory)
    except OSError:
        return []


def _claim(events: Sequence[Event], host: str) -> datetime | None:
    """When it began with the hosts of which this is one; None if it has not."""
    mine = (e for e in events if isinstance(e, Batch) and e.main and host in e.everyone)
    return min((e.at for e in mine), default=None)
