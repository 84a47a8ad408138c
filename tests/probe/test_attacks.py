"""Known attacks and odd wishes: servers with the fault on the wire, and real ones without it."""

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from audit.facts import Behaviour, EndpointFacts, Observation
from audit.iana import SUITES, Version, suite
from audit.probe import questions
from audit.probe.address import Manners
from audit.probe.connection import Limits
from audit.probe.question import Known
from audit.wire.hello import handshake_message
from tests.probe.test_probe import look
from tests.servers import GOOD, Pki, listening, openssl_server

_RSA_SUITE = 0x002F
_ALERT = b"\x15\x03\x03\x00\x02\x02"
_CLASSIC = (*GOOD, "-tls1_2")


@pytest.fixture(autouse=True)
def only(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """These servers cannot do more than what is asked here: nothing waits for the rest."""
    wanted = [m.args for m in request.node.iter_markers("asks")]
    chosen = [q for q in questions.QUESTIONS if any(q.behaviour in names for names in wanted)]
    monkeypatch.setattr(questions, "QUESTIONS", tuple(chosen))


def seen(facts: EndpointFacts, behaviour: Behaviour) -> Observation:
    """What came of one question."""
    return facts.behaviours.get(behaviour, Observation("inconclusive", "not tried"))


def _records(client: socket.socket) -> Iterator[tuple[int, bytes]]:
    """The records that a client sends, until it hangs up."""
    data = b""
    while True:
        while len(data) >= 5:
            kind, _, length = struct.unpack_from("!BHH", data)
            if len(data) < 5 + length:
                break
            yield kind, data[5 : 5 + length]
            data = data[5 + length :]
        more = client.recv(8192)
        if not more:
            return
        data += more


def _hello(pki: Pki, hello: bytes, *, extensions: bytes = b"", session: bytes = b"") -> bytes:
    """ServerHello, Certificate and ServerHelloDone of TLS 1.2 with static RSA."""
    offered = struct.unpack_from("!H", hello, 4)[0]
    at = 38 + 1 + hello[38]
    suites = hello[at + 2 : at + 2 + struct.unpack_from("!H", hello, at)[0]]
    if offered != 0x0303 or (_RSA_SUITE,) not in struct.iter_unpack("!H", suites):
        return _ALERT + b"\x28"
    der = x509.load_pem_x509_certificate(pki.rsa[0].read_bytes()).public_bytes(
        serialization.Encoding.DER
    )
    chain = len(der).to_bytes(3) + der
    body = struct.pack("!H32sB", 0x0303, bytes(32), len(session)) + session
    body += struct.pack("!HB", _RSA_SUITE, 0)
    body += len(extensions).to_bytes(2) + extensions if extensions else b""
    messages = (
        handshake_message(2, body)
        + handshake_message(11, len(chain).to_bytes(3) + chain)
        + handshake_message(14, b"")
    )
    return struct.pack("!BHH", 22, 0x0303, len(messages)) + messages


_HEARTBEAT = b"\x00\x0f\x00\x01\x01"
React = Callable[[int, bytes, int], bytes]


@contextmanager
def static_rsa(pki: Pki, react: React, extensions: bytes = b"") -> Iterator[int]:
    """A server that answers hellos, and what follows them as *react* says."""

    def answer(client: socket.socket) -> None:
        for number, (kind, body) in enumerate(_records(client)):
            if kind == 22 and number == 0:
                client.sendall(_hello(pki, body, extensions=extensions))
            elif reply := react(kind, body, number):
                client.sendall(reply)
                if reply.startswith(_ALERT):
                    return

    with listening(answer) as port:
        yield port


def _warns_and_bleeds(kind: int, body: bytes, number: int) -> bytes:
    return b"\x15\x03\x03\x00\x02\x01\x70" + _bleeds(kind, body, number) if kind == 24 else b""


def _bleeds_in_part(kind: int, body: bytes, number: int) -> bytes:
    return _bleeds(kind, body, number)[:9]


def _silent(_kind: int, _body: bytes, _number: int) -> bytes:
    return b""


def _bleeds(kind: int, _body: bytes, _number: int) -> bytes:
    return b"\x18\x03\x03\x00\x13\x02\x00\x10" + bytes(16) if kind == 24 else b""


def _closes_over_ccs(kind: int, _body: bytes, _number: int) -> bytes:
    return _ALERT + b"\x0a" if kind == 20 else b""


def _goes_on_in_clear(kind: int, _body: bytes, _number: int) -> bytes:
    return _ALERT + b"\x0a" + b"A1 NO Starttls negotiation failed\r\n" if kind == 20 else b""


def _takes_ccs(kind: int, _body: bytes, number: int) -> bytes:
    return _ALERT + b"\x14" if kind == 20 and number > 1 else b""


@pytest.mark.asks("heartbleed")
@pytest.mark.parametrize(
    ("react", "extensions", "expected"),
    [
        (_bleeds, _HEARTBEAT, "accepted"),
        (_silent, _HEARTBEAT, "refused"),
        (_bleeds, b"", "refused"),
        (_warns_and_bleeds, _HEARTBEAT, "accepted"),
        (_bleeds_in_part, _HEARTBEAT, "inconclusive"),
    ],
)
def test_heartbleed(pki: Pki, react: React, extensions: bytes, expected: str) -> None:
    """Only an answer is the fault, and without the extension nobody asks."""
    with static_rsa(pki, react, extensions) as port:
        facts = look(port)
    assert seen(facts, "heartbleed").seen == expected
    assert seen(facts, "heartbeat").seen == ("accepted" if extensions else "refused")


@pytest.mark.asks("ccs-injection")
@pytest.mark.parametrize(
    ("react", "expected"),
    [
        (_takes_ccs, "accepted"),
        (_closes_over_ccs, "refused"),
        (_goes_on_in_clear, "refused"),
        (_silent, "inconclusive"),
    ],
)
def test_early_change_cipher_spec(pki: Pki, react: React, expected: str) -> None:
    """The second is decrypted with keys that nobody agreed on, or the first is refused."""
    with static_rsa(pki, react) as port:
        patient = Manners(limits=Limits(connect=1.0, total=8.0))
        facts = look(port, manners=patient, complete=False)
    assert seen(facts, "ccs-injection").seen == expected


def _robot(pki: Pki, *, oracle: bool) -> React:
    """Decrypts the secret; a server with the fault has another alert for a wrong padding."""
    key = serialization.load_pem_private_key(pki.rsa[1].read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    private, modulus = key.private_numbers().d, key.public_key().public_numbers().n

    def react(kind: int, body: bytes, number: int) -> bytes:
        if kind != 22 or body[:1] != b"\x10":
            return b""
        block = pow(int.from_bytes(body[6:]), private, modulus).to_bytes(256)
        right = block[:2] == b"\x00\x02" and block[-49] == 0 and 0 not in block[2:-49]
        del number
        return _ALERT + (b"\x33" if oracle and not right else b"\x14")

    return react


@pytest.mark.asks("robot")
@pytest.mark.parametrize("oracle", [True, False])
def test_robot(pki: Pki, *, oracle: bool) -> None:
    """A different alert for a wrong padding is an oracle, the same for all is none."""
    with static_rsa(pki, _robot(pki, oracle=oracle)) as port:
        found = seen(look(port), "robot")
    assert found.seen == ("accepted" if oracle else "refused"), found


@pytest.mark.asks("robot")
def test_silence_to_all_paddings_is_no_answer(pki: Pki) -> None:
    """Perhaps it only takes longer."""
    with static_rsa(pki, _silent) as port:
        manners = Manners(limits=Limits(1.0, 4.0))
        found = seen(look(port, manners=manners, complete=False), "robot")
    assert found == Observation("inconclusive", "the same to all paddings: silence")


def test_attacks_are_tried_in_the_version_that_has_what_they_need() -> None:
    """A newer version without it hides nothing."""
    static, modern = suite("TLS_RSA_WITH_AES_128_CBC_SHA"), suite("TLS_AES_128_GCM_SHA256")
    elliptic = suite("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
    extensions: dict[Version, frozenset[int]] = {
        "TLSv1.0": frozenset({15, 35}), "TLSv1.1": frozenset({35}), "TLSv1.2": frozenset(),
    }  # fmt: skip
    known = Known(
        {"TLSv1.0": (static,), "TLSv1.1": (static,), "TLSv1.2": (elliptic,), "TLSv1.3": (modern,)},
        extensions,
    )
    assert (known.serving("RSA"), known.echoing(15), known.echoing(35)) == (
        "TLSv1.1", "TLSv1.0", "TLSv1.1",
    )  # fmt: skip
    assert (known.serving("ECDHE"), known.serving("DHE"), known.echoing(22)) == (
        "TLSv1.2", None, None,
    )  # fmt: skip


@pytest.mark.asks("robot", "heartbleed", "ccs-injection", "ticketbleed")
def test_a_real_server_with_static_rsa_is_no_oracle(pki: Pki) -> None:
    """OpenSSL 3, which answers every padding alike."""
    options = ("-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0")
    with openssl_server(pki, *options, certificates="rsa") as port:
        facts = look(port)
    for behaviour in ("robot", "heartbleed", "ccs-injection", "ticketbleed"):
        assert seen(facts, behaviour).seen == "refused", behaviour


@contextmanager
def bleeding_tickets(pki: Pki) -> Iterator[int]:
    """A real server, behind something that answers short session ids with memory."""

    def answer(client: socket.socket) -> None:
        hello = client.recv(8192)
        if hello[:1] == b"\x16" and hello[43] == 16:
            session = hello[44:60] + bytes(range(16))
            client.sendall(_hello(pki, hello[5:], session=session))
            return
        with socket.create_connection(("127.0.0.1", behind)) as server:
            server.sendall(hello)
            _relay(client, server)

    with (
        openssl_server(pki, *_CLASSIC, "-cipher", "ALL:@SECLEVEL=0") as behind,
        listening(answer) as port,
    ):
        yield port


def _relay(one: socket.socket, other: socket.socket) -> None:
    import selectors

    with selectors.DefaultSelector() as ready:
        ready.register(one, selectors.EVENT_READ, other)
        ready.register(other, selectors.EVENT_READ, one)
        while True:
            for key, _ in ready.select(5):
                data = key.fileobj.recv(8192)  # type: ignore[union-attr]
                if not data:
                    return
                key.data.sendall(data)


@pytest.mark.asks("ticketbleed")
def test_ticketbleed(pki: Pki) -> None:
    """A session id that comes back longer than it was."""
    with bleeding_tickets(pki) as port:
        found = seen(look(port), "ticketbleed")
    assert found == Observation("accepted", "a session id of 16 bytes comes back with 32")
    with openssl_server(pki, *_CLASSIC) as port:
        assert seen(look(port), "ticketbleed").seen == "refused"


@pytest.mark.asks("alpn-http", "alpn-own")
@pytest.mark.parametrize("options", [(), ("-tls1_3",), _CLASSIC], ids=["both", "1.3", "1.2"])
def test_alpn(pki: Pki, options: tuple[str, ...]) -> None:
    """s_server is strict with -alpn and ignorant without."""
    with openssl_server(pki, *options, "-alpn", "imap") as port:
        facts = look(port)
    assert seen(facts, "alpn-http").seen == "refused"
    assert seen(facts, "alpn-own") == Observation("accepted", "imap chosen of imap")
    with openssl_server(pki, *options, "-alpn", "http/1.1") as port:
        facts = look(port)
    assert seen(facts, "alpn-http").seen == "accepted"
    assert seen(facts, "alpn-own").seen == "refused"


@pytest.mark.asks("sni-none", "sni-unknown")
@pytest.mark.parametrize("options", [("-tls1_3",), _CLASSIC], ids=["1.3", "1.2"])
def test_names_that_get_another_certificate_are_seen(pki: Pki, options: tuple[str, ...]) -> None:
    """s_server has a second certificate for one name."""
    second = ("-servername", "localhost", "-cert2", str(pki.rsa[0]), "-key2", str(pki.rsa[1]))
    with openssl_server(pki, *options, *second, certificates="ecdsa") as port:
        facts = look(port)
    assert seen(facts, "sni-none").seen == "refused"
    assert seen(facts, "sni-unknown").seen == "accepted"
    for certificates in ("rsa", "both"):
        with openssl_server(pki, *options, certificates=certificates) as port:
            facts = look(port)
        assert seen(facts, "sni-none").seen == "accepted"
        assert seen(facts, "sni-unknown").seen == "refused"


@pytest.mark.asks("alpn-http", "alpn-own", "sni-none", "sni-unknown", "ticketbleed")
def test_where_no_session_comes_about_nothing_is_told_of_it(pki: Pki) -> None:
    """A server that wants certificates of its clients refuses everybody."""
    with openssl_server(pki, "-Verify", "1", "-verify_return_error", "-tls1_2") as port:
        facts = look(port, complete=False)
    for behaviour in ("alpn-http", "alpn-own", "sni-none", "sni-unknown", "ticketbleed"):
        assert seen(facts, behaviour).seen == "inconclusive", behaviour


@pytest.mark.parametrize(
    ("options", "signed"),
    [
        (("-cipher", "ALL:@SECLEVEL=0", "-sigalgs", "RSA+SHA1:RSA+SHA256"), "accepted"),
        ((), "refused"),
    ],
)
def test_signatures_with_sha1(pki: Pki, options: tuple[str, ...], signed: str) -> None:
    """OpenSSL 3 signs so on security level 0."""
    with openssl_server(pki, "-tls1_2", *options, certificates="rsa") as port:
        assert seen(look(port), "sha1-signature").seen == signed


def test_chacha_first_for_those_who_want_it(pki: Pki) -> None:
    """The server's order otherwise."""
    with openssl_server(pki, *GOOD, "-prioritize_chacha") as port:
        facts = look(port)
    assert seen(facts, "chacha-first").seen == "accepted"
    assert set(facts.preference.values()) == {"server"}
    assert facts.suites["TLSv1.2"][0] == "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"


def test_old_extensions_are_seen(pki: Pki) -> None:
    """Encrypt-then-MAC with a suite with CBC, stapling, and a fallback that is taken."""
    options = ("-tls1_2", "-cipher", "ECDHE-RSA-AES128-SHA:@SECLEVEL=0")
    with openssl_server(pki, *options, certificates="rsa") as port:
        facts = look(port)
    assert seen(facts, "encrypt-then-mac").seen == "accepted"
    assert "1 of 1" in seen(facts, "encrypt-then-mac").evidence
    assert seen(facts, "ocsp-stapling").seen == "refused"
    with static_rsa(pki, _silent) as port:
        facts = look(port)
    assert seen(facts, "encrypt-then-mac").seen == "refused"
    assert seen(facts, "extended-master-secret").seen == "refused"
    assert facts.secure_renegotiation is False


def test_all_suites_are_of_a_kind_that_is_asked_for() -> None:
    """The discovery asks for finite fields apart: by the name of the key exchange."""
    kinds = {s.key_exchange for s in SUITES if "DHE" in s.name or "DH_" in s.name}
    assert {k for k in kinds if not k.startswith(("DH", "ECDH"))} <= {"PSK", "any"}
