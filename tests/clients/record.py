"""Records clients anew: `python -m tests.clients.record [ID ...]`, all of them by default.

Each client that this machine can start is led to a port on loopback that takes its hello and
hangs up; what it sent is written to `audit/clients/recordings`. Those it cannot start are named
with the reason, and their files stay as they are. Mail servers run over Debian roots of the
project, which needs root; nothing else does.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from textwrap import wrap

from audit.clients.load import RECORDINGS, read
from audit.wire.normal import normal
from audit.wire.server_hello import Malformed
from tests.clients.driver import At, Driver, MissingError
from tests.clients.relay import relay
from tests.clients.table import DRIVERS
from tests.servers import make_pki

_SECONDS = 60.0  # Java compiles its program first, Go does too


@contextmanager
def running(driver: Driver, at: At) -> Iterator["subprocess.Popen[bytes]"]:
    """A client that connects; it and all that it started are ended at last.

    Raises:
        MissingError: this machine cannot start it.
    """
    start = driver.start(at)
    with (
        (at.folder / "said").open("wb") as out,
        subprocess.Popen(
            start.command,
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=out,
            env={**os.environ, **start.environment},
            start_new_session=True,
        ) as process,
    ):
        try:
            if process.stdin:
                process.stdin.write(start.said)
                process.stdin.close()
            yield process
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def hello(driver: Driver, folder: Path) -> bytes:
    """What the client says first, as it is kept.

    Raises:
        MissingError: this machine cannot start it, or it said nothing.
    """
    roots = make_pki(folder).root
    own = folder / "client"
    own.mkdir()
    with relay(driver.opening) as place, running(driver, At(place.port, own, roots)):
        place.seen.wait(_SECONDS)
    try:
        return normal(bytes(place.client))
    except Malformed as error:
        words = (own / "said").read_text(encoding="utf-8", errors="replace")
        raise MissingError(f"it said no hello ({error}): {words[-500:]}") from None


def recording(driver: Driver, first: bytes, day: str) -> str:
    """The file for a client."""
    fields = {
        "id": driver.id,
        "software": driver.software,
        "version": driver.version(),
        "library": driver.library(),
        "uses": list(driver.uses),
        "kind": "modelled" if driver.models else "recorded",
        "models": driver.models,
        "made": driver.made,
        "oldest": driver.oldest,
    }
    lines = [f"{name}: {json.dumps(value)}" for name, value in fields.items() if value]
    lines += [f"date: {day}", "hello: >-", *(f"  {line}" for line in wrap(first.hex(), 96))]
    return "\n".join(lines) + "\n"


def main(ids: list[str]) -> int:
    """Record the named clients, or all; 1 if one of them could not be."""
    missing = 0
    for name in ids or DRIVERS:
        with tempfile.TemporaryDirectory() as folder:
            try:
                first = hello(DRIVERS[name], Path(folder))
                text = recording(DRIVERS[name], first, str(datetime.now(tz=UTC).date()))
            except MissingError as error:
                print(f"{name}: not recorded: {error}")
                missing = 1
                continue
        path = RECORDINGS / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        read(path)
        print(f"{name}: {len(first)} bytes")
    return missing


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
