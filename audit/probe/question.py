"""One question, one behaviour: the shape of everything that is tried beside the discovery."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass

from audit.facts import Behaviour, Endpoint, Observation, Service
from audit.iana import Suite, Version
from audit.iana.versions import CODES
from audit.probe.connection import ProbeError
from audit.probe.guest import Guest


@dataclass(frozen=True, slots=True)
class Known:
    """What the endpoint accepts: a hello made of it succeeds.

    Attributes:
        accepted: the suites by version; versions without one are left out.
    """

    accepted: Mapping[Version, tuple[Suite, ...]]

    @property
    def classic(self) -> Version | None:
        """The newest version from SSLv3 to TLS 1.2; None if there is only TLS 1.3."""
        able = [v for v in self.accepted if v not in ("SSLv2", "TLSv1.3")]
        return max(able, key=CODES.__getitem__, default=None)


@dataclass(frozen=True, slots=True)
class Question:
    """One row of a table of questions.

    Attributes:
        behaviour: what the answer is about.
        ask: gives the answer; may raise `ProbeError`, which is then the answer.
        starttls: only where there is a time before TLS.
        services: only these; empty for all.
    """

    behaviour: Behaviour
    ask: Callable[[Guest, Known], Observation]
    starttls: bool = False
    services: tuple[Service, ...] = ()

    def applies(self, endpoint: Endpoint) -> bool:
        """Whether it makes sense there."""
        return (endpoint.mode == "starttls" or not self.starttls) and (
            not self.services or endpoint.service in self.services
        )

    def answer(self, guest: Guest, known: Known) -> Observation:
        """What came of it; never raises."""
        try:
            return self.ask(guest, known)
        except ProbeError as error:
            return Observation("inconclusive", str(error))


def ask_all(
    questions: Iterable[Question], guest: Guest, known: Known, jobs: Executor
) -> dict[Behaviour, Observation]:
    """What came of every question that makes sense here."""
    asked = [q for q in questions if q.applies(guest.endpoint)]
    if not known.accepted:
        nothing = Observation("inconclusive", "no handshake succeeds here")
        return {q.behaviour: nothing for q in asked}
    answers = jobs.map(lambda q: q.answer(guest, known), asked)
    return {q.behaviour: answer for q, answer in zip(asked, answers, strict=True)}
