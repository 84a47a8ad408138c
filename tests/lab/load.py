"""Mail that flows and users who log in, for as long as somebody changes the hosts under them.

    python -m tests.lab.load inventory/lab --for 600 --every 1

Without --for it goes on until its input ends.

Each service of the inventory has a lane of its own. A user who finds one host closed goes on to
the next, as a client with several addresses does; a mail that is not taken for now is kept and
offered again, as by any mail server. What counts in the end: users whom no host let in, mails that
were refused for good or never taken, and mails that were taken and are nowhere.
"""

import argparse
import json
import math
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from msgspec.structs import replace

from audit.account import Account
from audit.passage import mailbox
from audit.passage.errand import do
from audit.passage.outcome import Outcome, Stopped
from audit.passage.plan import Errand, Place
from audit.passage.prepare import prepare
from audit.passage.reasons import reason
from audit.passage.way import Way

_GRACE = 120.0  # seconds in which what is still waiting must get through
_PATIENCE = 30.0


@dataclass
class Lane:
    """One service, at all the hosts that have it.

    Attributes:
        errands: the hosts to choose from; none looks for its mail, that is done in the end.
        attempt: does an errand.
        clock, sleep: the time.
        over: set when nothing new is to be begun.
        tries: connections that were tried.
        done: logins that succeeded, or mails that were taken.
        failed: when a user was not let in by any host, or a mail was lost, and why.
        deferred: how often a mail had to wait.
        taken: Message-ID of each mail that was taken, with the errand that it went by.
    """

    errands: Sequence[Errand]
    attempt: Callable[[Errand], Outcome] = lambda errand: do(replace(errand, reader=None), 0.0)
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    over: threading.Event = field(default_factory=threading.Event)
    tries: int = 0
    done: int = 0
    deferred: int = 0
    failed: list[str] = field(default_factory=list)
    taken: list[tuple[str, Errand]] = field(default_factory=list)
    _turn: int = 0

    @property
    def name(self) -> str:
        """imap 993, smtp 25."""
        where = self.errands[0].place.endpoint
        return f"{where.service} {where.port}"

    @property
    def mails(self) -> bool:
        """Whether it is about mails; else about logins."""
        return self.errands[0].place.endpoint.service in ("smtp", "lmtp")

    def run(self, seconds: float, every: float, grace: float = _GRACE) -> None:
        """Something new every so often, for so long; then what is waiting gets its last chance."""
        begun = self.clock()
        waiting = 0
        while (now := self.clock()) < begun + seconds and not self.over.is_set():
            waiting = self._round(now - begun, waiting + 1)
            self.sleep(max(0.0, now + every - self.clock()))
        end = self.clock() + grace
        while waiting and (now := self.clock()) < end:
            waiting = self._round(now - begun, waiting)
            self.sleep(max(0.0, now + every - self.clock()))
        self.failed += ["at the end: a mail that was never taken"] * waiting

    def _round(self, at: float, waiting: int) -> int:
        """Try what there is to do; the mails that are still waiting afterwards."""
        for left in range(waiting, 0, -1):
            outcome = self._anywhere()
            if outcome.message or outcome.verdict == "pass":
                self.done += 1
            elif self.mails and outcome.again:
                self.deferred += left
                return left
            else:
                self.failed.append(f"after {at:.1f} s: {_words(outcome)}")
        return 0

    def _anywhere(self) -> Outcome:
        """At one host after the other, until one of them says yes, or no for good."""
        for _ in self.errands:
            errand = self.errands[self._turn % len(self.errands)]
            self._turn += 1
            self.tries += 1
            outcome = self.attempt(errand)
            if outcome.message:
                self.taken.append((outcome.message, errand))
            if outcome.message or not outcome.again:
                break
        return outcome


def _words(outcome: Outcome) -> str:
    return f"{outcome.endpoint} {outcome.step}: {outcome.words}"


def lanes(errands: Sequence[Errand]) -> list[Lane]:
    """One for each service and port; hosts take turns, whatever their order in the inventory."""

    def service(errand: Errand) -> tuple[int, str]:
        where = errand.place.endpoint
        return where.port, where.service

    ready = sorted((errand for errand in errands if not errand.hindrance), key=service)
    return [Lane(list(group)) for _, group in groupby(ready, service)]


def missing(lane: Lane, patience: float = _PATIENCE) -> list[str]:
    """The mails of a lane that were taken and are not in their mailbox; those there are removed."""
    waiting: dict[Place, list[str]] = {}
    for message, errand in lane.taken:
        if errand.reader and errand.reader.account:
            waiting.setdefault(errand.reader, []).append(message)
    lost = []
    for reader, messages in waiting.items():
        lost += _missing(reader, messages, patience)
    return lost


def _missing(reader: Place, messages: list[str], patience: float) -> list[str]:
    """Those that do not lie there; all are given the same time to arrive."""
    way = Way()
    there: list[str] = []
    end = time.monotonic() + patience
    said = f"not in the mailbox on {reader.endpoint.host}"
    try:
        account = reader.account or Account()
        with mailbox.opened(reader, account, way, patience + len(messages)) as client:
            for message in messages:
                with suppress(Stopped):
                    mailbox.take(client, reader, way, message, end - time.monotonic())
                    there.append(message)
    except Exception as error:  # noqa: BLE001 - as in audit.passage.errand
        said = f"{reader.endpoint} {way.step}: {reason(error, way.step, way.bounds).words}"
    return [f"{message}: {said}" for message in messages if message not in there]


def summary(found: Sequence[Lane]) -> dict[str, Any]:
    """What came of it, lane by lane."""
    return {
        lane.name: {
            "tries": lane.tries,
            "done": lane.done,
            "deferred": lane.deferred,
            "failed": lane.failed,
            "taken": [message for message, _ in lane.taken],
            "lost": missing(lane),
        }
        for lane in found
    }


def main() -> int:
    """Run the load, print the sum as JSON; 1 if anything failed or was lost."""
    parser = argparse.ArgumentParser(description="Mail that flows and users who log in.")
    parser.add_argument("inventory")
    parser.add_argument("--limit", default="")
    parser.add_argument("--for", dest="seconds", type=float, default=math.inf)
    parser.add_argument("--every", type=float, default=1.0)
    arguments = parser.parse_args()
    found = lanes(prepare(arguments.inventory, arguments.limit))
    with ThreadPoolExecutor(len(found) or 1) as pool:
        running = [pool.submit(lane.run, arguments.seconds, arguments.every) for lane in found]
        if arguments.seconds == math.inf:
            sys.stdin.read()
            for lane in found:
                lane.over.set()
        for future in running:
            future.result()
    said = summary(found)
    sys.stdout.write(json.dumps(said, indent=2) + "\n")
    return int(any(lane["failed"] or lane["lost"] for lane in said.values()) or not said)


if __name__ == "__main__":
    sys.exit(main())
