"""Reads logs, in several processes, and puts together what they counted."""

import gc
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from audit.errors import MailsealError
from audit.traffic import keep, mixed, silence
from audit.traffic.exim_block import Block
from audit.traffic.nodes import node
from audit.traffic.own import Own
from audit.traffic.read import Part, blocks, changed, parts
from audit.traffic.seams import Sink
from audit.traffic.syslog import is_syslog
from audit.traffic.tally import Tally


@contextmanager
def _silent(_total: int) -> Iterator[Callable[[str], None]]:
    yield lambda _: None


@dataclass(frozen=True)
class Wanted:
    """What is to be counted.

    Attributes:
        own: networks whose mail is counted apart.
        first, last: days, YYYY-MM-DD, both counted; empty: all.
    """

    own: tuple[str, ...] = ()
    first: str = ""
    last: str = ""


def tally(
    paths: Sequence[Path],
    wanted: Wanted,
    *,
    jobs: int = 1,
    scheduler: str = "",
    progress: Callable[[int], AbstractContextManager[Callable[[str], None]]] = _silent,
) -> Tally:
    """Everything that logs, or kept counts, say.

    Args:
        paths: logs in any order, and files of `keep`.
        wanted: what of it is counted.
        jobs: processes to read with.
        scheduler: a cluster of dask that reads instead; every worker must see the files.
        progress: told how many parts there are, gives what is called with each one's name.

    Raises:
        MailsealError: a file cannot be read, is no log, or there is no such cluster.
    """
    Own(wanted.own)  # said before anything is read
    total = Tally()
    logs: list[Path] = []
    for path in paths:
        if keep.is_kept(path):
            total.merge(keep.load(path))
        else:
            logs.append(path)
    every = [part._replace(node=node(path)) for path in logs for part in parts(path, jobs)]
    work = [part._replace(place=place) for place, part in enumerate(every)]
    with progress(len(work)) as done:
        if scheduler or min(jobs, len(work)) > 1:
            with _executor(jobs, scheduler) as executor:
                each = executor.map(partial(count, wanted=wanted), work)
                for part, counted in zip(work, each, strict=True):
                    total.merge(counted)
                    done(part.path.name)
        else:
            for part in work:
                _count(part, wanted, total)
                done(part.path.name)
    return total


def finish(tally: Tally, wanted: Wanted) -> None:
    """Count what belongs together and came in several parts; nothing more is to come."""
    own = Own(wanted.own)
    exim = Block(tally, own)
    mixed.finish(Sink(tally, exim.count, own))
    exim.flush()
    tally.finish()
    silence.settle(tally)


def count(part: Part, wanted: Wanted) -> Tally:
    """What a part of a log says.

    Raises:
        MailsealError: it cannot be read, or is no log.
    """
    found = Tally()
    _count(part, wanted, found)
    return found


def _count(part: Part, wanted: Wanted, into: Tally) -> None:
    own, first, last = Own(wanted.own), wanted.first.encode(), wanted.last.encode()
    exim = Block(into, own, first, last)
    reader = None
    gc.disable()  # there is nothing but counts; to look through them takes a fifth of the time
    try:
        for number, block in enumerate(blocks(part)):
            if not number and is_syslog(block):
                sink = Sink(into, exim.count, own)
                reader = mixed.Reader(
                    *(sink, changed(part.path)),
                    part=part.place,
                    node=part.node,
                    first=first,
                    last=last,
                )
            if reader:
                reader.count(block)
            else:
                exim.count(block, part.node)
        exim.flush()
        if reader:
            into.merge(Tally(seams=reader.seams()))
    finally:
        gc.enable()


@contextmanager
def _executor(jobs: int, scheduler: str) -> Iterator[Executor]:
    if scheduler:
        with _cluster(scheduler) as executor:
            yield executor
    else:
        # Who interrupts is heard here, and the processes end when nobody reads what they counted.
        quiet = (signal.SIGINT, signal.SIG_IGN)
        try:
            with ProcessPoolExecutor(jobs, initializer=signal.signal, initargs=quiet) as pool:
                yield pool
        except BrokenProcessPool:
            raise MailsealError("a process that read logs was ended; was memory short?") from None


@contextmanager
def _cluster(scheduler: str) -> Iterator[Executor]:
    try:
        from distributed import Client
    except ImportError:
        raise MailsealError("for a cluster of dask, mailseal[dask] must be installed") from None
    try:
        client = Client(scheduler, timeout=10)
    except (OSError, ValueError) as error:
        raise MailsealError(f"no scheduler of dask answers at {scheduler}: {error}") from None
    with client:
        yield client.get_executor()
