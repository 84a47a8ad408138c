"""Keeps runs one after the other until it is killed: `python -m tests.history.writer PLACE`."""

import sys
from itertools import count

from audit.history.place import place
from tests.history.history_factories import at, cluster, entries, keep


def main(where: str) -> None:
    """Say when the first is kept, and go on; never end."""
    there = place(where)
    assert there is not None
    run = cluster()
    first = len(entries(there)) if there.file is None or there.file.exists() else 0
    for night in count(first):
        keep(there, run, at(night))
        print(night, flush=True)  # noqa: T201 - the one who kills waits for it


if __name__ == "__main__":
    main(sys.argv[1])
