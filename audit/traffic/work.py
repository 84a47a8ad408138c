"""Reads logs, in several processes, and puts together what they counted."""

import gc
import os
import pickle
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from audit.errors import MailsealError
from audit.traffic import keep, silence
from audit.traffic.exim_block import Block
from audit.traffic.nodes import node
from audit.traffic.own import Own
from audit.traffic.read import Part, blocks, changed, look, parts
from audit.traffic.syslog import is_syslog
from audit.traffic.tally import SEEN, Tally

if TYPE_CHECKING:
    from audit.traffic.cluster import Each
    from audit.traffic.mixed import Reader


_PIECE = 10_000  # counts that are sent at once


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
    own = Own(wanted.own).names  # said before anything is read
    total = Tally()
    logs: list[Path] = []
    ways = {own: "--own"} if own else {}
    for path in paths:
        look(path)
        if keep.is_kept(path):
            kept = _asked(keep.load(path), wanted, path)
            ways.update((one, str(path)) for one in kept.own if one not in ways)
            total.merge(kept)
        else:
            logs.append(path)
            ways.setdefault(own, str(path))
    _alike(ways)
    total.own.update(ways)
    every = [part._replace(node=node(path)) for path in logs for part in parts(path, jobs)]
    work = [part._replace(place=place) for place, part in enumerate(every)]
    with progress(len(work)) as done, _no_garbage():
        if scheduler or min(jobs, len(work)) > 1:
            with _several(jobs, scheduler) as each:
                counts = each(partial(_packed, wanted=wanted), work)
                for part, pieces in zip(work, counts, strict=True):
                    for piece in pieces:
                        total.merge(pickle.loads(piece))  # noqa: S301 - our own
                    done(part.path.name)
        else:
            for part in work:
                _count(part, wanted, total)
                done(part.path.name)
    return total


def _asked(kept: Tally, wanted: Wanted, path: Path) -> Tally:
    """Counts that are kept, if they are of no other days: they cannot be parted."""
    first, last = wanted.first.encode(), wanted.last.encode()
    others = [day for day in kept.days if day and (day < first or (last and day > last))]
    if others:
        day = min(others).decode("ascii", "replace")
        raise MailsealError(f"{path}: counts of {day} too, which --from and --to cannot part")
    return kept


def _alike(ways: Mapping[tuple[str, ...], str]) -> None:
    """See that all is counted with the same networks of one's own; by these, what is."""
    if len(ways) > 1:
        (first, one), (second, other), *_ = (
            (f"--own {', '.join(own)}" if own else "no --own", where) for own, where in ways.items()
        )
        raise MailsealError(
            f"{other}: counted with {second}, and {one} with {first}, which cannot be added up"
        )


def finish(tally: Tally, wanted: Wanted) -> None:
    """Count what belongs together and came in several parts; nothing more is to come."""
    if tally.seams:
        from audit.traffic import mixed
        from audit.traffic.seams import Sink

        own = Own(next(iter(tally.own), wanted.own))
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
    with _no_garbage():
        _count(part, wanted, found)
    return found


def _count(part: Part, wanted: Wanted, into: Tally) -> None:
    own, first, last = Own(wanted.own), wanted.first.encode(), wanted.last.encode()
    exim = Block(into, own, first, last)
    reader: Reader | None = None
    for number, block in enumerate(blocks(part)):
        if not number and is_syslog(block):
            from audit.traffic import mixed
            from audit.traffic.seams import Sink

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
        into.merge(Tally(seams=reader.end()))


@contextmanager
def _no_garbage() -> Iterator[None]:
    """There is nothing but counts; to look through them takes a fifth of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _packed(part: Part, wanted: Wanted) -> list[bytes]:
    """Counts to be sent, in pieces: who gets them needs room for one of them at a time."""
    found, pieces = count(part, wanted), []
    for name in SEEN:
        items = iter(getattr(found, name).items())
        while some := dict(islice(items, _PIECE)):
            piece = Tally()
            setattr(piece, name, some)
            pieces.append(pickle.dumps(piece))
        setattr(found, name, {})
    return [*pieces, pickle.dumps(found)]


@contextmanager
def _several(jobs: int, scheduler: str) -> "Iterator[Each]":
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    if scheduler:
        from audit.traffic.cluster import cluster

        with cluster(scheduler) as each:
            yield each
    else:
        try:
            with ProcessPoolExecutor(jobs, initializer=_begin) as pool:
                yield pool.map
        except BrokenProcessPool:
            raise MailsealError("a process that read logs was ended; was memory short?") from None


def _begin() -> None:
    """Who interrupts is heard by the process that reads what the others count."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Where that one is ended, whatever by: it cannot tell them any more, and they would wait."""
    from multiprocessing import parent_process

    if parent := parent_process():
        parent.join()
        os._exit(1)
