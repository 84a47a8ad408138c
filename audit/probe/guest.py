"""A guest that behaves: how many connections one address gets at once, and when to try again."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from audit.facts import Endpoint
from audit.probe.connection import (
    Connection,
    Limits,
    NoAnswer,
    NoRoute,
    PortClosed,
    Reset,
    Throttled,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Manners:
    """How to treat a server.

    Attributes:
        cap: connections open to one address at any time.
        tries: how often one question is asked before it counts as unanswered.
        dead_after: connections that must go unanswered before an address counts as dead.
        pauses: seconds to wait after the first, second ... refusal for now.
        patience: unanswered questions after which an endpoint that never answered is given up.
        budget: seconds after which nothing more is asked of an endpoint.
        limits: time for one connection.
    """

    cap: int = 4
    tries: int = 2
    dead_after: int = 2
    pauses: tuple[float, ...] = (0.5, 1.5, 4.0)
    patience: int = 3
    budget: float = 240.0
    limits: Limits = field(default_factory=Limits)


class Address:
    """One address: its cap, and whether anything ever answered there."""

    def __init__(self, manners: Manners) -> None:
        """Start with nothing known."""
        self._cap = threading.BoundedSemaphore(manners.cap)
        self._one = threading.Lock()
        self._lock = threading.Lock()
        self._manners = manners
        self._answered = False
        self._silent = 0

    @contextmanager
    def place(self, *, alone: bool = False) -> Iterator[None]:
        """Hold one of the places that the address gives, or all of them.

        Raises:
            NoAnswer: nothing has ever answered at this address, and enough was asked.
        """
        with ExitStack() as held:
            if alone:
                held.enter_context(self._one)  # two that wait for all places would wait for ever
            for _ in range(self._manners.cap if alone else 1):
                held.enter_context(self._cap)
            if not self._answered and self._silent >= self._manners.dead_after:
                raise NoAnswer("the host does not answer")
            yield

    def connected(self) -> None:
        """Note that something is there."""
        self._answered = True

    def silent(self) -> None:
        """Note that a connection was not answered."""
        with self._lock:
            self._silent += 1


class Guest:
    """Asks one endpoint; the only way in which the prober opens connections.

    Attributes:
        connections: TCP connections opened so far.
    """

    def __init__(self, endpoint: Endpoint, address: Address, manners: Manners) -> None:
        """Take the endpoint and the address it shares with others."""
        self.endpoint = endpoint
        self.connections = 0
        self._address = address
        self._manners = manners
        self._lock = threading.Lock()
        self._unanswered = 0
        self._answered = False
        self._end: float | None = None

    def ask(self, question: Callable[[Connection], T], *, alone: bool = False) -> T:
        """Put one question on a connection of its own, again if it was not answered.

        *alone*: while no other connection of ours is open to the address.

        Raises:
            ProbeError: it was not answered; the kind says how the last try ended.
        """
        pauses = iter(self._manners.pauses)
        tries = self._manners.tries
        while True:
            try:
                result = self._once(question, alone=alone)
            except PortClosed:
                self._address.connected()
                raise
            except NoRoute:
                raise
            except Throttled:
                pause = next(pauses, None)
                if pause is None:
                    raise
                time.sleep(pause)
            except (NoAnswer, Reset):
                tries -= 1
                self._unanswered += 1
                if tries <= 0 or self._given_up():
                    raise
            else:
                self._answered = True
                return result

    def _given_up(self) -> bool:
        return not self._answered and self._unanswered >= self._manners.patience

    def _once(self, question: Callable[[Connection], T], *, alone: bool) -> T:
        with self._address.place(alone=alone):
            self._end = self._end or time.monotonic() + self._manners.budget
            if time.monotonic() > self._end:
                raise NoAnswer(f"given up after {self._manners.budget:g} s")
            if self._given_up():
                raise NoAnswer("given up: the endpoint left too many questions unanswered")
            try:
                connection = Connection(self.endpoint, self._manners.limits)
            except NoAnswer:
                self._address.silent()
                raise
            with connection:
                self._address.connected()
                with self._lock:
                    self.connections += 1
                return question(connection)
