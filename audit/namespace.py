"""The network namespace from which the hosts can be reached."""

import ctypes
import os
from pathlib import Path

from audit.errors import UNDETERMINED, MailsealError

_CLONE_NEWNET = 0x40000000  # setns(2)


def enter(name: str) -> None:
    """Move this thread, and every one it starts from now on, into a network namespace.

    Raises:
        MailsealError: it does not exist, or this process may not enter it.
    """
    path = Path("/run/netns") / name
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError as error:
        hint = f"network namespace {name}: {error.strerror} (is the lab up? mailseal lab up)"
        raise MailsealError(hint, UNDETERMINED) from None
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(descriptor, _CLONE_NEWNET) != 0:
            why = os.strerror(ctypes.get_errno())
            raise MailsealError(f"network namespace {name}: {why}", UNDETERMINED)
    finally:
        os.close(descriptor)
