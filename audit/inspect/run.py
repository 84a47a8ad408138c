"""One script a host over testinfra's connection; many hosts at once."""

import os
import shlex
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import testinfra

from audit.facts import HostFacts
from audit.inspect.parse import parse

_SCRIPT = (Path(__file__).parent / "collect.sh").read_text(encoding="utf-8")
_LARGEST = 4 << 20  # characters; a host prints some tens of thousands
_SECONDS = 60


def inspect_all(
    hosts: Iterable[str],
    inventory: str,
    *,
    at_once: int = 8,
    done: Callable[[HostFacts], None] = lambda _: None,
) -> list[HostFacts]:
    """The facts of all hosts, in the order given; *done* is called as each comes in."""
    # testinfra starts `ansible-inventory`, which lies beside the Python that runs this.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"

    def one(host: str) -> HostFacts:
        facts = inspect(host, inventory)
        done(facts)
        return facts

    with ThreadPoolExecutor(at_once, "host") as pool:
        return list(pool.map(one, hosts))


def inspect(host: str, inventory: str) -> HostFacts:
    """The facts of one host; a host that cannot be asked says so in them."""
    try:
        connection = testinfra.get_host(f"ansible://{host}", ansible_inventory=inventory)
        command = f"timeout {_SECONDS} sh -c {shlex.quote(_SCRIPT)}"
        result = connection.run(command)
    except Exception as error:  # noqa: BLE001 - testinfra raises whatever its back end does
        return HostFacts(host, reached=False, errors=(_one_line(error),))
    if result.rc != 0:
        reason = _one_line(result.stderr) or f"the script ended with {result.rc}"
        return HostFacts(host, reached=False, errors=(reason,))
    return parse(host, result.stdout[:_LARGEST])


def _one_line(text: object) -> str:
    lines = str(text).strip().splitlines()
    return lines[-1][:200] if lines else ""
