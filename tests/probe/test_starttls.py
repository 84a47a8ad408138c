"""What happens across STARTTLS and inside TLS, on servers that do it right and on their twins."""

import socket
import ssl
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from msgspec.structs import replace

from audit.facts import Behaviour, Endpoint, Mode, Observation, Service
from audit.iana import suite
from audit.judge.bench import Planned, judge
from audit.judge.case import PlannedEndpoint
from audit.judge.catalogue import CATALOGUE
from audit.probe import inside, starttls
from audit.probe.address import Address, Manners
from audit.probe.connection import Connection, Limits
from audit.probe.guest import Guest
from audit.probe.plan import Task, questions
from audit.probe.question import Known
from audit.probe.run import probe_all
from audit.probe.secure import TLS12, Secure, TlsFailed
from tests.judge.factories import changed, good_endpoint
from tests.servers import Pki, listening, openssl_server
from tests.twins import Fault, Session, twin

QUICK = Manners(pauses=(0.05, 0.1), limits=Limits(connect=1.0, total=4.0))
KNOWN = Known({"TLSv1.2": (suite("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),)})
QUESTIONS = {q.behaviour: q for q in (*starttls.QUESTIONS, *inside.QUESTIONS)}
SERVICES: tuple[Service, ...] = ("smtp", "lmtp", "imap", "pop3", "sieve")
INJECTIONS = {s: f"MT-INJ-{s.upper()}" for s in SERVICES}


def guest(port: int, service: Service, mode: Mode = "starttls", manners: Manners = QUICK) -> Guest:
    """One who asks a server on loopback."""
    at = Endpoint("h", "127.0.0.1", port, service, mode, "localhost")
    return Guest(at, Address(manners), manners)


def ask(port: int, service: Service, behaviour: Behaviour, mode: Mode = "starttls") -> Observation:
    """The answer to one question."""
    return QUESTIONS[behaviour].answer(guest(port, service, mode), KNOWN)


def verdict(check: str, service: Service, behaviour: Behaviour, seen: Observation) -> str:
    """What the judge makes of it."""
    case = changed(good_endpoint(service), behaviours={behaviour: seen})
    return judge(
        Planned(CATALOGUE[check], PlannedEndpoint(case.facts.endpoint, "access")), case
    ).verdict


def ask_all(one: Guest) -> dict[Behaviour, Observation]:
    """The answers to all the questions of this file that make sense there."""
    asked = [q for q in questions(one.endpoint, Task()) if q.behaviour in QUESTIONS]
    with ThreadPoolExecutor(8) as jobs:
        answers = jobs.map(lambda q: q.answer(one, KNOWN), asked)
        return {q.behaviour: answer for q, answer in zip(asked, answers, strict=True)}


@pytest.mark.parametrize("service", SERVICES)
def test_a_server_that_does_it_right_is_seen_to(pki: Pki, service: Service) -> None:
    """Every question is answered with a refusal that has words."""
    with twin(pki, service) as port:
        seen = ask_all(guest(port, service))
    assert {b: o.seen for b, o in seen.items()} == dict.fromkeys(
        (q.behaviour for q in QUESTIONS.values() if not q.services or service in q.services),
        "refused",
    ), seen
    assert all(o.evidence for o in seen.values())


@pytest.mark.parametrize("service", SERVICES)
def test_implicit_tls_is_asked_what_makes_sense_there(pki: Pki, service: Service) -> None:
    """There is nothing before it, but something inside."""
    with twin(pki, service, mode="implicit") as port:
        seen = ask_all(guest(port, service, "implicit"))
    assert {b: o.seen for b, o in seen.items()} == dict.fromkeys(
        ("starttls-twice", "http-inside", "client-renegotiation"), "refused"
    ), seen


BROKEN: list[tuple[str, Behaviour, Fault, tuple[Service, ...]]] = [
    ("MT-STARTTLS-ARGS", "starttls-arguments", "arguments", SERVICES),
    ("MT-STARTTLS-TWICE", "starttls-twice", "taken-twice", SERVICES),
    ("MT-STARTTLS-TWICE", "starttls-twice", "offered-inside", SERVICES),
    ("MT-STATE-RESET", "state-kept", "envelope-kept", ("smtp", "lmtp")),
    ("MT-CAPA-REISSUE", "capabilities-kept", "list-kept", SERVICES),
    ("MT-CAPA-REISSUE", "capabilities-kept", "list-pushed", ("imap",)),
    ("MT-RESP-EXTRA", "response-extra", "extra", SERVICES),
    ("MT-RESP-EXTRA", "response-extra", "extra-later", SERVICES),
    ("MT-INJ-", "injection", "buffer-kept", SERVICES),
    ("MT-INJ-", "injection", "buffer-kept-behind", ("smtp", "lmtp", "imap", "pop3")),
    ("MT-INJ-SPLIT", "injection-split", "reads-on", SERVICES),
    ("MT-HTTP-ERR", "http-inside", "patient", SERVICES),
    ("MT-HTTP-ERR", "http-inside", "http", ("smtp", "lmtp", "pop3", "sieve")),
    ("MT-RENEG-CLIENT", "client-renegotiation", "renegotiates", SERVICES),
]


@pytest.mark.parametrize(
    ("check", "behaviour", "fault", "service"),
    [
        pytest.param(
            name, behaviour, fault, service,
            marks=pytest.mark.breaks(name), id=f"{name} {fault} {service}",
        )
        for check, behaviour, fault, services in BROKEN
        for service in services
        for name in [INJECTIONS[service] if check == "MT-INJ-" else check]
    ],
)  # fmt: skip
def test_each_fault_is_seen_on_the_wire(
    pki: Pki, check: str, behaviour: Behaviour, fault: Fault, service: Service
) -> None:
    """From the bytes to the verdict."""
    with twin(pki, service, fault) as port:
        seen = ask(port, service, behaviour)
    assert seen.seen == "accepted", seen
    assert verdict(check, service, behaviour, seen) == "fail"


INSIDE: list[tuple[Behaviour, Fault]] = [
    ("starttls-twice", "offered-inside"),
    ("http-inside", "patient"),
    ("client-renegotiation", "renegotiates"),
]


@pytest.mark.parametrize(("behaviour", "fault"), INSIDE)
def test_faults_inside_implicit_tls_are_seen(pki: Pki, behaviour: Behaviour, fault: Fault) -> None:
    """The greeting comes first there."""
    with twin(pki, "imap", fault, mode="implicit") as port:
        assert ask(port, "imap", behaviour, "implicit").seen == "accepted"


FINE: list[tuple[Behaviour, Fault, Service]] = [
    *((b, "drops-injection", s) for s in SERVICES for b in ("injection", "injection-split")),
    ("state-kept", "mail-after-tls", "smtp"),
    ("injection", "no-tags", "sieve"),
    ("starttls-twice", "no-tags", "sieve"),
    ("capabilities-kept", "pushes-list", "imap"),
]


@pytest.mark.parametrize(("behaviour", "way", "service"), FINE)
def test_other_ways_of_doing_it_right(
    pki: Pki, behaviour: Behaviour, way: Fault, service: Service
) -> None:
    """Refusals differ."""
    with twin(pki, service, way) as port:
        seen = ask(port, service, behaviour)
    assert seen.seen == "refused", seen


@pytest.mark.parametrize("slow", [(), ("slow-errors",)])
def test_injection_is_seen_where_managesieve_knows_no_tags(
    pki: Pki, slow: tuple[Fault, ...]
) -> None:
    """Then only the number of answers tells, however late they are."""
    with twin(pki, "sieve", "buffer-kept", "no-tags", *slow) as port:
        assert ask(port, "sieve", "injection").seen == "accepted"


def test_one_who_refuses_recipients_unseen_tells_nothing_about_the_envelope(pki: Pki) -> None:
    """The same answer with and without MAIL proves neither."""
    with twin(pki, "smtp", "careless") as port:
        assert ask(port, "smtp", "state-kept").seen == "inconclusive"


def test_where_only_tls13_is_spoken_there_is_no_renegotiation() -> None:
    """And nobody is asked."""
    one = guest(1, "smtp")
    known = Known({"TLSv1.3": (suite("TLS_AES_128_GCM_SHA256"),)})
    assert QUESTIONS["client-renegotiation"].answer(one, known).seen == "refused"
    assert one.connections == 0


def test_renegotiation_is_told_from_its_refusal_by_openssls_own_server(pki: Pki) -> None:
    """An independent witness."""

    def often(port: int) -> int:
        done = 0
        with Connection(guest(port, "imap", "implicit").endpoint, QUICK.limits) as connection:
            session = Secure(connection, "localhost", newest=TLS12)
            with suppress(TlsFailed):
                for _ in range(12):
                    session.renegotiate()
                    done += 1
        return done

    with openssl_server(pki, "-tls1_2") as port:
        assert often(port) == 0
    with openssl_server(pki, "-tls1_2", "-client_renegotiation") as port:
        assert often(port) == 12


def _garbage(tls: ssl.SSLSocket) -> None:
    tls.sendall(b"\x00\xff" * 400 + b"\r\n")
    tls.recv(4096)


def _flood(tls: ssl.SSLSocket) -> None:
    while True:
        tls.sendall(b"x" * 16000)


def _endless_lines(tls: ssl.SSLSocket) -> None:
    while True:
        tls.sendall(b'"IMPLEMENTATION" "x"\r\n' * 500)


def _drip(tls: ssl.SSLSocket) -> None:
    while True:
        tls.sendall(b"x")
        time.sleep(0.1)


def _leave_tls(tls: ssl.SSLSocket) -> None:
    with socket.socket(fileno=tls.detach()) as clear:
        clear.sendall(b"500 you are not in TLS\r\n")


def _one_byte(tls: ssl.SSLSocket) -> None:
    tls.recv(1)


def _mute(tls: ssl.SSLSocket) -> None:
    while tls.recv(4096):
        pass


def _busy(tls: ssl.SSLSocket) -> None:
    tls.sendall(b"421 later\r\n")
    tls.recv(4096)


HOSTILE: dict[str, Callable[[ssl.SSLSocket], None]] = {
    "garbage": _garbage,
    "an endless line": _flood,
    "endless lines": _endless_lines,
    "one byte at a time": _drip,
    "leaves TLS": _leave_tls,
    "silence": _mute,
    "closes at once": lambda tls: tls.close(),
    "closes in the middle": _one_byte,
    "421": _busy,
}
# What is answered before anything is said inside TLS.
CLEAR = {"starttls-arguments", "response-extra"}


@pytest.mark.parametrize("what", HOSTILE)
@pytest.mark.parametrize("service", ["smtp", "imap", "sieve"])
def test_what_is_hostile_inside_tls_is_inconclusive_in_bounded_time(
    pki: Pki, what: str, service: Service
) -> None:
    """Neither fine nor broken, and an end."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pki.rsa)

    def answer(client: socket.socket) -> None:
        session = Session(client, pki, service, "starttls", set())
        session.say(session.speech.greeting or session.listing())
        while not session.inside and (line := session.line()):
            if b"STARTTLS" in line:
                client.sendall(session.speech.go.replace(b"{tag}", b"c2"))
                with context.wrap_socket(client, server_side=True) as tls:
                    HOSTILE[what](tls)
                return
            session.answer(line.strip())

    started = time.monotonic()
    with listening(answer) as port:
        one = guest(port, service, manners=replace(QUICK, tries=1, limits=Limits(1.0, 1.5)))
        seen = ask_all(one)
    assert time.monotonic() - started < 8
    # A TLS library may refuse to renegotiate in so many words, whatever runs on top of it.
    inside_tls = {
        b: o
        for b, o in seen.items()
        if b not in CLEAR and not o.evidence.endswith(": no renegotiation")
    }
    assert {o.seen for o in inside_tls.values()} == {"inconclusive"}, inside_tls


def _vanish(client: socket.socket) -> None:
    client.sendall(b"220 twin\r\n")
    client.recv(4096)
    client.sendall(b"250 STARTTLS\r\n")
    client.recv(4096)
    client.sendall(b"220 go\r\n")


def _never_ready(client: socket.socket) -> None:
    client.sendall(b"220 twin\r\n")
    client.recv(4096)
    client.sendall(b"250 STARTTLS\r\n")
    while client.recv(4096):
        client.sendall(b"454 not now\r\n")


def _busy_in_clear(client: socket.socket) -> None:
    client.sendall(b"220 twin\r\n")
    while client.recv(4096):
        client.sendall(b"421 later\r\n")


@pytest.mark.parametrize("answer", [_vanish, _never_ready, _busy_in_clear])
def test_a_dead_server_has_refused_no_injection(answer: Callable[[socket.socket], None]) -> None:
    """It ends with and without the injected command."""
    with listening(answer) as port:
        for behaviour in ("injection", "injection-split", "capabilities-kept", "response-extra"):
            seen = ask(port, "smtp", behaviour)
            assert seen.seen == "inconclusive", seen


@pytest.mark.breaks("MT-INJ-SMTP")
def test_the_prober_asks_all_this_of_its_own(pki: Pki) -> None:
    """The whole way of a scan, on a server with one fault."""
    with twin(pki, "smtp", "buffer-kept") as port:
        endpoint = Endpoint("h", "127.0.0.1", port, "smtp", "starttls", "localhost")
        facts = probe_all([endpoint], lambda _: Task(), manners=QUICK)[0]
    assert set(facts.behaviours) >= set(QUESTIONS)
    case = replace(good_endpoint("smtp"), facts=facts)
    failed = {
        check
        for check in CATALOGUE
        if check.startswith(("MT-INJ-SM", "MT-INJ-SP", "MT-STATE", "MT-CAPA", "MT-STARTTLS-T"))
        and judge(Planned(CATALOGUE[check], case.planned), case).verdict != "pass"
    }
    assert failed == {"MT-INJ-SMTP"}
