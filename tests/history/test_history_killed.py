"""A run that is killed at any moment."""

import random
import signal
import subprocess
import sys
import time

from audit.findings import Run
from audit.history.entry import LATEST, find
from audit.history.place import Place
from audit.history.store import opened
from tests.commands import ROOT
from tests.history.history_factories import SERIES, at, cluster, entries, keep, plan

ROUNDS = 20
SECONDS = 90
LONGEST = 0.3  # seconds after the first run was kept; one takes about a tenth


def _kill_a_writer(where: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.history.writer", where],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    ) as writer:
        assert writer.stdout
        assert writer.stdout.readline(), "the writer could not write"
        time.sleep(random.random() * LONGEST)  # noqa: S311 - any moment will do
        writer.kill()
        assert writer.wait() == -signal.SIGKILL


def test_a_killed_run_is_never_taken_for_a_complete_one(there: Place, where: str) -> None:
    """Whatever was complete is whole, the rest is none, and the next run goes on from there."""
    end = time.monotonic() + SECONDS
    expected = cluster()
    rounds = 0
    while rounds < ROUNDS and time.monotonic() < end:
        rounds += 1
        _kill_a_writer(where)
        kept = entries(there)
        assert [e.number for e in kept] == sorted({e.number for e in kept})
        with opened(there) as store:
            for entry in [e for e in kept if e.complete][-3:]:
                _is_whole(store.load(entry), expected)
        last = find(kept, LATEST)
        assert last.complete
        assert last.counts
        assert last.counts["pass"] == expected.planned
    kept = entries(there)
    assert 0 < sum(not e.complete for e in kept) <= rounds  # some were hit while they wrote
    with opened(there) as store, store.alone(SERIES.inventory):
        pass  # the lock fell with its holder


def _is_whole(run: Run, expected: Run) -> None:
    assert run.findings == expected.findings
    assert run.endpoints == expected.endpoints
    assert run.planned == expected.planned


def test_a_run_that_was_only_begun_is_no_baseline(there: Place) -> None:
    """The next one is compared with the last that came to its end."""
    run = keep(there, cluster(), at(0))
    with opened(there) as store:
        begun = store.begin(plan(at(1)))
        assert not begun.complete
        assert begun.counts is None
    after = keep(there, cluster(), at(2))
    kept = entries(there)
    assert [e.complete for e in kept] == [True, False, True]
    assert find(kept, LATEST).run == after.run
    assert find(kept, "previous").run == run.run
