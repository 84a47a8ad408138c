"""Progress of long work: a bar on a terminal, nothing in a pipe."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO


@contextmanager
def bar(title: str, total: int | None = None) -> Iterator[Callable[[str], None]]:
    """Give a function that is called with the name of each thing that is done."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[last]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=total, last="")
        yield lambda name: progress.update(task, advance=1, last=name)


def say(text: str) -> None:
    """A line beside what is printed; that nobody can read it costs no result."""
    if sys.stderr is None:
        return  # or it would go where results are
    try:
        print(text, file=sys.stderr, flush=True)  # noqa: T201
    except OSError:  # the disk of a log is full
        give_up(sys.stderr)


@contextmanager
def printing(troubles: list[str]) -> Iterator[None]:
    """What is printed meanwhile is out at the end, or *troubles* gets why it is not."""
    try:
        yield
        sys.stdout.flush()  # a full disk is noticed here
    except OSError as error:
        troubles.append(f"the result cannot be printed ({error.strerror or error})")
        give_up(sys.stdout)


def give_up(file: TextIO) -> None:
    """Write no more into a file that cannot be written; what is left is not tried again either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), file.fileno())
