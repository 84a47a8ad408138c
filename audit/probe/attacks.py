"""Known attacks on implementations, tried in a way that harms nobody."""

import os
from collections.abc import Callable

from msgspec.structs import replace

from audit.facts import Observation
from audit.iana import Suite, Version
from audit.iana.versions import CODES
from audit.probe.connection import Connection
from audit.probe.discover import groups_for
from audit.probe.guest import Guest
from audit.probe.question import Known, Question
from audit.probe.secure import Secure, TlsFailed
from audit.wire import attack
from audit.wire.attack import Reaction
from audit.wire.certificate import rsa_numbers
from audit.wire.hello import HEARTBEAT, TICKET, Hello
from audit.wire.server_hello import Accepted

_WAIT = 3.0  # seconds for a reaction; a patched server is silent to a heartbeat
_AFTER = 1.0  # seconds for what follows an alert
_CONFIRM = 2  # times that a difference must be seen
_SHORT_SESSION = 16  # bytes; the server's own are 32
_MODERN = Observation("refused", "TLS 1.3 has nothing of the kind")
_WRONG_MAC = (20, 21, 51)  # alerts of one that has tried to decrypt


def heartbleed(guest: Guest, known: Known) -> Observation:
    """Whether a heartbeat that lies about its length is answered."""
    version = known.echoing(HEARTBEAT)
    if version is None:
        return Observation("refused", "heartbeat is not negotiated")

    def question(connection: Connection) -> Observation:
        if isinstance(answer := _begin(connection, known, version), Observation):
            return answer
        connection.send(attack.heartbeat(version))
        seen = _react(connection, lambda so_far: so_far.heartbeat)
        words = f"to a heartbeat of no payload that claims some: {seen}"
        if seen.cut:
            return Observation("inconclusive", words)
        return Observation("accepted" if seen.heartbeat else "refused", words)

    return guest.ask(question)


def ccs_injection(guest: Guest, known: Known) -> Observation:
    """Whether ChangeCipherSpec is taken before there is a key."""
    if known.classic is None:
        return _MODERN
    version = known.classic

    def question(connection: Connection) -> Observation:
        if isinstance(answer := _begin(connection, known, version), Observation):
            return answer
        seen = _change_cipher(connection, version)
        if taken := seen.silent:  # the second is read with the keys of an empty secret
            seen = _change_cipher(connection, version)
        words = f"to ChangeCipherSpec before any key: {seen}"
        if taken and seen.alert in _WRONG_MAC:
            return Observation("accepted", words)
        ended = seen.closed or seen.alert is not None
        return Observation("refused" if ended and not seen.cut else "inconclusive", words)

    return guest.ask(question)


def _change_cipher(connection: Connection, version: Version) -> Reaction:
    connection.send(attack.change_cipher_spec(version))
    return _react(connection, lambda so_far: so_far.alert is not None)


def robot(guest: Guest, known: Known) -> Observation:
    """Whether the server tells wrong paddings of an encrypted secret from right ones.

    After the whole flow; the variant of the paper that ends with the ClientKeyExchange is left out.
    """
    version = known.serving("RSA")
    if version is None:
        return Observation("refused", "no suite with static RSA is served")
    suites = tuple(s for s in known.accepted[version] if s.key_exchange == "RSA")
    reactions: dict[str, set[str]] = {}
    for _ in range(_CONFIRM):
        for name in attack.paddings(version, 256):
            told = guest.ask(lambda c, n=name: _oracle(c, version, suites, guest.endpoint.name, n))  # type: ignore[misc]
            if isinstance(told, Observation):
                return told
            if told.cut:
                return Observation("inconclusive", f"{name}: {told}")
            reactions.setdefault(name, set()).add(str(told))
        if len({words for seen in reactions.values() for words in seen}) == 1:
            (words,) = reactions["right"]
            silent = words == "silence"
            said = f"the same to all paddings: {words}"
            return Observation("inconclusive" if silent else "refused", said)
    steady = all(len(seen) == 1 for seen in reactions.values())
    said = "; ".join(f"{name}: {' or '.join(sorted(seen))}" for name, seen in reactions.items())
    return Observation("accepted" if steady else "inconclusive", said)


def _react(connection: Connection, enough: Callable[[Reaction], bool]) -> Reaction:
    data, closed = connection.listen(
        _WAIT, lambda so_far: enough(Reaction.of(so_far, closed=False))
    )
    return Reaction.of(data, closed=closed)


def ticketbleed(guest: Guest, known: Known) -> Observation:
    """Whether a short session id comes back longer, with memory behind it (F5 BIG-IP)."""
    version = known.echoing(TICKET)
    if version is None:
        return Observation("refused", "no ticket is given where it could be presented")
    ticket = guest.ask(lambda c: _ticket(c, version))
    if isinstance(ticket, Observation):
        return ticket
    session = os.urandom(_SHORT_SESSION)
    suites, groups = known.accepted[version], groups_for(version)
    name = guest.endpoint.name
    heard = guest.greet(Hello(version, suites, groups, name, ticket=ticket, session=session))
    if not isinstance(heard, Accepted):
        return Observation("inconclusive", f"to a ticket that it had given: {heard}")
    leaks = heard.session.startswith(session) and len(heard.session) > len(session)
    words = f"a session id of {len(session)} bytes comes back with {len(heard.session)}"
    return Observation("accepted" if leaks else "refused", words)


def _ticket(connection: Connection, version: Version) -> bytes | Observation:
    """The ticket of a complete handshake, which crosses in clear; or why there is none."""
    connection.to_tls()
    stream = bytearray()
    connection.tap = stream.extend
    try:
        Secure(connection, connection.endpoint.name, newest=CODES[version])
    except TlsFailed as error:
        return Observation("inconclusive", f"no handshake gives us a ticket: {error}")
    return attack.session_ticket(bytes(stream)) or Observation("refused", "no ticket is given")


def _oracle(
    connection: Connection, version: Version, suites: tuple[Suite, ...], name: str, padding: str
) -> Reaction | Observation:
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
    seen = _react(connection, lambda so_far: so_far.alert is not None)
    if seen.alert is None or seen.closed:
        return seen
    # And then? That it closes may be what tells paddings apart; words in clear may be cut.
    data, closed = connection.listen(_AFTER, lambda _: False)
    later = Reaction.of(data, closed=closed)
    return replace(later, records=seen.records + later.records, cut=seen.cut)


def _begin(connection: Connection, known: Known, version: Version) -> Accepted | Observation:
    """A hello that is known to succeed, to its ServerHelloDone."""
    connection.to_tls()
    hello = Hello(version, known.accepted[version], groups_for(version), connection.endpoint.name)
    answer = connection.hello(hello)
    if isinstance(answer, Accepted) and answer.version == version:
        return answer
    return Observation("inconclusive", f"a hello that had succeeded did not: {answer}")


QUESTIONS: tuple[Question, ...] = (
    Question("heartbleed", heartbleed, late=True, cost=lambda k: int(bool(k.echoing(HEARTBEAT)))),
    Question("ccs-injection", ccs_injection, cost=lambda k: int(k.classic is not None)),
    Question("ticketbleed", ticketbleed, late=True, cost=lambda k: 2 * bool(k.echoing(TICKET))),
    Question("robot", robot, cost=lambda k: 5 if k.serving("RSA") else 0),
)
