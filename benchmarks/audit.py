"""Measures the audit of the 25-host lab and writes its section of docs/benchmarks.md.

    make bench

Brings the lab up in size cluster, rolls out, and audits it several times. Connections are counted
by the kernel in the namespace that the prober runs in, memory and time by the operating system.
"""

import argparse
import json
import os
import resource
import statistics
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from benchmarks import page
from benchmarks.cluster import INVENTORY, must, opened, up


@dataclass(frozen=True)
class Measured:
    """One audit: seconds of wall and processor, MiB at the peak, connections, checks."""

    wall: float
    processor: float
    peak: float
    connections: int
    checks: int
    endpoints: int


def _measure() -> Measured:
    counted, start = opened(), time.monotonic()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    document = json.loads(must("mailseal", "audit", "-i", INVENTORY, "--json"))
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    places = {(f["address"], f["port"]) for f in document["findings"] if f["port"]}
    return Measured(
        wall=wall,
        processor=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        peak=after.ru_maxrss / 1024,
        connections=opened() - counted,
        checks=document["executed"],
        endpoints=len(places),
    )


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=3, help="audits to measure (%(default)s)")
    runs = parser.parse_args().runs
    up()
    found = []
    for number in range(runs):
        found.append(_measure())
        print(f"audit {number + 1} of {runs}: {found[-1]}", flush=True)
    page.write("audit", _section(found))


def _section(found: list[Measured]) -> str:
    def median(name: str) -> float:
        return float(statistics.median(getattr(m, name) for m in found))

    def spread(name: str) -> str:
        values = [getattr(m, name) for m in found]
        return f"{median(name):.0f} ({min(values):.0f}-{max(values):.0f})"

    return f"""## Audit of the 25-host lab

{datetime.now(tz=UTC):%Y-%m-%d}; {os.cpu_count()} cores, which the 25 hosts under test share with
the auditor. {len(found)} run(s): the median, smallest and largest in brackets.

All endpoints on IPv4 and IPv6, all host facts; {found[0].checks} checks,
{found[0].endpoints} endpoints (those that must be closed included).

| what | value |
|---|---|
| wall time, whole command, s | {spread("wall")} |
| processor time of the auditor with Ansible's inventory and ssh, s | {spread("processor")} |
| peak memory of the largest process, MiB | {spread("peak")} |
| TCP connections opened, by the kernel's count | {spread("connections")} |

What limits it is the servers, not the auditor: a Cyrus child whose handshake fails ends, and the
next connection pays for a fork and an exec; auditor and servers share the same cores here.
"""


if __name__ == "__main__":
    main()
