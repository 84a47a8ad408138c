"""Everything the wire shows about one endpoint: the order of the questions, and their sum."""

import time
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import replace

from audit.facts import EndpointFacts, Observation, Plaintext, Preference, Reach
from audit.iana import VERSIONS, Suite, Version
from audit.probe import discover, inside, starttls, summary
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
from audit.probe.handshake import SIGNERS, Completed, handshake
from audit.probe.question import Known, ask_all
from audit.wire.dialogue import before_tls
from audit.wire.hello import Hello

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
    shake = jobs.submit(_shake, guest)
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
    prime_error = _own_prime(guest, shown)
    shaken, error = shake.result()
    ders = [shaken.chain] if shaken else []
    others, other_errors = _hidden(guest, shown, ders, jobs)
    chains, bad_chains = summary.chains(found.values(), [*ders, *others])
    known = Known({v: d.suites for v, d in shown.items()})
    behaviours = ask_all((*starttls.QUESTIONS, *inside.QUESTIONS), guest, known, jobs)
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
        dh_bits=summary.dh_bits(found.values(), prime_error),
        secure_renegotiation=summary.secure_renegotiation(found.values()),
        chains=chains,
        bad_chains=bad_chains,
        behaviours=behaviours,
        errors=summary.errors(found.values(), [error, prime_error, *other_errors]),
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


def _own_prime(guest: Guest, shown: Mapping[Version, Discovery]) -> str:
    """Ask the newest version that has DHE; a server has one prime of its own."""
    able = [v for v, d in shown.items() if any(s.key_exchange == "DHE" for s in d.suites)]
    return discover.own_prime(guest, able[-1], shown[able[-1]]) if able else ""


def _hidden(
    guest: Guest,
    shown: Mapping[Version, Discovery],
    chains: list[tuple[bytes, ...]],
    jobs: Executor,
) -> tuple[list[tuple[bytes, ...]], list[str]]:
    """The chains that only TLS 1.3 would show, by one handshake for each kind not seen yet."""
    if "TLSv1.3" not in shown:
        return [], []
    seen = {chain[0].key_type for chain in summary.chains(shown.values(), chains)[0]}
    done = list(jobs.map(lambda kind: _shake(guest, kind), (k for k in SIGNERS if k not in seen)))
    return [shaken.chain for shaken, _ in done if shaken], [error for _, error in done if error]


def _shake(guest: Guest, signer: str = "") -> tuple[Completed | None, str]:
    """A complete handshake, or why the question was not answered."""

    def question(connection: Connection) -> Completed:
        connection.to_tls()
        return handshake(connection, guest.endpoint.name, signer)

    try:
        return guest.ask(question), ""
    except ProbeError as error:
        return None, str(error)


def _observe(shaken: Completed | None, error: str) -> Observation:
    if shaken is None:
        return Observation("inconclusive", error)
    return Observation("accepted" if shaken.ok else "refused", shaken.words)
