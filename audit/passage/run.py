"""All errands of a run: hosts beside each other, what belongs to one host in turn."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby

from audit.passage.errand import do
from audit.passage.outcome import Outcome
from audit.passage.plan import Errand

_MOST_HOSTS = 16  # at a time
# Hosts may share the test account's mailbox, and a maildrop has one visitor (RFC 1939, section 4).
_MAILDROP = threading.Lock()


def run(
    errands: Sequence[Errand], patience: float, done: Callable[[str], None] = lambda _: None
) -> list[Outcome]:
    """The outcomes, in the order of the errands; *done* is called with the name of each place."""

    def turn(errands: list[Errand]) -> list[Outcome]:
        return [one(errand) for errand in errands]

    def one(errand: Errand) -> Outcome:
        outcome = _alone(errand, patience)
        done(str(errand.place.endpoint))
        return outcome

    hosts = [list(group) for _, group in groupby(errands, lambda e: e.place.endpoint.host)]
    pool = ThreadPoolExecutor(_MOST_HOSTS, "host")
    try:
        turns = [pool.submit(turn, group) for group in hosts]
        return [outcome for future in turns for outcome in future.result()]
    finally:  # all is done, or somebody pressed Ctrl-C and waits for nothing
        pool.shutdown(wait=False, cancel_futures=True)


def _alone(errand: Errand, patience: float) -> Outcome:
    if errand.place.endpoint.service != "pop3":
        return do(errand, patience)
    with _MAILDROP:
        return do(errand, patience)
