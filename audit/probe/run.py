"""Many endpoints at once, each address within its cap; results as they come."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed

from audit.facts import Endpoint, EndpointFacts
from audit.iana import Suite, Version
from audit.probe.connection import Limits
from audit.probe.endpoint import knock, probe
from audit.probe.guest import Address, Guest, Manners

Expected = Mapping[Version, tuple[Suite, ...]]

_MOST_ENDPOINTS = 64  # at a time; each waits for at most `cap` connections
_MOST_JOBS = 64


def probe_all(
    endpoints: Iterable[Endpoint],
    expected: Callable[[Endpoint], Expected],
    *,
    manners: Manners | None = None,
    done: Callable[[EndpointFacts], None] = lambda _: None,
) -> list[EndpointFacts]:
    """The facts of all endpoints, in the order given; *done* is called as each comes in."""
    order = list(dict.fromkeys(endpoints))
    polite = manners or Manners()
    addresses = {e.address: Address(polite) for e in order}
    found: dict[Endpoint, EndpointFacts] = {}
    jobs = ThreadPoolExecutor(_MOST_JOBS, "job")
    conductors = ThreadPoolExecutor(_MOST_ENDPOINTS, "endpoint")
    try:
        running = [
            conductors.submit(probe, Guest(e, addresses[e.address], polite), expected(e), jobs)
            for e in order
        ]
        for future in as_completed(running):
            facts = future.result()
            found[facts.endpoint] = facts
            done(facts)
    finally:  # all is done, or somebody pressed Ctrl-C and waits for nothing
        conductors.shutdown(wait=False, cancel_futures=True)
        jobs.shutdown(wait=False, cancel_futures=True)
    return [found[e] for e in order]


def knock_all(
    endpoints: Iterable[Endpoint],
    *,
    manners: Manners | None = None,
    done: Callable[[EndpointFacts], None] = lambda _: None,
) -> list[EndpointFacts]:
    """Whether anything listens, one connection each, for ports where nothing should."""
    order = list(dict.fromkeys(endpoints))
    # A firewall may drop one port and not the next: each is tried, once and not for long.
    polite = manners or Manners(tries=1, dead_after=1 << 30, limits=Limits(connect=3.5))
    addresses = {e.address: Address(polite) for e in order}

    def one(endpoint: Endpoint) -> EndpointFacts:
        facts = knock(Guest(endpoint, addresses[endpoint.address], polite))
        done(facts)
        return facts

    with ThreadPoolExecutor(_MOST_JOBS, "knock") as jobs:
        return list(jobs.map(one, order))
