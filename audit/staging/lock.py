"""One staging of a host at a time, and no rollout of it beside that."""

import fcntl
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from audit import state
from audit.errors import UNDETERMINED, MailsealError
from audit.rollout.others import others
from audit.rollout.place import USUAL

if TYPE_CHECKING:
    from audit.inventory import Host

# Tells the rollouts of a staging which one that is: its hosts are not foreign to them.
VARIABLE = "MAILSEAL_STAGING"


def _file(host: str, addresses: Sequence[str]) -> Path:
    """Of this machine: whatever clone and inventory a host is staged by, it is the same host.

    Its name alone may be that of another one, in another cluster.
    """
    return state.directory() / "staging" / quote(" ".join([host, *addresses[:1]]), safe=" :")


@contextmanager
def alone(hosts: Iterable["Host"]) -> Iterator[None]:
    """Have these hosts for oneself.

    The locks go to Ansible as well: they are free only when a staging that was killed has nothing
    at work any more.

    Raises:
        MailsealError: another staging or a rollout is at work on one, or it cannot be locked.
    """
    every = tuple(hosts)
    with ExitStack() as stack:
        for name, addresses in sorted({(host.name, host.addresses[:1]) for host in every}):
            stack.callback(os.close, _locked(name, addresses))
        # Rollouts do it in the same order: first they say where they are, then they look.
        for name, directory in sorted({(host.name, host.rollout_directory) for host in every}):
            if running := others(Path(directory or USUAL), name, ()):
                words = f"{name}: a rollout of it is running; wait for its end, which"
                raise MailsealError(f"{words} mailseal rollout {running[0]} tells", UNDETERMINED)
        yield


def _locked(host: str, addresses: Sequence[str]) -> int:
    path = _file(host, addresses)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise MailsealError(f"{error.filename}: cannot be made ({error.strerror})") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
    except OSError as error:
        os.close(handle)
        if isinstance(error, BlockingIOError):
            words = f"{host}: another staging of it is running"
            raise MailsealError(words, UNDETERMINED) from None
        raise MailsealError(f"{path}: cannot be locked ({error.strerror})") from None
    os.set_inheritable(handle, True)  # noqa: FBT003 - it has no name
    return handle


def staged(host: str, addresses: Sequence[str]) -> bool:
    """Whether a staging is at work on a host, and we are no part of it."""
    try:
        handle = os.open(_file(host, addresses), os.O_RDONLY)
    except OSError:  # never staged here, or by somebody else, whose affair it is
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.pread(handle, 32, 0).decode() != os.environ.get(VARIABLE)
    except OSError:  # a file system that knows no locks: there was no staging either
        return False
    finally:
        os.close(handle)
    return False
