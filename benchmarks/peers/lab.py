"""Our scan beside sslyze and nmap over all endpoints of the 25-host lab; writes its section.

    python -m benchmarks.peers.lab

Brings the lab up in size cluster and rolls out. Each tool is given the same list: every endpoint
of a protocol that all three speak, on both families. With --hosts only some hosts are asked, and
what all of them would take is extrapolated; the page says so.
"""

import argparse
import time
from collections.abc import Sequence

from audit import inventory
from audit.facts import Endpoint
from benchmarks import cluster
from benchmarks import page as pages
from benchmarks.page import ROOT
from benchmarks.peers import lists
from benchmarks.peers.install import Peers, install
from benchmarks.peers.lab_page import Field, Sum, section
from benchmarks.peers.run import Ran, run
from benchmarks.peers.sample import Watch
from benchmarks.peers.tools import ENVIRONMENT, check_ours

_PAUSE = 3.0  # for the servers to be done with the one before


def main() -> None:
    """Measure and write the section."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="of our scan (%(default)s)")
    parser.add_argument("--hosts", type=int, default=0, help="ask only so many (default: all)")
    parser.add_argument("--limit", type=float, default=3600, help="seconds a command (%(default)s)")
    options = parser.parse_args()
    check_ours()
    cluster.up()
    peers = install()  # after the lab: what is mounted from here on only we see
    hosts = [
        [e for e, _ in host.expected()] for host in inventory.read(str(ROOT / cluster.INVENTORY))
    ]
    field = choose([endpoints for endpoints in hosts if endpoints], options.hosts)
    pages.write("peers-lab", measure(peers, field, options.rounds, options.limit))


def choose(hosts: Sequence[Sequence[Endpoint]], number: int) -> Field:
    """What to ask: of all hosts, or of so many, taken at equal distances from the list."""
    number = number or len(hosts)
    some = [hosts[i * len(hosts) // number] for i in range(number)]
    able = [e for host in hosts for e in host if e.service in lists.SPOKEN]
    asked = [e for host in some for e in host if e.service in lists.SPOKEN]
    every = [e for host in hosts for e in host]
    return Field(cluster.HUB, cluster.opened, every, asked, len(asked) / len(able))


def measure(peers: Peers, field: Field, rounds: int, limit: float) -> str:
    """Every tool over its list, ours before, between and after the others; the section."""

    def ours(endpoints: Sequence[Endpoint]) -> Sum:
        time.sleep(_PAUSE)
        words = lists.mailseal(endpoints)
        ran = run(
            words,
            field.netns,
            limit=limit,
            count=field.count,
            environment=ENVIRONMENT,
            cwd=ROOT,
        )
        return _sum("mailseal", [ran])

    def theirs(name: str, commands: Sequence[Sequence[str]]) -> Sum:
        time.sleep(_PAUSE)
        ran = [run(words, field.netns, limit=limit, count=field.count) for words in commands]
        return _sum(name, ran)

    seen = [ours(field.asked)]
    found = {"nmap": theirs("nmap", lists.nmap(peers, field.asked))}
    seen += [ours(field.asked) for _ in range(max(1, rounds - 2))]
    found["sslyze"] = theirs("sslyze", lists.sslyze(peers, field.asked))
    seen.append(ours(field.asked))
    whole = ours(field.every)
    with Watch(field.netns) as watch:
        ours(field.every)
    return section(field, seen, whole, found, watch)


def _sum(name: str, ran: Sequence[Ran]) -> Sum:
    one = Sum(
        seconds=sum(r.seconds for r in ran),
        connections=sum(r.connections for r in ran),
        peak=max(r.peak for r in ran),
        found=sum(lists.ANSWERED[name](r.output) for r in ran),
        late=any(r.late for r in ran),
    )
    print(f"{name}: {one}", flush=True)
    return one


if __name__ == "__main__":
    main()
