"""One script a host over testinfra's connection; many hosts at once."""

import math
import os
import shlex
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import testinfra

from audit.facts import HostFacts
from audit.inspect.parse import parse

_SCRIPT = (Path(__file__).parent / "collect.sh").read_text(encoding="utf-8")
_LARGEST = 4 << 20  # characters; a host prints some tens of thousands
_SECONDS = 60  # for the script
_PATIENCE = 90.0  # for the script and the connection that carries it


def inspect_all(
    hosts: Iterable[str],
    inventory: str,
    *,
    at_once: int = 8,
    until: float = math.inf,
    done: Callable[[HostFacts], None] = lambda _: None,
) -> list[HostFacts]:
    """The facts of all hosts, in the order given; *done* is called as each comes in.

    After the moment *until* (time.monotonic()) nobody is asked or waited for any more.
    """
    # testinfra starts `ansible-inventory`, which lies beside the Python that runs this.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"

    places = threading.BoundedSemaphore(at_once)
    found: dict[str, HostFacts] = {}

    def one(host: str) -> None:
        with places:
            if time.monotonic() >= until:
                return
            facts = inspect(host, inventory)
        if found.setdefault(host, facts) is facts:
            done(facts)

    order = list(hosts)
    # Daemons, because a connection that hangs cannot be ended from here: it is left behind.
    threads = [threading.Thread(target=one, args=(host,), daemon=True) for host in order]
    for thread in threads:
        thread.start()
    end = min(until, time.monotonic() + _PATIENCE * (1 + len(order) // at_once))
    words = "the time for the audit was over" if end == until else "it did not answer in time"
    for thread, host in zip(threads, order, strict=True):
        thread.join(max(0.0, end - time.monotonic()))
        late = HostFacts(host, reached=False, errors=(words,))
        if found.setdefault(host, late) is late:
            done(late)
    return [found[host] for host in order]


def inspect(host: str, inventory: str) -> HostFacts:
    """The facts of one host; a host that cannot be asked says so in them."""
    try:
        connection = testinfra.get_host(f"ansible://{host}", ansible_inventory=inventory)
        command = f"timeout {_SECONDS} sh -c {shlex.quote(_SCRIPT)}"
        result = connection.run(command)
    except Exception as error:  # noqa: BLE001 - testinfra raises whatever its back end does
        # Of a failed ssh it raises the whole result; what people want to read is what ssh said.
        said = getattr(error.args[0] if error.args else None, "stderr", "") or error
        return HostFacts(host, reached=False, errors=(_one_line(said),))
    if result.rc != 0:
        reason = _one_line(result.stderr) or f"the script ended with {result.rc}"
        return HostFacts(host, reached=False, errors=(reason,))
    return parse(host, result.stdout[:_LARGEST])


def _one_line(text: object) -> str:
    lines = str(text).strip().splitlines()
    return lines[-1][:200] if lines else ""
