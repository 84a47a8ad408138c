"""Questions that are asked inside TLS."""

from dataclasses import dataclass

from audit.facts import Observation
from audit.probe.connection import Connection
from audit.probe.errors import NoAnswer, NotTheService, Reset
from audit.probe.guest import Guest
from audit.probe.question import Known, Question
from audit.probe.secure import TLS12, Secure, TlsFailed
from audit.wire.inside import (
    MOST_ANSWERS,
    REQUEST,
    answers_to_http,
    opening,
    relist,
    starttls_again,
)

_QUIET = 1.0  # seconds without a word after which a server waits for us
_MOST_REQUESTS = 6
_MOST_RENEGOTIATIONS = 10
_MOST_TEXT = 1 << 15
_REFUSAL = "no renegotiation"  # what OpenSSL makes of the alert
# What OpenSSL says when it is itself that does not go on.
_OURS = ("unexpected record", "unsafe legacy renegotiation disabled")


@dataclass(frozen=True, slots=True)
class Ended:
    """The server ended it without saying why.

    Attributes:
        words: how it looked.
    """

    words: str


def opened(connection: Connection, newest: int = 0) -> Secure:
    """A session in which one command has one answer.

    Raises:
        NotTheService: TLS is there, but no greeting in it.
        ProbeError: it did not come to TLS.
    """
    connection.to_tls()
    session = Secure(connection, connection.endpoint.name, newest=newest)
    try:
        session.converse(opening(connection.endpoint.service, connection.endpoint.mode))
    except NoAnswer as error:  # asking once more would take as long
        raise NotTheService(f"no greeting inside TLS: {error}") from None
    return session


def _starttls_twice(guest: Guest, _known: Known) -> Observation:
    service, mode = guest.endpoint.service, guest.endpoint.mode

    def question(connection: Connection) -> Observation:
        connection.to_tls()
        session = Secure(connection, guest.endpoint.name)
        try:
            return session.converse(starttls_again(service, mode))
        except NoAnswer as error:
            return Observation("inconclusive", f"inside TLS: {error}")

    return guest.ask(question)


def _http(guest: Guest, _known: Known) -> Observation:
    return surely(guest, guest.ask(_request))


def surely(guest: Guest, seen: Observation | Ended) -> Observation:
    """The answer; an end without a reason is a refusal only where other sessions go on."""
    if isinstance(seen, Observation):
        return seen
    control = guest.ask(lambda c: opened(c).converse(relist(c.endpoint.service)))
    if control.ok:
        return Observation("refused", seen.words)
    return Observation("inconclusive", f"{seen.words}; also otherwise: {control.last}")


def _request(connection: Connection) -> Observation | Ended:
    """Talk HTTP until the server ends it, or has answered too often."""
    service, session = connection.endpoint.service, opened(connection)
    text, ended = "", False
    for _ in range(_MOST_REQUESTS):
        try:
            session.send(REQUEST)
            while data := session.receive(_QUIET):
                text += data.decode("latin-1")
                if len(text) > _MOST_TEXT:
                    raise NotTheService("what the server says inside TLS does not end")
                count = answers_to_http(service, text)
                if count is None:
                    return Observation("accepted", f"answers in HTTP: {text[:120]!r}")
                if count > MOST_ANSWERS:
                    last = text.strip().splitlines()[-1]
                    return Observation("accepted", f"{count} answers and no end: {last[:120]!r}")
            ended = True
        except (TlsFailed, Reset):
            ended = True
        except NoAnswer:
            continue
        break
    if not ended:
        return Observation("inconclusive", f"it neither answers nor closes: {text[:120]!r}")
    last = text.strip().rpartition("\n")[2]
    words = f"the connection ends after {last[:120]!r}" if last else "it ends without a word"
    return Observation("refused", words) if answers_to_http(service, text) else Ended(words)


def _renegotiation(guest: Guest, known: Known) -> Observation:
    if known.classic is None and "TLSv1.3" in known.accepted:
        return Observation("refused", "TLS 1.3 alone is spoken, which knows no renegotiation")
    return surely(guest, guest.ask(_renegotiate))


def _renegotiate(connection: Connection) -> Observation | Ended:
    session = opened(connection, TLS12)
    for done in range(_MOST_RENEGOTIATIONS):
        try:
            session.renegotiate()
        except (TlsFailed, Reset) as error:
            if any(words in str(error) for words in _OURS):
                return Observation("inconclusive", f"our own side gives up: {error}")
            words = f"after {done}: {error}"
            return Observation("refused", words) if str(error) == _REFUSAL else Ended(words)
        except NoAnswer:
            return Observation("inconclusive", f"after {done}: no answer")
    return Observation("accepted", f"{_MOST_RENEGOTIATIONS} in a row, in {session.words}")


QUESTIONS: tuple[Question, ...] = (
    Question("starttls-twice", _starttls_twice),
    Question("http-inside", _http),
    Question("client-renegotiation", _renegotiation, cost=lambda known: int(bool(known.classic))),
)
