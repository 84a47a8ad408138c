"""Everything the wire shows about one endpoint: the order of the questions, and their sum."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import replace
from typing import TypeVar

from audit.facts import EndpointFacts, Observation, Plaintext, Preference, Reach
from audit.iana import VERSIONS, Suite, Version
from audit.probe import discover, summary
from audit.probe.connection import (
    Connection,
    NoAnswer,
    NoRoute,
    NotTheService,
    PortClosed,
    ProbeError,
    Reset,
    Throttled,
)
from audit.probe.discover import Discovery
from audit.probe.guest import Guest
from audit.probe.handshake import Completed, handshake
from audit.wire.dialogue import before_tls
from audit.wire.hello import Hello

T = TypeVar("T")
_MX_PORT = 25  # mail in clear is what the port is for
_REACH: dict[type[ProbeError], Reach] = {
    PortClosed: "refused",
    NoRoute: "no-route",
    NoAnswer: "no-answer",
    Reset: "no-answer",
    Throttled: "open",
    NotTheService: "not-the-service",
}


def probe(
    guest: Guest, expected: Mapping[Version, tuple[Suite, ...]], jobs: Executor
) -> EndpointFacts:
    """The facts of one endpoint; whatever goes wrong is in them, nothing is raised.

    *expected* orders what is offered, so that the answers prove as much as they can.
    """
    started = time.monotonic()
    try:
        facts = _explore(guest, expected, jobs, _first(guest))
    except ProbeError as error:
        facts = EndpointFacts(guest.endpoint, _REACH[type(error)], errors=(str(error),))
    except Exception as error:  # noqa: BLE001 - one endpoint must not end the run of all others
        words = f"the prober stumbled over it: {type(error).__name__}: {error}"
        facts = EndpointFacts(guest.endpoint, "open", errors=(words,))
    return replace(
        facts, connections=guest.connections, seconds=round(time.monotonic() - started, 3)
    )


def knock(guest: Guest) -> EndpointFacts:
    """Only whether anything listens there."""
    try:
        guest.ask(lambda connection: None)  # noqa: ARG005 - to have connected is the answer
    except ProbeError as error:
        return EndpointFacts(guest.endpoint, _REACH[type(error)], errors=(str(error),))
    return EndpointFacts(guest.endpoint, "open", connections=guest.connections)


def _first(guest: Guest) -> Plaintext | None:
    """The first connection: is there anything, and what does it allow in clear?"""
    if guest.endpoint.mode == "implicit":
        guest.ask(lambda connection: None)  # noqa: ARG005 - to have connected is the answer
        return None
    service, port = guest.endpoint.service, guest.endpoint.port
    try_mail = service == "smtp" and port != _MX_PORT
    return guest.ask(lambda c: c.converse(before_tls(service, try_mail=try_mail)))


def _explore(
    guest: Guest,
    expected: Mapping[Version, tuple[Suite, ...]],
    jobs: Executor,
    plaintext: Plaintext | None,
) -> EndpointFacts:
    shake = jobs.submit(_try, lambda: guest.ask(lambda c: _handshake(c, guest.endpoint.name)))
    found: dict[Version, Discovery] = dict(
        zip(
            VERSIONS,
            jobs.map(lambda v: discover.suites(guest, v, expected.get(v, ())), VERSIONS),
            strict=True,
        )
    )
    shown = {v: d for v, d in found.items() if d.suites}
    groups = jobs.map(lambda v: discover.groups(guest, v, shown[v].suites), shown)
    orders = jobs.map(lambda v: discover.preference(guest, v, shown[v], expected.get(v, ())), shown)
    by_group = {v: names for v, names in zip(shown, groups, strict=True) if names is not None}
    by_order: dict[Version, Preference] = dict(zip(shown, orders, strict=True))
    shaken, error = shake.result()
    chains, bad_chains = summary.chains(found.values(), shaken.chain if shaken else ())
    facts = EndpointFacts(
        endpoint=guest.endpoint,
        reach="open",
        protocols=summary.protocols(found),
        suites={v: tuple(s.name for s in d.suites) for v, d in shown.items()},
        rest={v: d.rest for v, d in shown.items()},
        preference=by_order,
        groups=by_group,
        plaintext=plaintext,
        handshake=_observe(shaken, error),
        compression=summary.compression(found.values()),
        dh_bits=summary.dh_bits(found.values()),
        secure_renegotiation=summary.secure_renegotiation(found.values()),
        chains=chains,
        bad_chains=bad_chains,
        errors=summary.errors(found.values(), error),
    )
    if not any(o.seen == "accepted" for o in facts.protocols.values()) and summary.foreign(facts):
        return replace(facts, reach="not-the-service")
    control = _control(guest, shown)
    return facts if control.seen == "accepted" else summary.without_control(facts, control)


def _control(guest: Guest, shown: Mapping[Version, Discovery]) -> Observation:
    """The best hello once more, after all the refusals: does the endpoint still answer?"""
    if not shown:
        return Observation("inconclusive", "no handshake succeeds here")
    version = list(shown)[-1]
    hello = Hello(version, shown[version].suites, discover.groups_for(version), guest.endpoint.name)
    try:
        seen = discover.read(discover.greet(guest, hello), version)
    except ProbeError as error:
        return Observation("inconclusive", f"afterwards: {error}")
    if seen.seen == "accepted":
        return seen
    return Observation("inconclusive", f"afterwards what had succeeded did not: {seen.evidence}")


def _handshake(connection: Connection, name: str) -> Completed:
    connection.to_tls()
    return handshake(connection, name)


def _try(question: Callable[[], T]) -> tuple[T | None, str]:
    try:
        return question(), ""
    except ProbeError as error:
        return None, str(error)


def _observe(shaken: Completed | None, error: str) -> Observation:
    if shaken is None:
        return Observation("inconclusive", error)
    return Observation("accepted" if shaken.ok else "refused", shaken.words)
