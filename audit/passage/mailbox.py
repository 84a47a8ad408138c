"""Whether a mail that was sent is in a mailbox; it is taken out again."""

import time

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
    end = time.monotonic() + patience
    with imap.session(place, account, way, patience) as client:
        imap.open_inbox(client, way, read_only=False)
        way.step = "arrival"
        while not (found := _search(client, message)):
            if time.monotonic() > end:
                where = place.endpoint.host
                raise Stopped(
                    "lost", f"accepted, but not in the inbox on {where} within {patience:g} s"
                )
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
