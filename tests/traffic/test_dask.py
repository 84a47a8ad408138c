"""Logs that a cluster of dask reads, by the address of its scheduler, say what they say otherwise.

The scheduler and the workers are processes of their own on loopback, started as people start them.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from audit.errors import MailsealError
from audit.traffic import cluster, read, work
from benchmarks.traffic.made import write
from tests.commands import mailseal

pytest.importorskip("distributed", reason="mailseal[dask] is not installed")
_SECONDS = 60.0


@contextmanager
def _process(*words: str, **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A program that goes on until this is over."""
    env, nowhere = {**os.environ, **settings}, subprocess.DEVNULL
    with subprocess.Popen(words, env=env, stdout=nowhere, stderr=nowhere) as process:
        try:
            yield process
        finally:
            process.kill()
            process.communicate()


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one that has two workers."""
    folder = tmp_path_factory.mktemp("dask")
    place = folder / "scheduler.json"
    of = [sys.executable, "-m"]
    begin = ["--host", "127.0.0.1", "--no-dashboard", "--protocol", "tcp"]
    with ExitStack() as running:
        start = [*of, "distributed.cli.dask_scheduler", *begin, "--port", "0"]
        once = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}
        first = running.enter_context(_process(*start, "--scheduler-file", str(place), **once))
        address = _address(place, first)
        for _ in range(2):
            worker = [*of, "distributed.cli.dask_worker", address, *begin, "--no-nanny"]
            running.enter_context(
                _process(*worker, "--nthreads", "1", "--local-directory", str(folder))
            )
        _wait(address)
        yield address


def _address(place: Path, process: "subprocess.Popen[bytes]") -> str:
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end and process.poll() is None:
        if place.exists() and (words := place.read_text(encoding="utf-8")):
            found: str = json.loads(words)["address"]
            return found
        time.sleep(0.1)
    raise AssertionError("there is no scheduler")


def _wait(address: str) -> None:
    from distributed import Client

    with Client(address, timeout=_SECONDS) as client:
        client.wait_for_workers(2, timeout=_SECONDS)


def _document(*words: str) -> dict[str, object]:
    done = mailseal("traffic", "--json", *words)
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_a_cluster_says_what_one_process_says(scheduler: str, tmp_path: Path) -> None:
    """Of several files, in several parts; and what was kept of it is the same."""
    logs = [tmp_path / "mainlog", tmp_path / "mainlog.1"]
    for path in logs:
        write(path, 60_000)
    names = [str(path) for path in logs]
    assert sum(len(read.parts(path, 2)) for path in logs) > 2
    alone, kept = _document(*names, "--jobs", "1"), str(tmp_path / "kept")
    assert _document(*names, "--jobs", "2", "--scheduler", scheduler, "--save", kept) == alone
    assert _document(kept) == alone


def test_what_a_worker_cannot_read_is_one_sentence(scheduler: str, tmp_path: Path) -> None:
    """The error of another machine is told as one of this would be."""
    good, bad = tmp_path / "mainlog", tmp_path / "mainlog.1.gz"
    write(good, 100)
    bad.write_bytes(b"\x1f\x8b\x08\0\0\0\0\0\0\3damaged")
    done = mailseal("traffic", str(good), str(bad), "--scheduler", scheduler)
    assert done.returncode == 2
    assert done.stderr.startswith(f"mailseal: {bad} cannot be read to its end: ")
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_an_address_at_which_nobody_answers(tmp_path: Path) -> None:
    """It is named."""
    log = tmp_path / "mainlog"
    write(log, 100)
    done = mailseal("traffic", str(log), "--scheduler", "tcp://127.0.0.1:9")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "no scheduler of dask answers at tcp://127.0.0.1:9" in done.stderr


def test_workers_that_are_gone_are_not_waited_for(
    scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last one here, for it ends both; dask itself would wait until there are others."""
    log = tmp_path / "mainlog"
    write(log, 100)
    monkeypatch.setattr(cluster, "_PATIENCE", 2.0)
    for _ in range(2):
        with (
            cluster.cluster(scheduler) as each,
            pytest.raises(MailsealError, match=f"workers of the cluster at {scheduler} were ended"),
        ):
            list(each(os._exit, [1]))
    with pytest.raises(MailsealError, match=f"the cluster at {scheduler} has no worker any more"):
        work.tally([log], work.Wanted(), scheduler=scheduler)
