"""Questions about what a client asks for: protocols (ALPN) and names (SNI)."""

import hashlib
from collections.abc import Callable

from audit.facts import Observation, Service
from audit.probe.connection import Connection
from audit.probe.errors import Reset
from audit.probe.guest import Guest
from audit.probe.inside import Ended, surely
from audit.probe.question import Known, Question
from audit.probe.secure import Secure, TlsFailed

# ALPN protocol ids (IANA); smtp is in use and not listed.
_OWN: dict[Service, str] = {"smtp": "smtp", "imap": "imap", "pop3": "pop3", "sieve": "managesieve"}
_ALPN_ALERT = "no application protocol"  # as OpenSSL words it
_NOBODY = "nobody.mailseal.invalid"


def _alpn_http(guest: Guest, _known: Known) -> Observation:
    return _protocol(guest, "http/1.1")


def _alpn_own(guest: Guest, _known: Known) -> Observation:
    return _protocol(guest, _OWN[guest.endpoint.service])


def _protocol(guest: Guest, protocol: str) -> Observation:
    """Whether a client that speaks this alone comes to a session."""

    def question(connection: Connection) -> Observation | Ended:
        connection.to_tls()
        try:
            session = Secure(connection, connection.endpoint.name, alpn=(protocol,))
        except TlsFailed as error:
            words = f"to a client that speaks {protocol} alone: {error}"
            return Observation("refused", words) if _ALPN_ALERT in str(error) else Ended(words)
        except Reset as error:
            return Ended(f"to a client that speaks {protocol} alone: {error}")
        return Observation("accepted", f"{session.protocol or 'nothing'} chosen of {protocol}")

    return surely(guest, guest.ask(question))


def _sni_none(guest: Guest, known: Known) -> Observation:
    if not guest.endpoint.name:
        return Observation("accepted", "no name was asked for anywhere")
    same = Observation("accepted", "the certificate of the name")
    other = "another certificate: "
    return _leaf(guest, known, "", same, lambda words: Observation("refused", other + words))


def _sni_unknown(guest: Guest, known: Known) -> Observation:
    same = Observation("refused", "the certificate of the service")
    other = "another certificate: "
    return _leaf(guest, known, _NOBODY, same, lambda words: Observation("accepted", other + words))


def _leaf(
    guest: Guest,
    known: Known,
    name: str,
    same: Observation,
    other: Callable[[str], Observation],
) -> Observation:
    """Which certificate a client gets that asks for this name instead of the right one."""
    told = guest.ask(lambda c: _served(c, name))
    if isinstance(told, str) and told in known.leaves:
        return same
    # One of several kinds of key, perhaps: the same handshake with the right name tells which.
    usual = guest.ask(lambda c: _served(c, guest.endpoint.name))
    if isinstance(usual, Ended):
        return Observation("inconclusive", f"with the right name: {usual.words}")
    if isinstance(told, Ended):
        return Observation("refused", told.words)
    return same if told == usual else other(f"{told[:16]}…")


def _served(connection: Connection, name: str) -> str | Ended:
    """The fingerprint of the leaf, or how it ended."""
    connection.to_tls()
    try:
        chain = Secure(connection, name).chain
    except (TlsFailed, Reset) as error:
        return Ended(f"asked for {name or 'no name'}: {error}")
    return hashlib.sha256(b"".join(chain[:1])).hexdigest()


QUESTIONS: tuple[Question, ...] = (
    Question("alpn-http", _alpn_http),
    Question("alpn-own", _alpn_own, services=tuple(_OWN)),
    Question("sni-none", _sni_none, late=True),
    Question("sni-unknown", _sni_unknown, late=True),
)
