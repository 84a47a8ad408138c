"""Work that is begun now and wanted later, while something else keeps this machine waiting."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Ahead(Generic[T]):
    """One function, run in a thread of its own; the process does not end before it."""

    def __init__(self, work: Callable[[], T]) -> None:
        """Begin."""
        self._work = work
        self._result: T
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="ahead")
        self._thread.start()

    def _run(self) -> None:
        try:
            self._result = self._work()
        except BaseException as error:  # noqa: BLE001 - raised where the result is wanted
            self._error = error

    def result(self) -> T:
        """What came of it, or the error it ended with."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._result
