"""Whether a mail that was sent is in a mailbox; it is taken out again."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from audit.account import Account
from audit.passage import imap
from audit.passage.outcome import Stopped
from audit.passage.plan import Place
from audit.passage.way import Way

_PAUSE = 0.5  # seconds between two looks


def collect(place: Place, account: Account, way: Way, message: str, patience: float) -> None:
    """See the mail with this Message-ID, and remove it.

    Raises:
        Stopped: it is not there after so many seconds.
    """
    with opened(place, account, way, patience) as client:
        take(client, place, way, message, patience)


@contextmanager
def opened(place: Place, account: Account, way: Way, more: float) -> Iterator[imap.Client]:
    """The inbox, for so many seconds more than a session takes otherwise."""
    with imap.session(place, account, way, more) as client:
        imap.open_inbox(client, way, read_only=False)
        yield client


def take(client: imap.Client, place: Place, way: Way, message: str, patience: float) -> None:
    """As `collect`, in an inbox that is open."""
    end = time.monotonic() + patience
    way.step = "arrival"
    while not (found := _search(client, message)):
        if time.monotonic() > end:
            where = f"the inbox on {place.endpoint.host}"
            raise Stopped("lost", f"accepted, but not in {where} within {patience:g} s")
        time.sleep(_PAUSE)
        imap.agreed(client.noop())
    way.step = "removal"
    _remove(client, found)


def _search(client: imap.Client, message: str) -> list[str]:
    data = imap.agreed(client.uid("SEARCH", "HEADER", "Message-ID", f'"{message}"'))
    words = b" ".join(item for item in data if isinstance(item, bytes)).split()
    return [word.decode() for word in words if word.isdigit()]


def _remove(client: imap.Client, found: list[str]) -> None:
    numbers = ",".join(found)
    imap.agreed(client.uid("STORE", numbers, "+FLAGS.SILENT", r"(\Deleted)"))
    if "UIDPLUS" in client.capabilities:  # of what others have marked nothing goes with it
        imap.agreed(client.uid("EXPUNGE", numbers))
    else:
        imap.agreed(client.expunge())
