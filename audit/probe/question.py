"""One question, one behaviour: the shape of everything that is tried beside the discovery."""

from collections.abc import Callable, Mapping

from msgspec import Struct, field

from audit.facts import Behaviour, Observation, Service
from audit.iana import Suite, Version
from audit.iana.versions import CODES
from audit.probe.errors import ProbeError
from audit.probe.guest import Guest


class Known(Struct, frozen=True):
    """What the endpoint accepts: a hello made of it succeeds.

    Attributes:
        accepted: the suites by version; versions without one are left out.
        extensions: the kinds of extension in its answers, by version up to TLS 1.2.
        leaves: SHA-256 of the certificates it serves in clear.
    """

    accepted: Mapping[Version, tuple[Suite, ...]]
    extensions: Mapping[Version, frozenset[int]] = field(default_factory=dict)
    leaves: frozenset[str] = frozenset()

    @property
    def classic(self) -> Version | None:
        """The newest version from SSLv3 to TLS 1.2; None if there is only TLS 1.3."""
        able = [v for v in self.accepted if v not in ("SSLv2", "TLSv1.3")]
        return max(able, key=CODES.__getitem__, default=None)

    def echoing(self, extension: int) -> Version | None:
        """The newest version up to TLS 1.2 whose answers have this extension."""
        having = [v for v, kinds in self.extensions.items() if extension in kinds]
        return max(having, key=CODES.__getitem__, default=None)

    def serving(self, key_exchange: str) -> Version | None:
        """The newest version whose suites exchange keys so."""
        able = [
            v
            for v, suites in self.accepted.items()
            if v != "SSLv2" and any(s.key_exchange == key_exchange for s in suites)
        ]
        return max(able, key=CODES.__getitem__, default=None)


class Question(Struct, frozen=True):
    """One row of a table of questions.

    Attributes:
        behaviour: what the answer is about.
        ask: gives the answer; may raise `ProbeError`, which is then the answer.
        starttls: only where there is a time before TLS.
        services: only these; none for all.
        late: rests on extensions or certificates, which no prediction knows, and so waits for them.
        cost: how many connections it takes if the server is as expected.
    """

    behaviour: Behaviour
    ask: Callable[[Guest, Known], Observation]
    starttls: bool = False
    services: tuple[Service, ...] = ()
    late: bool = False
    cost: Callable[[Known], int] = lambda _: 1

    def answer(self, guest: Guest, known: Known) -> Observation:
        """What came of it; never raises."""
        try:
            return self.ask(guest, known)
        except ProbeError as error:
            return Observation("inconclusive", str(error))
