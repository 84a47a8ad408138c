"""How much one address is asked for: how many connections at once, how many at all, how fast."""

import math
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Literal

from msgspec import Struct, field

from audit.probe.connection import Limits
from audit.probe.errors import Late, NoAnswer, ProbeError, Reset, Throttled


class Manners(Struct, frozen=True):
    """How to treat a server.

    Attributes:
        cap: connections open to one address at any time.
        tries: how often one question is asked before it counts as unanswered.
        dead_after: connections that must go unanswered before an address counts as dead.
        pauses: seconds to wait after the first, second ... refusal for now.
        patience: unanswered questions after which an endpoint that never answered is given up.
        budget: seconds after which nothing more is asked of an endpoint.
        most: connections to one address after which nothing more is asked of it.
        spacing: seconds between the beginnings of two connections to one address.
        limits: time for one connection.
        until: the moment by time.monotonic() after which nothing more is asked of anybody.
    """

    cap: int = 4
    tries: int = 2
    dead_after: int = 2
    pauses: tuple[float, ...] = (0.5, 1.5, 4.0)
    patience: int = 3
    budget: float = 240.0
    most: int = 1500
    spacing: float = 0.0
    limits: Limits = field(default_factory=Limits)
    until: float = math.inf

    def wait(self, seconds: float) -> None:
        """Wait, but not beyond the end.

        Raises:
            Late: that was reached.
        """
        time.sleep(max(0.0, min(seconds, self.until - time.monotonic())))
        if time.monotonic() >= self.until:
            raise Late("the time for the audit was over before it was asked")


Pace = Literal["normal", "slow"]
PACES: dict[Pace, Manners] = {
    "normal": Manners(),
    # For servers that count connections by the minute and allow two.
    "slow": Manners(cap=1, pauses=(60.0, 120.0, 240.0), budget=14400.0, most=300, spacing=31.0),
}


class Address:
    """One address: its cap, its budget, and whether anything ever answered there."""

    def __init__(self, manners: Manners) -> None:
        """Start with nothing known."""
        self._cap = threading.BoundedSemaphore(manners.cap)
        self._one = threading.Lock()
        self._lock = threading.Lock()
        self._manners = manners
        self._answered = False
        self._silent = 0
        self._throttles = False
        self._left = manners.most
        self._next = 0.0
        self.crowd = 0
        self.jobs = ThreadPoolExecutor(manners.cap, "address")

    @contextmanager
    def place(self, *, alone: bool = False) -> Iterator[None]:
        """Hold one of the places that the address gives, or all of them.

        Raises:
            NoAnswer: nothing has ever answered at this address, or enough was asked.
            Late: the time for the run is over.
        """
        with ExitStack() as held:
            if alone:
                held.enter_context(self._one)  # two that wait for all places would wait for ever
            for _ in range(self._manners.cap if alone else 1):
                held.enter_context(self._cap)
            if not self._answered and self._silent >= self._manners.dead_after:
                raise NoAnswer("the host does not answer")
            self._spend()
            with self._lock:
                self.crowd += 1
            try:
                yield
            finally:
                with self._lock:
                    self.crowd -= 1

    def _spend(self) -> None:
        with self._lock:
            if self._left <= 0:
                raise NoAnswer(f"given up after {self._manners.most} connections to this address")
            self._left -= 1
            begin = max(time.monotonic(), self._next)
            self._next = begin + self._manners.spacing
        self._manners.wait(begin - time.monotonic())

    def connected(self) -> None:
        """Note that something is there."""
        self._answered = True

    def busy(self, error: ProbeError) -> bool:
        """Whether this is for now; who has said so once may hang up before it can be read."""
        with self._lock:
            self._throttles = self._throttles or isinstance(error, Throttled)
            return isinstance(error, Throttled) or (self._throttles and isinstance(error, Reset))

    def silent(self) -> None:
        """Note that a connection was not answered."""
        with self._lock:
            self._silent += 1

    def close(self) -> None:
        """No more questions."""
        self.jobs.shutdown(wait=False, cancel_futures=True)
