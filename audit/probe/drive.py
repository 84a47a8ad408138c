"""Scripts driven to their ends: over the network, or against a prediction."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Protocol, TypeVar

from audit.probe.discover import Script
from audit.probe.foresee import Expectation
from audit.wire.answer import Answer, Heard
from audit.wire.hello import Hello

T = TypeVar("T")


class Driver(Protocol):
    """Whoever answers the hellos of scripts."""

    def follow(self, scripts: Sequence[Script[T]]) -> list[T]:
        """What came of each script."""


class Foreseen:
    """Answers from an expectation, and remembers what was asked.

    Attributes:
        answers: every hello, in the order asked, each once, with its answer.
    """

    def __init__(self, expectation: Expectation) -> None:
        """Take the expectation."""
        self._expectation = expectation
        self.answers: dict[Hello, Answer] = {}

    def follow(self, scripts: Sequence[Script[T]]) -> list[T]:
        """Ends at once: nothing is sent."""
        return [self._run(script) for script in scripts]

    def _run(self, script: Script[T]) -> T:
        try:
            hello = next(script)
            while True:
                answer = self.answers.setdefault(hello, self._expectation.answer(hello))
                hello = script.send(answer)
        except StopIteration as end:
            result: T = end.value
            return result


class Wire:
    """Asks the server, every hello once, whatever number of scripts want to know."""

    def __init__(self, ask: Callable[[Hello], Future[Heard]]) -> None:
        """Take what sends a hello."""
        self._ask = ask
        self._heard: dict[Hello, Future[Heard]] = {}

    def begin(self, hellos: Sequence[Hello]) -> None:
        """Send these already: they will be needed if the prediction holds."""
        for hello in hellos:
            self._future(hello)

    def follow(self, scripts: Sequence[Script[T]]) -> list[T]:
        """All of them beside each other."""
        results: dict[int, T] = {}
        waiting: dict[Future[Heard], list[int]] = {}

        def advance(number: int, heard: Heard | None) -> None:
            try:
                hello = next(scripts[number]) if heard is None else scripts[number].send(heard)
            except StopIteration as end:
                results[number] = end.value
            else:
                waiting.setdefault(self._future(hello), []).append(number)

        for number in range(len(scripts)):
            advance(number, None)
        while waiting:
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                for number in waiting.pop(future):
                    advance(number, future.result())
        return [results[number] for number in range(len(scripts))]

    def _future(self, hello: Hello) -> Future[Heard]:
        if hello not in self._heard:
            self._heard[hello] = self._ask(hello)
        return self._heard[hello]
