"""A guest that behaves: every question on a connection of its own, and when to ask it again."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from msgspec.structs import replace

from audit.facts import Endpoint
from audit.probe.address import Address, Manners
from audit.probe.connection import Connection
from audit.probe.errors import NoAnswer, NoRoute, PortClosed, ProbeError, Reset, Throttled
from audit.wire.answer import Closed, Heard, Unheard
from audit.wire.hello import Hello
from audit.wire.server_hello import Accepted

T = TypeVar("T")
_MOST_CHAINS = 9  # different ones of one endpoint; no chain at all counts
_PROVEN = 3  # answers at a crowd of that size before a close in it is believed


class Guest:
    """Asks one endpoint; the only way in which the prober opens connections.

    Attributes:
        connections: TCP connections opened so far.
        failure: how the last question ended that was not answered.
        surplus: whether there were more different chains than are kept.
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
        self._gone: ProbeError | None = None
        self.failure: ProbeError | None = None
        self.surplus = False
        self._chains: dict[tuple[bytes, ...], tuple[bytes, ...]] = {}
        self._served: dict[int, int] = {}

    def submit(self, question: Callable[[], T]) -> Future[T]:
        """Ask beside others, when the address has a place."""
        return self._address.jobs.submit(question)

    def greet(self, hello: Hello) -> Heard:
        """The answer to one hello on a connection of its own; never raises."""

        def question(connection: Connection) -> tuple[Heard, int]:
            connection.to_tls()
            crowd = self._address.crowd
            return connection.hello(hello), crowd

        try:
            heard, crowd = self.ask(question)
            if isinstance(heard, Accepted):
                heard = replace(heard, chain=self._kept(heard.chain))
                self._served[crowd] = self._served.get(crowd, 0) + 1
            # A close without a word may be about too many connections at once: so once more, alone.
            if isinstance(heard, Closed) and not self.credible(crowd):
                heard, _ = self.ask(question, alone=True)
        except ProbeError as error:
            self.failure = error
            return Unheard(str(error))
        return heard

    def _kept(self, chain: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """Each chain in memory once; a server may make up another for each hello."""
        with self._lock:
            if chain in self._chains or len(self._chains) < _MOST_CHAINS:
                return self._chains.setdefault(chain, chain)
            self.surplus = True
            return ()

    @property
    def answered(self) -> bool:
        """Whether any question was answered at all."""
        return self._answered

    def credible(self, crowd: int) -> bool:
        """Whether the endpoint has answered often enough among so many connections of ours."""
        return crowd <= 1 or sum(n for c, n in self._served.items() if c >= crowd) >= _PROVEN

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
            except (PortClosed, NoRoute) as error:
                if isinstance(error, PortClosed):
                    self._address.connected()
                self._gone = error
                raise
            except (Throttled, NoAnswer, Reset) as error:
                if self._address.busy(error):
                    pause = next(pauses, None)
                    if pause is None:
                        raise
                    self._manners.wait(pause)
                    alone = True  # the server has enough of us
                    continue
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
            if self._gone and not self._answered:
                raise self._gone
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
