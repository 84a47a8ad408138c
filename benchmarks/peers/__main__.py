"""Measures our scan beside sslyze, testssl.sh, sslscan and nmap; writes docs/benchmarks.md.

    make bench-peers

Installs the peers (once; cached), starts Dovecot, Postfix and Exim from Debian in namespaces of
their own, and asks each tool for the same facts, near and at a round trip of 20 ms. Ends with 1 if
tools disagree about a fact for no known reason.
"""

import argparse
import hashlib
import socket
import ssl
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import page as pages
from benchmarks.peers import page, profile
from benchmarks.peers.compare import TOLD, Difference, differences, told_facts
from benchmarks.peers.field import WAYS, Place, field, versions_of_daemons
from benchmarks.peers.install import install
from benchmarks.peers.page import Measurement, Results
from benchmarks.peers.run import settle
from benchmarks.peers.sample import Watch
from benchmarks.peers.tools import OURS, Tool, check_ours, tools
from tests.daemons.cell import inside
from tests.servers import Pki

if TYPE_CHECKING:
    from benchmarks.peers.read import Facts

_PROFILED = 7


def main() -> int:
    """Measure, compare, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="of every tool (%(default)s)")
    parser.add_argument("--limit", type=float, default=300, help="seconds a run (%(default)s)")
    options = parser.parse_args()
    check_ours()
    peers = install()
    every = tools(peers)
    with tempfile.TemporaryDirectory() as folder, field(Path(folder)) as (places, pki):
        round_trip = _round_trip(places)
        profiles = profile.text([p for p in places if p.timed], _PROFILED)
        results = Results(_measure(every, places, options.rounds, options.limit))
        most_open = {
            f"{tool.name} {place.title}": _most_open(tool, place, options.limit)
            for tool in every
            if tool.ours
            for place in places
            if place.timed and place.way  # near, a connection is gone before one can look twice
        }
        found = _compare(results, pki)
    text = page.section(
        results,
        found=found,
        versions={**peers.versions, **versions_of_daemons()},
        profiles=profiles,
        most_open=most_open,
        round_trip=round_trip,
    )
    pages.write("peers", text)
    unexplained = [one for one in found if not one.reasons]
    for one in unexplained:
        print(f"unexplained: {one.title}, {one.fact}: {one.values}")
    failed = [run for run in results.runs if run.tool in OURS and not run.facts]
    return 1 if unexplained or failed else 0


def _measure(
    every: Sequence[Tool], places: Sequence[Place], rounds: int, limit: float
) -> Iterator[Measurement]:
    """Every tool once for warmth, then the rounds, the tools by turns."""
    for tool in every:
        tool.measure(places[0], limit)
    for number in range(rounds):
        for place in places:
            if number and not place.timed:
                continue
            for tool in every:
                settle(place.open)
                ran, facts = tool.measure(place, limit)
                label = f"{number + 1}/{rounds} {place.title} {place.way} ms {tool.name}"
                late = " ended" if ran.late else ""
                print(f"{label}: {ran.seconds:.2f} s, {ran.connections}{late}", flush=True)
                yield Measurement(place, tool.name, number, ran, facts)


def _compare(results: Results, pki: Pki) -> list[Difference]:
    fingerprints = {
        kind: hashlib.sha256(ssl.PEM_cert_to_DER_cert(pair[0].read_text())).hexdigest()
        for kind, pair in (("rsa", pki.rsa), ("ecdsa", pki.ecdsa))
    }
    heard: dict[str, dict[str, list[Facts]]] = defaultdict(lambda: defaultdict(list))
    for run in results.runs:
        title = run.place.title
        told = told_facts(run.place.tls, [fingerprints[key] for key in run.place.tls.keys])
        heard[title][TOLD] = [told]
        heard[title][run.tool].append(run.facts)
    return [one for title, voices in heard.items() for one in differences(title, voices)]


def _most_open(tool: Tool, place: Place, limit: float) -> int:
    settle(place.open)
    with Watch(place.netns) as watch:
        tool.measure(place, limit)
    return max(watch.most.values(), default=0)


def _round_trip(places: Sequence[Place]) -> dict[int, float]:
    """How long TCP's own handshake takes."""
    found = {}
    for way in WAYS:
        place = next(p for p in places if p.way == way)
        times = []
        with inside(place.netns):
            for _ in range(9):
                start = time.perf_counter()
                with socket.create_connection((place.address, place.port)):
                    times.append(time.perf_counter() - start)
        found[way] = statistics.median(times)
    return found


if __name__ == "__main__":
    sys.exit(main())
