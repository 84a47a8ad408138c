"""A cluster of dask that reads logs; its workers see the files."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from audit.errors import MailsealError

if TYPE_CHECKING:
    from distributed import Client, Future

_ANSWER = 10  # seconds to answer a first call in
_PATIENCE = 30.0  # seconds between two looks whether there are workers; two without end it

Each = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]


@contextmanager
def cluster(scheduler: str) -> Iterator[Each]:
    """What does something with each of several things, as `map` does, and in their order.

    Args:
        scheduler: its address.

    Raises:
        MailsealError: dask is not installed; nobody answers; all workers are gone, or what they
            read ends them.
    """
    try:
        from distributed import Client
    except ImportError:
        raise MailsealError("for a cluster of dask, mailseal[dask] must be installed") from None
    try:
        client = Client(scheduler, timeout=_ANSWER)
    except (OSError, ValueError) as error:
        raise MailsealError(f"no scheduler of dask answers at {scheduler}: {error}") from None
    with client:
        yield lambda do, things: _each(client, scheduler, do, things)


def _each(
    client: "Client", scheduler: str, do: Callable[[Any], Any], things: Iterable[Any]
) -> Iterator[Any]:
    futures = deque(client.map(do, list(things), pure=False))
    while futures:
        yield _result(client, scheduler, futures.popleft())  # what was given out is let go


def _result(client: "Client", scheduler: str, future: "Future[Any]") -> Any:  # noqa: ANN401 - theirs
    """What came of one; dask itself waits for workers without end."""
    from distributed import KilledWorker

    alone = 0
    while True:
        try:
            return future.result(timeout=_PATIENCE)
        except KilledWorker:
            raise MailsealError(
                f"workers of the cluster at {scheduler} were ended as they read logs; was memory"
                " short?"
            ) from None
        except TimeoutError:
            alone = 0 if _workers(client, scheduler) else alone + 1
            if alone > 1:
                raise MailsealError(
                    f"the cluster at {scheduler} has no worker any more, or never had one"
                ) from None


def _workers(client: "Client", scheduler: str) -> int:
    try:
        return len(client.nthreads())
    except OSError:
        raise MailsealError(f"the scheduler of dask at {scheduler} is gone") from None
