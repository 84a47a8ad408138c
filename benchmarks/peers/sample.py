"""How many connections are open to one address at one time: seen by looking often."""

import threading
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.daemons.cell import inside

# linux/tcp_states.h: those in which we have not closed our side.
_OPEN = {"01", "02", "08"}  # ESTABLISHED, SYN_SENT, CLOSE_WAIT
_EVERY = 0.004


class Watch:
    """Looks at a network namespace from its clients' side for as long as it is entered.

    Attributes:
        most: the most connections seen open to each remote address; the kernel's own notation.
        looks: how often it looked.
    """

    def __init__(self, netns: Path) -> None:
        """Nothing is looked at yet."""
        self._netns = netns
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.most: Counter[str] = Counter()
        self.looks = 0

    def __enter__(self) -> Self:
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Look no more."""
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        with inside(self._netns):
            while not self._stop.wait(_EVERY):
                # The kernel walks its table while connections come and go: one list alone may have
                # one that has ended beside its successor. Who is in two was open between them.
                before, now = _listed(), _listed()
                self.looks += 1
                self.most |= Counter(remote.partition(":")[0] for _, remote in before & now)


def _listed() -> set[tuple[str, str]]:
    """Both ends of every connection that is open."""
    found = set()
    for name in ("tcp", "tcp6"):
        # Not /proc/net: that is the whole process's, and only this thread went there.
        table = Path(f"/proc/thread-self/net/{name}").read_text(encoding="ascii")
        for row in table.splitlines()[1:]:
            _, local, remote, state, *_ = row.split()
            if state in _OPEN and not _ours(local, remote):
                found.add((local, remote))
    return found


def _ours(local: str, remote: str) -> bool:
    """Whether it is a connection to this machine itself: the prober's calibration is one."""
    return local.partition(":")[0] == remote.partition(":")[0]
