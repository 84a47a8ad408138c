"""Known attacks on implementations, tried in a way that harms nobody."""

import os

from audit.facts import Observation
from audit.iana import Suite, Version
from audit.probe.connection import Connection
from audit.probe.discover import groups_for
from audit.probe.guest import Guest
from audit.probe.question import Known, Question
from audit.probe.secure import TLS12, Secure, TlsFailed
from audit.wire import attack
from audit.wire.certificate import rsa_numbers
from audit.wire.hello import HEARTBEAT, TICKET, Hello
from audit.wire.server_hello import Accepted

_WAIT = 1.0  # seconds for a reaction; a patched server is silent to a heartbeat
_CONFIRM = 2  # times that a difference must be seen
_SHORT_SESSION = 16  # bytes; the server's own are 32
_MODERN = Observation("refused", "TLS 1.3 has nothing of the kind")
_UNEXPECTED = ("alert 10", "closed")
_WRONG_MAC = ("alert 20", "alert 21", "alert 51")


def heartbleed(guest: Guest, known: Known) -> Observation:
    """Whether a heartbeat that lies about its length is answered."""
    if HEARTBEAT not in known.extensions or known.classic is None:
        return Observation("refused", "heartbeat is not negotiated")
    version = known.classic

    def question(connection: Connection) -> Observation:
        if isinstance(answer := _begin(connection, known, version), Observation):
            return answer
        connection.send(attack.heartbeat(version))
        heard = connection.listen(_WAIT)
        words = f"to a heartbeat of no payload that claims some: {attack.reaction([heard])}"
        return Observation("accepted" if attack.is_heartbeat(heard) else "refused", words)

    return guest.ask(question)


def ccs_injection(guest: Guest, known: Known) -> Observation:
    """Whether ChangeCipherSpec is taken before there is a key."""
    if known.classic is None:
        return _MODERN
    version = known.classic

    def question(connection: Connection) -> Observation:
        if isinstance(answer := _begin(connection, known, version), Observation):
            return answer
        heard: list[bytes | None] = []
        for _ in range(2):  # the second is the first that is read with the keys of an empty secret
            connection.send(attack.change_cipher_spec(version))
            heard.append(connection.listen(_WAIT))
            if heard[-1] is not None:
                break
        words = attack.reaction(heard)
        said = f"to ChangeCipherSpec before any key: {words}"
        if heard[0] is None and words.startswith(_WRONG_MAC):
            return Observation("accepted", said)
        return Observation("inconclusive" if heard[-1] is None else "refused", said)

    return guest.ask(question)


def robot(guest: Guest, known: Known) -> Observation:
    """Whether the server tells wrong paddings of an encrypted secret from right ones."""
    version = known.classic
    suites = _static_rsa(known)
    if version is None or not suites:
        return Observation("refused", "no suite with static RSA is served")
    reactions: dict[str, set[str]] = {}
    for _ in range(_CONFIRM):
        for name in attack.paddings(version, 256):
            told = guest.ask(lambda c, n=name: _oracle(c, version, suites, guest.endpoint.name, n))  # type: ignore[misc]
            if isinstance(told, Observation):
                return told
            reactions.setdefault(name, set()).add(told)
        if len({words for seen in reactions.values() for words in seen}) == 1:
            words = next(iter(reactions["right"]))
            return Observation("refused", f"the same to all paddings: {words}")
    steady = all(len(seen) == 1 for seen in reactions.values())
    said = "; ".join(f"{name}: {' or '.join(sorted(seen))}" for name, seen in reactions.items())
    return Observation("accepted" if steady else "inconclusive", said)


def ticketbleed(guest: Guest, known: Known) -> Observation:
    """Whether a short session id comes back longer, with memory behind it (F5 BIG-IP)."""
    if known.classic != "TLSv1.2" or TICKET not in known.extensions:
        return Observation("refused", "no ticket is given where it could be presented")
    ticket = guest.ask(_ticket)
    if not ticket:
        return Observation("refused", "no ticket is given")
    session = os.urandom(_SHORT_SESSION)
    suites, name = known.accepted["TLSv1.2"], guest.endpoint.name
    groups = groups_for("TLSv1.2")
    heard = guest.greet(Hello("TLSv1.2", suites, groups, name, ticket=ticket, session=session))
    if not isinstance(heard, Accepted):
        return Observation("inconclusive", f"to a ticket that it had given: {heard}")
    leaks = heard.session.startswith(session) and len(heard.session) > len(session)
    words = f"a session id of {len(session)} bytes comes back with {len(heard.session)}"
    return Observation("accepted" if leaks else "refused", words)


def _ticket(connection: Connection) -> bytes:
    """The ticket of a complete handshake; it crosses the network in clear."""
    connection.to_tls()
    stream = bytearray()
    connection.tap = stream.extend
    try:
        Secure(connection, connection.endpoint.name, newest=TLS12)
    except TlsFailed:
        return b""
    return attack.session_ticket(bytes(stream))


def _oracle(
    connection: Connection, version: Version, suites: tuple[Suite, ...], name: str, padding: str
) -> str | Observation:
    connection.to_tls()
    answer = connection.hello(Hello(version, suites, groups_for(version), name))
    numbers = (
        rsa_numbers(answer.chain[0]) if isinstance(answer, Accepted) and answer.chain else None
    )
    if numbers is None:
        return Observation(
            "inconclusive", f"no RSA certificate to a hello for static RSA: {answer}"
        )
    modulus, exponent = numbers
    blocks = attack.paddings(version, (modulus.bit_length() + 7) // 8)
    connection.send(attack.key_exchange(version, blocks[padding], modulus, exponent))
    heard = [connection.listen(_WAIT)]
    if heard[0]:  # an alert, and then?
        heard.append(connection.listen(_WAIT))
    return attack.reaction(heard)


def _static_rsa(known: Known) -> tuple[Suite, ...]:
    if known.classic is None:
        return ()
    return tuple(s for s in known.accepted[known.classic] if s.key_exchange == "RSA")


def _begin(connection: Connection, known: Known, version: Version) -> Accepted | Observation:
    """A hello that is known to succeed, to its ServerHelloDone."""
    connection.to_tls()
    hello = Hello(version, known.accepted[version], groups_for(version), connection.endpoint.name)
    answer = connection.hello(hello)
    if isinstance(answer, Accepted) and answer.version == version:
        return answer
    return Observation("inconclusive", f"a hello that had succeeded did not: {answer}")


def _ticket_cost(known: Known) -> int:
    return 2 if known.classic == "TLSv1.2" and TICKET in known.extensions else 0


QUESTIONS: tuple[Question, ...] = (
    Question("heartbleed", heartbleed, late=True, cost=lambda k: int(HEARTBEAT in k.extensions)),
    Question("ccs-injection", ccs_injection, cost=lambda k: int(k.classic is not None)),
    Question("ticketbleed", ticketbleed, late=True, cost=_ticket_cost),
    Question("robot", robot, cost=lambda k: 5 if _static_rsa(k) else 0),
)
