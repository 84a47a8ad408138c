"""Walking a dialogue over whatever can send and receive: a connection, or the TLS inside it."""

from abc import ABC, abstractmethod
from collections.abc import Generator
from typing import TypeVar

from audit.probe.errors import Closed, NoAnswer, NotTheService, Throttled
from audit.wire.dialogue import Refused, Step
from audit.wire.reply import NotAReply, Reply, ReplyReader

T = TypeVar("T")

_BUSY = 421


class Talk(ABC):
    """Has one stream of replies."""

    def __init__(self) -> None:
        """Start with nothing read."""
        self._replies = ReplyReader()

    @abstractmethod
    def send(self, data: bytes) -> None:
        """Send all of it, or raise a `ProbeError`."""

    @abstractmethod
    def receive(self, within: float | None = None) -> bytes:
        """What has come, or nothing once the server has closed; or raise a `ProbeError`."""

    @property
    def unread(self) -> bytes:
        """What came after the last whole reply."""
        return self._replies.rest

    def converse(self, dialogue: Generator[Step, Reply, T]) -> T:
        """Walk a dialogue to its end and give its result.

        Raises:
            Throttled: the server refuses for now.
            NotTheService: the server speaks another protocol.
            NoAnswer, Reset: the connection did not carry it.
        """
        try:
            step = next(dialogue)
            while True:
                step = dialogue.send(self._exchange(step))
        except StopIteration as end:
            result: T = end.value
            return result
        except Refused as refused:
            kind = Throttled if refused.for_now else NotTheService
            raise kind(f"the server refuses: {str(refused)[:200]}") from None
        except NotAReply as error:
            raise NotTheService(str(error)) from None
        except Closed as error:
            raise NoAnswer(str(error)) from None

    def ask(self, step: Step) -> Reply:
        """One exchange whose answer may be any.

        Raises:
            Throttled: the server is busy and says so.
            Closed: the server closed instead of answering.
            NotTheService, NoAnswer, Reset: as for `converse`.
        """
        try:
            reply = self._exchange(step)
        except NotAReply as error:
            raise NotTheService(str(error)) from None
        if reply.code == _BUSY:
            raise Throttled(f"the server refuses for now: {reply.last[:200]}")
        return reply

    def _exchange(self, step: Step) -> Reply:
        if step.send:
            self.send(step.send)
        while (reply := self._replies.take(step.grammar, step.tag)) is None:
            data = self.receive()
            if not data:
                raise Closed("the server closed the connection in the middle of a dialogue")
            self._replies.feed(data)
        return reply
