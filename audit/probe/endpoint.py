"""Everything the wire shows about one endpoint: the order of the questions, and their sum."""

import time
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from audit.facts import EndpointFacts, Observation, Plaintext, Reach
from audit.probe import discover, features, summary
from audit.probe.connection import Connection
from audit.probe.drive import Wire
from audit.probe.errors import (
    Late,
    NoAnswer,
    NoRoute,
    NotTheService,
    PortClosed,
    ProbeError,
    Reset,
    Throttled,
)
from audit.probe.explore import Explored, explore
from audit.probe.guest import Guest
from audit.probe.plan import Task, foresee, hidden, questions
from audit.probe.question import Known, Question
from audit.wire.dialogue import before_tls
from audit.wire.hello import Hello

if TYPE_CHECKING:
    from audit.probe.handshake import Completed

_MX_PORT = 25  # mail in clear is what the port is for
_REACH: dict[type[ProbeError], Reach] = {
    PortClosed: "refused",
    NoRoute: "no-route",
    NoAnswer: "no-answer",
    Reset: "no-answer",
    Throttled: "open",
    NotTheService: "not-the-service",
    Late: "not-asked",
}


def probe(guest: Guest, task: Task) -> EndpointFacts:
    """The facts of one endpoint; whatever goes wrong is in them, nothing is raised."""
    started = time.monotonic()
    try:
        facts = _look(guest, task)
    except ProbeError as error:
        facts = EndpointFacts(guest.endpoint, _reach(error), errors=(str(error),))
    except Exception as error:  # noqa: BLE001 - one endpoint must not end the run of all others
        words = f"the prober stumbled over it: {type(error).__name__}: {error}"
        facts = EndpointFacts(guest.endpoint, "open", errors=(words,))
    return replace(
        facts, connections=guest.connections, seconds=round(time.monotonic() - started, 3)
    )


def _reach(error: ProbeError) -> Reach:
    """By the kind of error, or by the kind that it is a case of."""
    return next((_REACH[kind] for kind in type(error).__mro__ if kind in _REACH), "no-answer")


def knock(guest: Guest) -> EndpointFacts:
    """Only whether anything listens there."""
    try:
        guest.ask(lambda connection: None)  # noqa: ARG005 - to have connected is the answer
    except ProbeError as error:
        return EndpointFacts(guest.endpoint, _reach(error), errors=(str(error),))
    return EndpointFacts(guest.endpoint, "open", connections=guest.connections)


def _look(guest: Guest, task: Task) -> EndpointFacts:
    wire = Wire(lambda hello: guest.submit(partial(guest.greet, hello)))
    opening = guest.submit(partial(_plaintext, guest))
    if task.verify:
        foreseen = foresee(guest.endpoint, task)
        wire.begin(foreseen.hellos)
        early = _begin(guest, task, foreseen.known, late=False)
    plaintext = opening.result()
    told = explore(wire, task.expected.suites, guest.endpoint.name, quick=task.quick)
    if not guest.answered and guest.failure:
        raise guest.failure
    right = task.verify and told.known.accepted == foreseen.known.accepted
    asked = early if right else _begin(guest, task, told.known, late=False)
    asked |= _begin(guest, task, told.known, late=True)
    told.behaviours |= {q.behaviour: future.result() for q, future in asked.items()}
    return _sum(guest, task, told, plaintext)


def _plaintext(guest: Guest) -> Plaintext | None:
    """What the endpoint allows in clear; the first hello has to do for implicit TLS."""
    if guest.endpoint.mode == "implicit":
        return None
    service, port = guest.endpoint.service, guest.endpoint.port
    try_mail = service == "smtp" and port != _MX_PORT
    return guest.ask(lambda c: c.converse(before_tls(service, try_mail=try_mail)))


def _begin(
    guest: Guest, task: Task, known: Known, *, late: bool
) -> dict[Question, Future[Observation]]:
    return {
        q: guest.submit(partial(q.answer, guest, known))
        for q in questions(guest.endpoint, task)
        if known.accepted and q.late == late
    }


def _sum(guest: Guest, task: Task, told: Explored, plaintext: Plaintext | None) -> EndpointFacts:
    found, shown = told.found.values(), told.shown
    # The last of all, so that it is the control of every refusal.
    shaken, error = _shake(guest) if task.complete else (None, None)
    ders = [shaken.chain] if shaken else []
    others, other_errors = _hidden(guest, task, told, ders)
    chains, bad_chains = summary.chains(found, [*ders, *others])
    if guest.surplus:
        bad_chains = (*bad_chains, "the endpoint serves another chain in almost every handshake")
    if (stapled := features.stapled(found)) and not task.quick:
        told.behaviours["ocsp-stapling"] = stapled
    facts = EndpointFacts(
        endpoint=guest.endpoint,
        reach="open",
        protocols=summary.protocols(told.found),
        suites={v: tuple(s.name for s in d.suites) for v, d in shown.items()},
        rest={v: d.rest for v, d in shown.items()},
        preference=told.preference,
        groups=told.groups,
        plaintext=plaintext,
        handshake=_observe(shaken, error),
        compression=summary.compression(found),
        dh_primes=None if told.untold else told.primes,
        secure_renegotiation=summary.secure_renegotiation(found),
        chains=chains,
        bad_chains=bad_chains,
        behaviours=told.behaviours,
        errors=summary.errors(found, [str(error or ""), told.untold, *other_errors]),
    )
    if not any(o.seen == "accepted" for o in facts.protocols.values()) and summary.foreign(facts):
        return replace(facts, reach="not-the-service")
    control = _control(guest, told) if not (shaken and shaken.ok) else facts.handshake
    return facts if control.seen == "accepted" else summary.without_control(facts, control)


def _control(guest: Guest, told: Explored) -> Observation:
    """OpenSSL cannot shake hands here: does the best hello still succeed, after the refusals?"""
    if not told.shown:
        return Observation("inconclusive", "no handshake succeeds here")
    version, found = list(told.shown.items())[-1]
    hello = Hello(version, found.suites, discover.groups_for(version), guest.endpoint.name)
    seen = discover.read(guest.greet(hello), version)
    if seen.seen != "refused":
        return seen
    return Observation("inconclusive", f"afterwards what had succeeded did not: {seen.evidence}")


def _hidden(
    guest: Guest, task: Task, told: Explored, chains: list[tuple[bytes, ...]]
) -> tuple[list[tuple[bytes, ...]], list[str]]:
    """The chains that only TLS 1.3 would show, by one handshake for each kind not seen yet."""
    seen = {chain[0].key_type for chain in summary.chains(told.shown.values(), chains)[0]}
    kinds = hidden(told.known, seen, task)
    done = [guest.submit(partial(_shake, guest, kind)) for kind in kinds]
    results = [future.result() for future in done]
    # A server without such a certificate may say so by closing.
    errors = [str(error) for _, error in results if error and not isinstance(error, Reset)]
    return [shaken.chain for shaken, _ in results if shaken], errors


def _shake(guest: Guest, signer: str = "") -> tuple["Completed | None", ProbeError | None]:
    """A complete handshake, or why the question was not answered."""
    from audit.probe.handshake import handshake  # OpenSSL comes with it

    def question(connection: Connection) -> "Completed":
        connection.to_tls()
        return handshake(connection, guest.endpoint.name, signer)

    try:
        return guest.ask(question), None
    except ProbeError as error:
        return None, error


def _observe(shaken: "Completed | None", error: ProbeError | None) -> Observation:
    if shaken is None:
        return Observation("inconclusive", str(error))
    return Observation("accepted" if shaken.ok else "refused", shaken.words)
