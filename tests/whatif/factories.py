"""Tallies, as they come out of logs."""

from datetime import date
from typing import Any

from audit.clients.load import clients, offer
from audit.forecast.manners import GNUTLS_3_7, Manners
from audit.policy.load import load
from audit.policy.model import Policy
from audit.traffic.tally import Tally, Use
from audit.traffic.ways import way
from audit.whatif import order
from audit.whatif.document import ClientDocument, WhatIfDocument
from audit.whatif.premises import Question
from audit.whatif.weigh import Narrowing, weigh

DAY = b"2026-11-02"
MODELS = tuple((one, offer(one)) for one in clients())


def tally(
    *sights: tuple[Use, str, str, str, int], hosts: tuple[tuple[str, str, str, int], ...] = ()
) -> Tally:
    """What was counted: use, address, login, X= and how often; of hosts name, X=, CV= and the same.

    The words are those of logs; no X= is no TLS.
    """
    found = Tally()
    for use, ip, login, x, count in sights:
        for _ in range(count):
            found.days[DAY] += 1
            words = ip.encode(), login.encode(), x.encode()
            if use == "access":
                found.logged_in(DAY, *words, "good")
            else:
                found.arrived(DAY, use, *words, b"", b"")
    for number, (name, x, cv, count) in enumerate(hosts):
        for turn in range(count):
            found.days[DAY] += 1
            message = f"{number}-{turn}".encode()
            to = way(b" smtp", b"", name.encode(), False, x.encode(), cv.encode(), b"")
            found.sent(b"", message, (DAY, b"192.0.2.1", to))
    found.finish()
    return found


def ask(
    counted: Tally,
    policy: str | Policy,
    before: str = "",
    manners: Manners = GNUTLS_3_7,
    narrowing: Narrowing | None = None,
    **more: Any,
) -> WhatIfDocument:
    """The answer to a question about a policy, at servers that were rolled out by another."""
    question = Question(
        policy=load(policy) if isinstance(policy, str) else policy,
        day=date(2026, 11, 20),
        manners=manners,
        before=order.by_policy(load(before)) if before else {},
        **more,
    )
    return weigh(counted, question, narrowing or Narrowing())


def only(found: WhatIfDocument) -> ClientDocument:
    """The one client that does not simply go on."""
    (row,) = found.clients
    return row
