"""A guest that behaves: how many connections one address gets at once, and when to try again."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Literal, TypeVar

from msgspec import Struct, field

from audit.facts import Endpoint
from audit.probe.connection import Connection, Limits
from audit.probe.errors import NoAnswer, NoRoute, PortClosed, ProbeError, Reset, Throttled
from audit.wire.answer import Closed, Heard, Unheard
from audit.wire.hello import Hello
from audit.wire.server_hello import Accepted

T = TypeVar("T")
_PROVEN = 3  # answers at a crowd of that size before a close in it is believed


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
        time.sleep(max(0.0, begin - time.monotonic()))

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


class Guest:
    """Asks one endpoint; the only way in which the prober opens connections.

    Attributes:
        connections: TCP connections opened so far.
        failure: how the last question ended that was not answered.
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
                self._served[crowd] = self._served.get(crowd, 0) + 1
            # A close without a word may be about too many connections at once: so once more, alone.
            if isinstance(heard, Closed) and not self.credible(crowd):
                heard, _ = self.ask(question, alone=True)
        except ProbeError as error:
            self.failure = error
            return Unheard(str(error))
        return heard

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
                    time.sleep(pause)
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
