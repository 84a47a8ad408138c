"""Of two rollouts at one host the one that came later gives way, and to nobody who is dead."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from audit.rollout import events as ev
from audit.rollout.others import others
from audit.rollout.record import Record
from tests.rollout.rollout_factories import STARTED

HOLDER = """
import fcntl, sys, time
files = [open(path, "ab") for path in sys.argv[1:]]
for file in files:
    fcntl.lockf(file, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(60)
"""
FIRST, SECOND = 1_000_001, 1_000_002  # processes


def rollout(
    where: Path,
    process: int,
    *,
    began: float = 0,
    came: float | None = 0,
    hosts: tuple[str, ...] = ("mx1", "mx2"),
    check: bool = False,
) -> Path:
    """A record of one that began, and came to its hosts, so many seconds after STARTED."""
    at = STARTED + timedelta(seconds=began)
    record = Record(where, at)
    opened = ev.Opened(
        at=at, id=record.id, playbook="rollout.yml", user="u", control="c", process=process,
        check=check,
    )  # fmt: skip
    lines: list[ev.Event] = [opened]
    for main, when in ((False, began), (True, came)):
        if when is not None:
            at = STARTED + timedelta(seconds=when)
            lines.append(
                ev.Batch(
                    at=at, play="x", number=1, main=main, hosts=hosts[:1],
                    everyone=hosts if main else ("mx1", "mx2", "ns1"),
                )
            )  # fmt: skip
    record.write(lines)
    record.close()
    return record.path


@contextmanager
def held(*records: Path) -> Iterator[None]:
    """Their rollouts are running."""
    words = [sys.executable, "-c", HOLDER, *map(str, records)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == b"held\n"
            yield
        finally:
            process.kill()


def test_the_later_gives_way_and_the_earlier_does_not(tmp_path: Path) -> None:
    """Also where it began earlier, but came to the host later."""
    building = rollout(tmp_path, FIRST, began=0, came=90)
    quick = rollout(tmp_path, SECOND, began=60, came=61)
    with held(building, quick):
        assert others(tmp_path, "mx2", {FIRST}) == [quick.stem]
        assert others(tmp_path, "mx2", {SECOND}) == []


def test_of_two_at_the_same_moment_one_goes_on(tmp_path: Path) -> None:
    one, other = rollout(tmp_path, FIRST), rollout(tmp_path, SECOND)
    with held(one, other):
        found = others(tmp_path, "mx1", {FIRST}), others(tmp_path, "mx1", {SECOND})
    assert found == ([], [one.stem])


def test_without_a_record_of_its_own_it_gives_way_to_all(tmp_path: Path) -> None:
    one, other = rollout(tmp_path, FIRST), rollout(tmp_path, SECOND, came=5)
    with held(one, other):
        assert others(tmp_path, "mx1", {7}) == [one.stem, other.stem]


def test_nobody_gives_way_to_these(tmp_path: Path) -> None:
    """The dead, looks, those at other hosts, those still building; and what says nothing yet."""
    dead = rollout(tmp_path, FIRST)
    running = [
        rollout(tmp_path, FIRST, check=True),
        rollout(tmp_path, FIRST, hosts=("imap1",)),
        rollout(tmp_path, FIRST, came=None),
        tmp_path / "20261128T023010Z.jsonl",
    ]
    running[-1].touch()
    mine = rollout(tmp_path, SECOND, came=50)
    with held(*running, mine):
        assert others(tmp_path, "mx1", {SECOND}) == []
        assert others(tmp_path, "imap1", {SECOND}) == [running[1].stem]
    assert dead.exists()
    assert others(tmp_path / "none", "mx1", {SECOND}) == []
