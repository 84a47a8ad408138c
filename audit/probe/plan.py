"""What a look at one endpoint takes, said before it begins. Pure."""

from collections.abc import Iterable

from msgspec import Struct, field

from audit.facts import Endpoint
from audit.probe.drive import Foreseen
from audit.probe.explore import explore
from audit.probe.foresee import Expectation
from audit.probe.question import Known, Question
from audit.probe.signers import SIGNERS
from audit.wire.hello import Hello
from audit.wire.server_hello import Accepted


class Task(Struct, frozen=True):
    """How to look at one endpoint.

    Attributes:
        expected: what it should do; orders what is offered, so that the answers prove the most.
        verify: send all that is foreseen at once, and explore only where it comes otherwise.
        quick: versions, suites, their order and the certificates only.
        kinds: the certificate of every kind of key, also in a quick look: records name them all.
        complete: also shake hands to the end, by OpenSSL.
    """

    expected: Expectation = field(default_factory=Expectation)
    verify: bool = False
    quick: bool = False
    kinds: bool = False
    complete: bool = True


class Prediction(Struct, frozen=True):
    """What will be asked if all is as expected.

    Attributes:
        hellos: each of them, once; those that succeed first, because only beside them is a close
            a refusal (`Guest.credible`).
        known: what they will show.
        connections: everything together.
    """

    hellos: tuple[Hello, ...]
    known: Known
    connections: int


def foresee(endpoint: Endpoint, task: Task) -> Prediction:
    """What a look at an endpoint takes if it is as expected."""
    driver = Foreseen(task.expected)
    known = explore(driver, task.expected.suites, endpoint.name, quick=task.quick).known
    signers = {s.authentication.lower() for suites in known.accepted.values() for s in suites}
    others = [
        1 if endpoint.mode == "starttls" else 0,  # what is possible in clear
        1,  # the complete handshake
        len(hidden(known, signers, task)),
        sum(q.cost(known) for q in questions(endpoint, task)),
    ]
    hellos = sorted(driver.answers, key=lambda h: not isinstance(driver.answers[h], Accepted))
    return Prediction(tuple(hellos), known, len(hellos) + sum(others))


def questions(endpoint: Endpoint, task: Task) -> list[Question]:
    """The questions that make sense here."""
    if task.quick:
        return []
    from audit.probe.questions import QUESTIONS

    return [
        q
        for q in QUESTIONS
        if (endpoint.mode == "starttls" or not q.starttls)
        and (not q.services or endpoint.service in q.services)
    ]


def hidden(known: Known, seen: Iterable[str], task: Task) -> list[str]:
    """The kinds of key whose certificate only a handshake of TLS 1.3 would show."""
    hurried = task.quick and not task.kinds
    if "TLSv1.3" not in known.accepted or (hurried and known.classic):
        return []
    return [kind for kind in SIGNERS if kind not in {*seen}]
