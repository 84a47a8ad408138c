"""Many endpoints at once, each address within its cap; results as they come."""

import math
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from msgspec.structs import replace

from audit.facts import Endpoint, EndpointFacts
from audit.probe.address import Address, Manners
from audit.probe.connection import Limits
from audit.probe.endpoint import knock, probe
from audit.probe.guest import Guest
from audit.probe.plan import Task

_MOST_ENDPOINTS = 64  # at a time; each address has at most `cap` connections


def probe_all(
    endpoints: Iterable[Endpoint],
    task: Callable[[Endpoint], Task],
    *,
    manners: Manners | None = None,
    done: Callable[[EndpointFacts], None] = lambda _: None,
) -> list[EndpointFacts]:
    """The facts of all endpoints, in the order given; *done* is called as each comes in."""
    return _all(endpoints, lambda guest: probe(guest, task(guest.endpoint)), manners, done)


def knock_all(
    endpoints: Iterable[Endpoint],
    *,
    manners: Manners | None = None,
    until: float = math.inf,
    done: Callable[[EndpointFacts], None] = lambda _: None,
) -> list[EndpointFacts]:
    """Whether anything listens, one connection each, for ports where nothing should.

    After the moment *until* (time.monotonic()) nothing more is asked.
    """
    # A firewall may drop one port and not the next: each is tried, once and not for long.
    quickly = Manners(tries=1, dead_after=1 << 30, limits=Limits(connect=3.5))
    return _all(endpoints, knock, replace(manners or quickly, until=until), done)


def _all(
    endpoints: Iterable[Endpoint],
    look: Callable[[Guest], EndpointFacts],
    manners: Manners | None,
    done: Callable[[EndpointFacts], None],
) -> list[EndpointFacts]:
    order: Sequence[Endpoint] = list(dict.fromkeys(endpoints))
    polite = manners or Manners()
    addresses = {e.address: Address(polite) for e in order}
    found: dict[Endpoint, EndpointFacts] = {}
    conductors = ThreadPoolExecutor(_MOST_ENDPOINTS, "endpoint")
    try:
        running = [conductors.submit(look, Guest(e, addresses[e.address], polite)) for e in order]
        for future in as_completed(running):
            facts = future.result()
            found[facts.endpoint] = facts
            done(facts)
    finally:  # all is done, or somebody pressed Ctrl-C and waits for nothing
        conductors.shutdown(wait=False, cancel_futures=True)
        for address in addresses.values():
            address.close()
    return [found[e] for e in order]
