"""The prober against real servers: what it says is what they were told to do."""

import os
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date

import pytest
from tlslite.api import HandshakeSettings, TLSConnection, X509CertChain, parsePEMKey

from audit.errors import MailsealError
from audit.facts import Endpoint, EndpointFacts, Mode, Service
from audit.iana import VERSIONS, Version, group, suite
from audit.policy.load import load
from audit.probe import calibration, guest
from audit.probe.address import Manners
from audit.probe.connection import Connection, Limits
from audit.probe.errors import NoAnswer
from audit.probe.foresee import Expectation
from audit.probe.plan import Task, foresee
from audit.probe.run import knock_all, probe_all
from audit.wire import hello
from tests.servers import GOOD, Pki, free_port, listening, openssl_server

ACCESS = load("mailseal-2026").profiles["access"]
GROUPS = tuple(group(name) for name in ("X25519", "P-256", "P-384"))
QUICK = Manners(pauses=(0.05, 0.1), limits=Limits(connect=1.0, total=1.0))


def look(
    port: int,
    service: Service = "imap",
    mode: Mode = "implicit",
    manners: Manners = QUICK,
    **options: bool,
) -> EndpointFacts:
    """The facts of a server on loopback."""
    endpoint = Endpoint("localhost", "127.0.0.1", port, service, mode, "localhost")
    day = date(2026, 11, 23)
    expected = Expectation({v: ACCESS.allowed_suites(v, day) for v in VERSIONS}, GROUPS)
    return probe_all([endpoint], lambda _: Task(expected, **options), manners=manners)[0]


def test_a_server_that_follows_the_policy_is_seen_to(pki: Pki) -> None:
    """Versions, both certificates, suites and groups in order, and nothing else."""
    with openssl_server(pki, *GOOD) as port:
        facts = look(port, manners=Manners())
    assert {v: o.seen for v, o in facts.protocols.items()} == {
        "SSLv2": "refused", "SSLv3": "refused", "TLSv1.0": "refused", "TLSv1.1": "refused",
        "TLSv1.2": "accepted", "TLSv1.3": "accepted",
    }  # fmt: skip
    names = [item.name for item in ACCESS.suites]
    assert list(facts.suites["TLSv1.3"]) == names[:3]
    assert list(facts.suites["TLSv1.2"]) == names[3:]
    assert set(facts.preference.values()) == {"server"}
    assert facts.groups == dict.fromkeys(("TLSv1.2", "TLSv1.3"), ("X25519", "P-256", "P-384"))
    assert all(o.seen == "refused" for o in facts.rest.values())
    assert [chain[0].key_type for chain in facts.chains] == ["ecdsa", "rsa"]
    assert facts.handshake.seen == "accepted"
    assert facts.compression.seen == "refused"
    assert facts.secure_renegotiation is True
    assert facts.errors == ()


def test_a_quick_look_shows_every_kind_of_key_where_records_name_them(pki: Pki) -> None:
    """One that only TLS 1.3 would show is asked for then."""
    options = ("-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384")
    seen = {}
    for kinds in (False, True):
        with openssl_server(pki, *options) as port:
            facts = look(port, quick=True, kinds=kinds)
        seen[kinds] = {chain[0].key_type for chain in facts.chains}
    assert seen == {False: {"ecdsa"}, True: {"ecdsa", "rsa"}}


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("quick", [True, False])
def test_the_planned_number_of_connections_is_what_it_takes(
    pki: Pki, *, verify: bool, quick: bool
) -> None:
    """On a server that is as expected, found out about or verified."""
    day = date(2026, 11, 23)
    expected = Expectation({v: ACCESS.allowed_suites(v, day) for v in VERSIONS}, GROUPS)
    endpoint = Endpoint("localhost", "127.0.0.1", 993, "imap", "implicit", "localhost")
    planned = foresee(endpoint, Task(expected, quick=quick)).connections
    with openssl_server(pki, *GOOD) as port:
        facts = look(port, manners=Manners(), verify=verify, quick=quick)
    assert facts.connections == planned
    if quick:  # k2 + k3 + 8
        assert planned <= 6 + 3 + 8


def test_the_clients_order_is_told_from_the_servers(pki: Pki) -> None:
    """OpenSSL follows the client unless told otherwise."""
    with openssl_server(pki, *[o for o in GOOD if o != "-serverpref"]) as port:
        facts = look(port, manners=Manners())
    assert facts.preference == {"TLSv1.2": "client", "TLSv1.3": "client"}


def test_old_versions_and_weak_suites_are_seen(pki: Pki) -> None:
    """TLS 1.0 and 1.1, static RSA, and Diffie-Hellman with its size."""
    options = ("-min_protocol", "TLSv1", "-cipher", "AES128-SHA:DHE-RSA-AES256-SHA:@SECLEVEL=0")
    with openssl_server(pki, *options, certificates="rsa") as port:
        facts = look(port, manners=Manners())
    assert facts.protocols["TLSv1.0"].seen == facts.protocols["TLSv1.1"].seen == "accepted"
    both = {"TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_DHE_RSA_WITH_AES_256_CBC_SHA"}
    assert set(facts.suites["TLSv1.0"]) == set(facts.suites["TLSv1.2"]) == both
    assert facts.dh_bits == 2048


def test_both_certificates_of_a_tls13_server_are_seen(pki: Pki) -> None:
    """TLS 1.3 hides them from hellos; each needs a handshake that asks for its kind of key."""
    with openssl_server(pki, "-tls1_3") as port:
        facts = look(port, manners=Manners())
    assert [chain[0].key_type for chain in facts.chains] == ["ecdsa", "rsa"]


def test_a_servers_own_prime_is_seen_behind_the_group_it_takes_from_others(pki: Pki) -> None:
    """One that knows RFC 7919 takes ffdhe2048 where it is offered, and else its own 1024 bits."""

    def two_faced(client: socket.socket) -> None:
        sent = client.recv(8192)
        if sent[:1] != b"\x16" or struct.unpack_from("!H", sent, 9)[0] != 0x0303:
            return
        if b"\x00\x9e" not in sent[44 + sent[43] :]:
            client.sendall(b"\x15\x03\x03\x00\x02\x02\x28")
            return
        groups = _extension(sent, 10)[2:]
        size = 256 if (0x0100,) in struct.iter_unpack("!H", groups) else 128
        prime = b"\x80" + bytes(size - 1)
        exchange = size.to_bytes(2) + prime + b"\x00\x01\x02" + b"\x00\x01\x04" + bytes(2)
        client.sendall(_hello(0x0303, 0x009E, b"\x0c" + len(exchange).to_bytes(3) + exchange))

    with listening(two_faced) as port:
        assert look(port).dh_bits == 1024


def _extension(hello: bytes, kind: int) -> bytes:
    """The body of one extension of a ClientHello record."""
    at = 44 + hello[43]
    at += 2 + struct.unpack_from("!H", hello, at)[0]
    at += 1 + hello[at] + 2
    while at + 4 <= len(hello):
        found, length = struct.unpack_from("!HH", hello, at)
        if found == kind:
            return hello[at + 4 : at + 4 + length]
        at += 4 + length
    return b""


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1.1"])
def test_an_old_version_with_diffie_hellman_alone_is_seen(pki: Pki, version: str) -> None:
    """And with no newer one beside it."""
    options = ("-min_protocol", version, "-max_protocol", version)
    suites = ("-cipher", "DHE-RSA-AES128-SHA:@SECLEVEL=0")
    with openssl_server(pki, *options, *suites, certificates="rsa") as port:
        facts = look(port, manners=Manners())
    seen = [v for v, o in facts.protocols.items() if o.seen == "accepted"]
    assert [v.removesuffix(".0") for v in seen] == [version]
    assert facts.suites[seen[0]] == ("TLS_DHE_RSA_WITH_AES_128_CBC_SHA",)


def _first_closes() -> Callable[[bytes], bool]:
    """Whoever comes first is hung up on."""
    come = threading.Semaphore(1)
    return lambda _hello: come.acquire(blocking=False)


@pytest.mark.parametrize(
    "refuses", [_first_closes(), lambda hello: len(hello) > 250], ids=["by chance", "long hellos"]
)
@pytest.mark.parametrize("words", [b"", b"\x15\x03\x01\x00\x02\x02\x50"], ids=["close", "alert 80"])
@pytest.mark.parametrize("version", [0x0300, 0x0301, 0x0302])
def test_one_refusal_that_does_not_blame_the_version_is_no_refusal_of_it(
    pki: Pki, refuses: Callable[[bytes], bool], words: bytes, version: int
) -> None:
    """TLS 1.2 is served beside it."""
    del pki

    def answer(client: socket.socket) -> None:
        sent = client.recv(8192)
        offered = struct.unpack_from("!H", sent, 9)[0] if sent[:1] == b"\x16" else 0
        if offered == 0x0303 and b"\x00\x2f" in sent[44 + sent[43] :]:
            client.sendall(_hello(0x0303, 0x002F))
        elif offered != version:
            client.sendall(b"\x15\x03\x01\x00\x02\x02\x46")
        elif refuses(sent):
            client.sendall(words)
        elif b"\x00\x2f" in sent[44 + sent[43] :]:
            client.sendall(_hello(version, 0x002F))
        else:
            client.sendall(b"\x15\x03\x01\x00\x02\x02\x28")

    with listening(answer) as port:
        facts = look(port, quick=True, complete=False)
    names: dict[int, Version] = {0x0300: "SSLv3", 0x0301: "TLSv1.0", 0x0302: "TLSv1.1"}
    assert facts.protocols[names[version]].seen == "accepted", facts.protocols


def test_a_server_with_a_certificate_for_every_handshake_fills_no_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A few chains are kept, and that there are more is said."""
    monkeypatch.setattr(guest, "_MOST_CHAINS", 4)

    def answer(client: socket.socket) -> None:
        if client.recv(8192)[9:11] == b"\x03\x03":
            der = os.urandom(8000)
            chain = len(der).to_bytes(3) + der
            body = len(chain).to_bytes(3) + chain
            client.sendall(_hello(0x0303, 0x002F, b"\x0b" + len(body).to_bytes(3) + body))

    with listening(answer) as port:
        facts = look(port, complete=False)
    assert len(facts.chains) + len(facts.bad_chains) <= 5
    assert facts.bad_chains[-1].startswith("the endpoint serves another chain")


@pytest.mark.parametrize("chosen", [1, 64])
def test_any_compression_is_seen(chosen: int) -> None:
    """DEFLATE and LZS."""

    def compressing(client: socket.socket) -> None:
        if client.recv(8192)[9:11] == b"\x03\x03":
            client.sendall(_hello(0x0303, 0x002F, compression=chosen))

    with listening(compressing) as port:
        assert look(port).compression.seen == "accepted"


def test_a_refusal_as_a_warning_is_one_though_the_connection_stays_open() -> None:
    """The server says no and waits."""

    def warns(client: socket.socket) -> None:
        sent = client.recv(8192)
        if sent[9:11] == b"\x03\x03":
            client.sendall(_hello(0x0303, 0x002F))
            return
        client.sendall(b"\x15\x03\x01\x00\x02\x01\x28")
        time.sleep(3)

    with listening(warns) as port:
        facts = look(port)
    assert facts.protocols["TLSv1.0"].evidence == "alert 40 handshake_failure"


@pytest.mark.parametrize("answer", [b"", b"\x15\x03\x01\x00\x02\x02\x28"], ids=["no", "alert"])
def test_a_server_that_goes_on_in_clear_after_tls_failed_hears_good_bye(answer: bytes) -> None:
    """First an end to the handshake, then QUIT: a process of Cyrus' that hears it lives on."""
    heard: list[bytes] = []

    def answers(client: socket.socket) -> None:
        client.sendall(b"+OK\r\n")
        while (command := client.recv(1024)) != b"STLS\r\n":
            if not command:
                return
            client.sendall(b"-ERR\r\n")
        client.sendall(b"+OK\r\n")
        client.recv(8192)
        client.sendall(answer or _hello(0x0303, 0x002F))
        heard.append(b"".join(iter(lambda: client.recv(8192), b"")))

    with listening(answers) as port:
        look(port, "pop3", "starttls", quick=True, complete=False)
    assert heard
    assert {*heard} == {b"\x15\x03\x01\x00\x02\x01\x00QUIT\r\n"}


def test_every_suite_agrees_with_openssls_own_list(pki: Pki) -> None:
    """An independent witness for the set that the prober discovers."""
    string = "ALL:!PSK:!SRP:!aNULL:!aECDSA:!aDSS:@SECLEVEL=0"
    command = ["openssl", "ciphers", "-s", "-tls1_2", string]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    expected = {suite(n).name for n in listed.split(":") if not n.startswith("TLS_")}
    with openssl_server(pki, "-tls1_2", "-cipher", string, certificates="rsa") as port:
        facts = look(port, manners=Manners())
    assert set(facts.suites["TLSv1.2"]) == expected


@contextmanager
def sslv3_server(pki: Pki) -> Iterator[int]:
    """A server that speaks SSLv3 and nothing else, by tlslite-ng."""
    chain = X509CertChain()
    chain.parsePemList(pki.rsa[0].read_text())
    key = parsePEMKey(pki.rsa[1].read_text(), private=True)
    settings = HandshakeSettings()
    settings.minVersion = settings.maxVersion = (3, 0)
    settings.cipherNames = ["aes128", "3des", "rc4"]

    def answer(client: socket.socket) -> None:
        try:
            TLSConnection(client).handshakeServer(
                certChain=chain, privateKey=key, settings=settings
            )
        except Exception:  # noqa: BLE001 - the prober hangs up on purpose
            return

    with listening(answer) as port:
        yield port


def test_sslv3_is_seen_on_a_real_sslv3_server(pki: Pki) -> None:
    """tlslite-ng still speaks it."""
    with sslv3_server(pki) as port:
        facts = look(port, manners=Manners())
    assert facts.protocols["SSLv3"].seen == "accepted"
    assert facts.protocols["TLSv1.2"].seen == "refused"
    assert "TLS_RSA_WITH_3DES_EDE_CBC_SHA" in facts.suites["SSLv3"]


def test_the_prober_sees_everything_on_the_calibration_endpoint() -> None:
    """SSLv2, SSLv3, DEFLATE, weak suites, the client's order."""
    calibration.calibrate()


@pytest.mark.parametrize(
    ("module", "name", "value", "words"),
    [(hello, "COMPRESSIONS", (), "compression"), (hello, "SSL2_CIPHERS", (), "SSLv2")],
)
def test_a_blind_prober_is_found_out(
    monkeypatch: pytest.MonkeyPatch, module: object, name: str, value: object, words: str
) -> None:
    """If it no longer asks for what must be absent, no run may go on."""
    monkeypatch.setattr(module, name, value)
    if name == "SSL2_CIPHERS":
        monkeypatch.setattr(hello, "_ssl2_record", lambda: b"\x80\x00")
    with pytest.raises(MailsealError, match=words) as error:
        calibration.calibrate()
    assert error.value.exit_code == 3


def _refuse(client: socket.socket) -> None:
    if client.recv(4096):
        client.sendall(b"\x15\x03\x03\x00\x02\x02\x28")


def test_a_refusal_without_a_success_beside_it_proves_nothing() -> None:
    """An endpoint that refuses everything is inconclusive, not hardened."""
    with listening(_refuse) as port:
        facts = look(port)
    assert {o.seen for o in facts.protocols.values()} == {"inconclusive"}
    assert facts.compression.seen == "inconclusive"


def _drip(client: socket.socket) -> None:
    for _ in range(100):
        client.sendall(b"x")
        time.sleep(0.2)


def _flood(client: socket.socket) -> None:
    while True:
        client.sendall(b"220-" + b"y" * 4000 + b"\r\n")


def _bomb(client: socket.socket) -> None:
    client.recv(4096)
    while True:
        client.sendall(struct.pack("!BHH", 22, 0x0303, 16384) + b"\x0b\xff\xff\xff" + bytes(16380))


def _mute(client: socket.socket) -> None:
    client.recv(4096)
    time.sleep(3)


def _http(client: socket.socket) -> None:
    client.recv(4096)
    client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


HOSTILE: list[tuple[str, Callable[[socket.socket], object]]] = [
    ("one byte at a time", _drip),
    ("an endless banner", _flood),
    ("a record bomb", _bomb),
    ("silence", _mute),
    ("closes at once", lambda s: s.close()),
    ("garbage", lambda s: s.sendall(b"\x00\xff" * 400)),
    ("a 64 KiB line", lambda s: s.sendall(b"z" * 65536)),
    ("HTTP", _http),
    ("421 for ever", lambda s: s.sendall(b"421 too many connections\r\n")),
    ("an echo", lambda s: s.sendall(s.recv(4096))),
]


@pytest.mark.parametrize("mode", ["implicit", "starttls"])
@pytest.mark.parametrize(("what", "answer"), HOSTILE, ids=[h[0] for h in HOSTILE])
def test_hostile_servers_are_inconclusive_in_bounded_time(
    what: str, answer: Callable[[socket.socket], object], mode: Mode
) -> None:
    """Neither pass nor fail, no exception, and an end."""

    def quietly(client: socket.socket) -> None:
        answer(client)

    started = time.monotonic()
    with listening(quietly) as port:
        facts = look(port, "smtp", mode)
    assert time.monotonic() - started < 15, what
    assert {o.seen for o in facts.protocols.values()} <= {"inconclusive"}
    assert facts.errors


def test_a_hostile_neighbour_costs_others_nothing(pki: Pki) -> None:
    """The good server's facts are complete beside one that drips."""
    with listening(_drip) as bad, openssl_server(pki, *GOOD) as good:
        endpoints = [
            Endpoint("bad", "127.0.0.1", bad, "smtp", "starttls"),
            Endpoint("good", "127.0.0.1", good, "imap", "implicit", "localhost"),
        ]
        facts = {f.endpoint.host: f for f in probe_all(endpoints, lambda _: Task(), manners=QUICK)}
    assert facts["bad"].reach in ("no-answer", "not-the-service")
    assert facts["good"].protocols["TLSv1.3"].seen == "accepted"
    assert facts["good"].protocols["SSLv3"].seen == "refused"


def test_a_server_that_is_busy_for_a_while_is_waited_for() -> None:
    """421 is not an answer; after a pause there is one."""
    count = threading.Semaphore(3)

    def busy_first(client: socket.socket) -> None:
        if count.acquire(blocking=False):
            client.sendall(b"421 too many connections\r\n")
            return
        client.sendall(b"220 ok\r\n")
        for reply in (b"250 ok\r\n", b"503 no\r\n", b"250 ok\r\n", b"221 bye\r\n"):
            if client.recv(1024):
                client.sendall(reply)

    with listening(busy_first) as port:
        facts = look(port, "smtp", "starttls", Manners(pauses=(0.05, 0.05, 0.05, 0.05)))
    assert facts.plaintext is not None
    assert facts.plaintext.greeting == "220 ok"


def test_no_more_than_the_cap_is_open_at_one_address(
    pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight endpoints of one address share its four places."""
    now, most, lock = 0, 0, threading.Lock()

    class Counted(Connection):
        def __init__(self, endpoint: Endpoint, limits: Limits) -> None:
            nonlocal now, most
            with lock:
                now += 1
                most = max(most, now)
            super().__init__(endpoint, limits)

        def close(self) -> None:
            nonlocal now
            super().close()
            with lock:
                now -= 1

    monkeypatch.setattr(guest, "Connection", Counted)
    with openssl_server(pki, *GOOD) as port:
        endpoints = [
            Endpoint(f"h{i}", "127.0.0.1", port, "imap", "implicit", f"n{i}") for i in range(8)
        ]
        probe_all(endpoints, lambda _: Task(), manners=Manners())
    assert 1 < most <= Manners().cap


def test_a_closed_port_is_told_from_an_open_one() -> None:
    """One knock each."""
    with listening(lambda s: None) as port:
        closed = free_port()
        found = knock_all(
            [Endpoint("h", "127.0.0.1", p, "imap", "implicit") for p in (port, closed)]
        )
    assert [f.reach for f in found] == ["open", "refused"]


def test_a_dead_host_is_given_up_once_for_all_its_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to an address that never answers costs its time once, not once a port."""

    class Silent(Connection):
        def __init__(self, *_: object) -> None:
            time.sleep(0.2)
            raise NoAnswer("no answer")

    monkeypatch.setattr(guest, "Connection", Silent)
    endpoints = [Endpoint("dead", "127.0.0.1", p, "imap", "implicit") for p in range(2001, 2021)]
    started = time.monotonic()
    facts = probe_all(endpoints, lambda _: Task(), manners=Manners())
    assert {f.reach for f in facts} == {"no-answer"}
    assert time.monotonic() - started < 1.5


def _hello(version: int, suite_code: int, exchange: bytes = b"", compression: int = 0) -> bytes:
    body = struct.pack("!H32sBHB", version, bytes(32), 0, suite_code, compression)
    messages = b"\x02" + len(body).to_bytes(3) + body + exchange + b"\x0e\x00\x00\x00"
    return struct.pack("!BHH", 22, min(version, 0x0303), len(messages)) + messages


def _sslv3_for_tls10(client: socket.socket) -> None:
    sent = client.recv(8192)
    refusal = b"\x15\x03\x00\x00\x02\x02\x28"
    offered = struct.unpack_from("!H", sent, 9)[0] if sent[:1] == b"\x16" else 0
    client.sendall(_hello(0x0300, 0x000A) if offered == 0x0301 else refusal)


def test_an_old_version_chosen_for_a_newer_hello_counts() -> None:
    """The server refuses an SSLv3 hello and answers one for TLS 1.0 with SSLv3."""
    with listening(_sslv3_for_tls10) as port:
        facts = look(port)
    assert facts.protocols["SSLv3"].seen == "accepted"


def test_an_unknown_version_is_not_a_refusal() -> None:
    """A ServerHello of 0x03ff says nothing about what was asked."""

    def odd(client: socket.socket) -> None:
        client.recv(8192)
        client.sendall(_hello(0x03FF, 0x000A))

    with listening(odd) as port:
        facts = look(port)
    assert facts.protocols["TLSv1.0"].seen == "inconclusive"


def test_short_hellos_are_tried_where_long_ones_are_refused(pki: Pki) -> None:
    """A server that refuses more than 64 suites still shows its TLS 1.0."""

    def short_only(client: socket.socket) -> None:
        sent = client.recv(8192)
        if sent[:1] != b"\x16":
            return
        version = struct.unpack_from("!H", sent, 9)[0]
        suites = struct.unpack_from("!H", sent, 44 + sent[43])[0] // 2
        refusal = b"\x15\x03\x01\x00\x02\x02\x28"
        client.sendall(_hello(0x0301, 0x002F) if version == 0x0301 and suites < 64 else refusal)

    with listening(short_only) as port:
        facts = look(port)
    assert facts.protocols["TLSv1.0"].seen == "accepted"


def test_a_close_under_load_is_never_taken_for_a_refusal() -> None:
    """Closing without a word may be about too many connections, not about the version."""
    open_now, lock = 0, threading.Lock()

    def one_at_a_time(client: socket.socket) -> None:
        nonlocal open_now
        with lock:
            open_now += 1
            crowded = open_now > 1
        try:
            sent = client.recv(8192)
            if sent and not crowded:
                time.sleep(0.02)
                known = sent[:1] == b"\x16" and struct.unpack_from("!H", sent, 9)[0] == 0x0301
                client.sendall(_hello(0x0301, 0x002F) if known else b"\x15\x03\x01\x00\x02\x02\x28")
                client.recv(64)
        finally:
            with lock:
                open_now -= 1

    with listening(one_at_a_time) as port:
        facts = look(port, manners=Manners())
    assert "refused" not in {o.seen for v, o in facts.protocols.items() if v == "TLSv1.0"}


def test_a_slow_endpoint_ends_with_its_budget() -> None:
    """However many suites a server accepts, and however slowly."""

    def slow(client: socket.socket) -> None:
        sent = client.recv(8192)
        time.sleep(0.1)
        if sent[:1] == b"\x16":
            at = 46 + sent[43]
            client.sendall(_hello(0x0301, struct.unpack_from("!H", sent, at)[0]))

    started = time.monotonic()
    with listening(slow) as port:
        facts = look(port, manners=Manners(budget=1.0))
    assert time.monotonic() - started < 10
    assert facts.rest["TLSv1.0"].seen == "inconclusive"


def test_every_port_is_knocked_at_even_where_others_are_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A firewall may drop one port and not the next."""

    class Dropped(Connection):
        def __init__(self, endpoint: Endpoint, limits: Limits) -> None:
            if endpoint.port < 1000:
                time.sleep(0.1)
                raise NoAnswer("no answer")
            super().__init__(endpoint, limits)

    monkeypatch.setattr(guest, "Connection", Dropped)
    with listening(lambda s: None) as port:
        endpoints = [Endpoint("h", "127.0.0.1", p, "imap", "implicit") for p in (1, 2, 3, 4, port)]
        assert [f.reach for f in knock_all(endpoints)] == ["no-answer"] * 4 + ["open"]
