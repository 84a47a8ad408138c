"""The world outside the cluster and its matrix of deliveries, as far as they need no hosts."""

import json
import smtplib
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args, get_type_hints

import dns.dnssec
import dns.exception
import dns.name
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.zone
import dpkt
import pytest
from cryptography import x509
from msgspec.structs import replace

from lab import deliveries, far, keys, matrix, outside, paths, policy_host, topology, world, zones
from lab.capture import Stream, streams
from lab.deliveries import Got, Looked
from lab.errors import LabError
from lab.matrix import Row
from lab.zones import Zone
from tests.servers import free_port, listening

CASES = world.load().cases
# A table of one case, as small as it can be.
TABLE = """
host: {name: far1, mailseal_addresses: [10.80.0.100, "fd00:80::100"]}
cases:
  one:
    title: one
    servers: [{}]
    expected: {delivery: delivered, arrival: tls, exit: 0}
"""


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAILSEAL_LAB_STATE", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("before", "after", "word"),
    [
        ("delivery: delivered", "delivery: lost", "lost"),
        ("servers: [{}]", "servers: [{tls: yes}]", "tls"),
        ("title: one", "titel: one", "titel"),
        ("servers: [{}]", "servers: [{tlsa: [3 1 1 mine]}]", "leaf|authority"),
        ("  one:", "  no name:", "cases"),
        ("exit: 0", "exit: good", "exit"),
        ("cases:", "cases: [", "flow sequence"),
    ],
)
def test_a_bad_table_is_one_sentence(before: str, after: str, word: str) -> None:
    """It names the table and what is wrong in it."""
    assert world.parse(TABLE, "t.yaml").cases["one"].title == "one"
    with pytest.raises(LabError, match=r"^t\.yaml: ") as caught:
        world.parse(TABLE.replace(before, after), "t.yaml")
    assert word in str(caught.value)


def test_an_unknown_case_is_named_with_the_known_ones() -> None:
    """As hosts and faults are."""
    with pytest.raises(LabError, match=r"'nothing'.*good, ") as caught:
        world.select(CASES, ("nothing",))
    assert caught.value.code == 2
    assert list(world.select(CASES, ("bogus", "good"))) == ["good", "bogus"]
    assert world.select(CASES, ()) == CASES


def test_every_server_has_an_address_of_its_own() -> None:
    """In no size is it one of the cluster's."""
    ours = [place.address for row in world.load().places().values() for place in row]
    assert len(set(ours)) == len(ours)
    for size in paths.INVENTORIES:
        found = topology.load(size)
        assert not set(ours) & {a for host in found.hosts for a in (host.ipv4, host.ipv6)}


def test_who_is_outside_is_in_no_group_of_the_cluster() -> None:
    """So nobody hardens or audits it; but it is a host of the lab, in every size."""
    for size in paths.INVENTORIES:
        found = topology.load(size)
        assert found.outside in found.hosts
        assert found.outside not in found.cluster
        assert found.outside.groups == {"outside"}


@pytest.mark.parametrize(
    ("zone", "valid"),
    [
        (Zone("test.", "a 60 A 192.0.2.1\n"), True),
        (Zone("test.", "a 60 A 192.0.2.1\n", signing="ending"), True),
        (Zone("test.", "a 60 A 192.0.2.1\n", signing="expired"), False),
        (Zone("test.", "a 60 A 192.0.2.1\n", forged=lambda t: t.replace("2.1", "2.2")), False),
    ],
    ids=["good", "ending", "expired", "forged"],
)
def test_signatures_are_valid_unless_they_are_to_be_wrong(zone: Zone, valid: bool) -> None:
    """Wrong are those that have expired, and those of records that were changed since."""
    made = zones.make(zone, "ns.test.")
    name = dns.name.from_text("a.test.")
    node = dns.zone.from_text(made.text, zone.name, relativize=False)[name]
    found = node.find_rdataset(dns.rdataclass.IN, dns.rdatatype.A)
    signature = node.find_rdataset(dns.rdataclass.IN, dns.rdatatype.RRSIG, dns.rdatatype.A)
    known = {dns.name.from_text(zone.name): dns.rdataset.from_rdata(60, made.key)}
    if valid:
        dns.dnssec.validate((name, found), (name, signature), known)  # type: ignore[arg-type]
    else:
        with pytest.raises(dns.exception.ValidationFailure):
            dns.dnssec.validate((name, found), (name, signature), known)  # type: ignore[arg-type]


def test_a_parent_says_of_its_children_what_is_true_of_them() -> None:
    """Who is not signed has no DS; who is lame is said to be somebody else's."""
    made = [
        zones.make(Zone("a.test."), "ns.test."),
        zones.make(Zone("b.test.", signing="no"), "ns.test."),
        zones.make(Zone("c.test.", lame=True), "ns.test."),
    ]
    lines = zones.delegations(made, "ns.test.", "nobody.test.").splitlines()
    assert lines[0] == "a.test. 0 NS ns.test."
    assert lines[1] == f"a.test. 60 DS {zones.ds('a.test.', made[0].key)}"
    assert lines[2:4] == ["b.test. 0 NS ns.test.", "c.test. 0 NS nobody.test."]
    assert len(lines) == 5


def test_secrets_last_and_are_for_their_owner_alone(state: Path) -> None:
    """From one `up` to the next."""
    first, secret = keys.private(state / "a" / "key"), keys.tsig(state / "a" / "tsig")
    again = keys.private(state / "a" / "key")
    assert first.private_numbers() == again.private_numbers()
    assert keys.tsig(state / "a" / "tsig") == secret
    for name in ("key", "tsig"):
        assert stat.S_IMODE((state / "a" / name).stat().st_mode) == 0o600
    assert (state / "a" / "tsig").read_text().startswith('key "mailseal" {\n    algorithm hmac-')


@pytest.mark.parametrize("text", ["", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n"])
def test_a_key_that_cannot_be_read_is_one_sentence(tmp_path: Path, text: str) -> None:
    """It names the file, and does not show what is in it."""
    (tmp_path / "key").write_text(text)
    with pytest.raises(LabError, match=r"key .*/key cannot be read") as caught:
        keys.private(tmp_path / "key")
    assert "AAAA" not in str(caught.value)


def test_what_is_made_for_a_lab_fits_together(state: Path) -> None:
    """What others trust is kept; keys are readable by nobody else; each server has its files."""
    found = outside.files(topology.load("small"))
    assert set(found) == {"ns1", "far1"}
    anchor = paths.anchor().read_text()
    assert anchor.startswith("test. 60 IN DNSKEY 257 3 13 ")
    assert found["ns1"]["etc/unbound/lab-anchor.key"][0].decode() == anchor
    assert "etc/knot/zones/lame.test.zone" not in found["ns1"]
    modes = {path: mode for files in found.values() for path, (_, mode) in files.items()}
    assert all(not modes[path] & 0o007 for path in modes if path.endswith((".pem", "knot.conf")))
    places = {p.name: p for row in world.load().places().values() for p in row}
    served = {p.name: far.key(p.address, 25) for p in places.values() if not p.behind}
    for name, key in served.items():
        offered = f"etc/world/tls/{key}.pem" in found["far1"]
        assert offered == (places[name].server.starttls == "offered"), name
    outside.files(topology.load("small"))
    assert paths.anchor().read_text() == anchor
    assert state in paths.anchor().parents


def test_each_kind_of_certificate_is_wrong_in_one_way(state: Path) -> None:
    """Who issued it, for whom, until when."""
    authority = outside.Authority(keys.private(state / "a"), keys.private(state / "b"))
    root = x509.load_pem_x509_certificate(authority.pem)
    now = datetime.now(UTC)
    found = {}
    for kind in get_args(world.Kind):
        pem = authority.issue("mx.test", kind, keys.private(state / "c"))
        leaf, above = x509.load_pem_x509_certificates(pem)
        leaf.verify_directly_issued_by(above)
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        found[kind] = (
            above == root,
            names.get_values_for_type(x509.DNSName) == ["mx.test"],
            leaf.not_valid_after_utc > now,
        )
    assert found == {
        "good": (True, True, True),
        "expired": (True, True, False),
        "untrusted": (False, True, True),
        "misnamed": (True, False, True),
    }


@pytest.fixture
def policies(state: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """A policy host on loopback; its port."""
    authority = outside.Authority(keys.private(state / "a"), keys.private(state / "b"))
    answers = get_type_hints(world.Policy)["answer"]
    sites = {f"{a}.test": {"answer": a, "policy": "version: STSv1\n"} for a in get_args(answers)}
    (state / "tls").mkdir()
    for name in sites:
        pem = authority.issue(name, "good", keys.private(state / "c"))
        (state / "tls" / f"{name}.pem").write_bytes(pem)
    (state / "ca").write_bytes(authority.pem)
    (state / "policies.json").write_text(json.dumps(sites))
    port = free_port()
    monkeypatch.setattr(policy_host, "_PORT", port)
    threading.Thread(target=policy_host.serve, args=("127.0.0.1", state), daemon=True).start()
    return port


def _asked(port: int, name: str, state: Path, path: str = "/.well-known/mta-sts.txt") -> bytes:
    """What a policy host says, of an answer without end so much as any sender would read."""
    context = ssl.create_default_context(cafile=str(state / "ca"))
    with (
        dialled(port) as link,
        context.wrap_socket(link, server_hostname=name) as secure,
    ):
        secure.sendall(f"GET {path} HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
        said = b""
        while len(said) < 1 << 20 and (more := secure.recv(1 << 16)):
            said += more
    return said


def dialled(port: int) -> socket.socket:
    """A connection to a server that may have yet to begin."""
    end = time.monotonic() + 10
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 10)
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


@pytest.mark.parametrize(
    ("name", "path", "status", "media", "least"),
    [
        ("policy.test", "/.well-known/mta-sts.txt", b"200", b"text/plain", 0),
        ("page.test", "/.well-known/mta-sts.txt", b"200", b"text/html", 0),
        ("redirect.test", "/.well-known/mta-sts.txt", b"302", b"text/plain", 0),
        ("endless.test", "/.well-known/mta-sts.txt", b"200", b"text/plain", 1 << 20),
        ("policy.test", "/elsewhere", b"404", b"text/plain", 0),
    ],
)
def test_a_policy_host_answers_as_it_is_told(
    policies: int, state: Path, name: str, path: str, status: bytes, media: bytes, least: int
) -> None:
    """With the certificate of the name that is asked for."""
    said = _asked(policies, name, state, path)
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.split()[1] == status
    assert media in head
    assert body.startswith(b"version: STSv1") == (status == b"200" and media == b"text/plain")
    assert len(said) >= least


def test_a_policy_host_knows_its_names(policies: int, state: Path) -> None:
    """Who asks for another gets no handshake, and the next one is served all the same."""
    with pytest.raises(ssl.SSLError, match="unrecognized name"):
        _asked(policies, "other.test", state)
    assert _asked(policies, "policy.test", state)


def _smtp(client: socket.socket) -> None:
    """A mail server that offers STARTTLS."""
    client.sendall(b"220 mx.test ESMTP\r\n")
    with client.makefile("rb") as lines:
        for line in lines:
            word = line.split()[0].upper()
            if word == b"EHLO":
                client.sendall(b"250-mx.test\r\n250-STARTTLS\r\n250 HELP\r\n")
            elif word == b"QUIT":
                time.sleep(0.2)  # whoever is between must not have gone by now
                client.sendall(b"221 bye\r\n")
                return
            else:
                client.sendall(b"250 " + word + b"\r\n")


@pytest.fixture
def stripped() -> Iterator[int]:
    """A man in the middle before it; his port."""
    port = free_port()
    with listening(_smtp) as behind:
        words = ["--address", "127.0.0.1", "--port", str(port), "--behind", str(behind)]
        command = [sys.executable, "-m", "lab.standin", "no-starttls", *words]
        with subprocess.Popen(command) as middle:
            try:
                yield port
            finally:
                middle.kill()


def test_a_man_in_the_middle_hides_starttls_of_smtp(stripped: int) -> None:
    """It is neither offered nor taken, and all else passes."""
    dialled(stripped).close()
    with smtplib.SMTP("127.0.0.1", stripped, timeout=10) as client:
        assert client.ehlo()[0] == 250
        assert client.has_extn("help")
        assert not client.has_extn("starttls")
        assert client.docmd("STARTTLS")[0] == 500
        assert client.docmd("NOOP") == (250, b"NOOP")


def test_a_man_in_the_middle_lets_the_last_answer_through(stripped: int) -> None:
    """Exim says QUIT and closes its side at once."""
    with dialled(stripped) as link:
        link.sendall(b"NOOP\r\nQUIT\r\n")
        link.shutdown(socket.SHUT_WR)
        with link.makefile("rb") as lines:
            assert lines.read() == b"220 mx.test ESMTP\r\n250 NOOP\r\n221 bye\r\n"


def _segment(number: int, data: bytes, source: int = 4000) -> bytes:
    segment = dpkt.tcp.TCP(sport=source, dport=25, seq=number, data=data)
    packet = dpkt.ip.IP(src=b"\x0a\x50\0\x15", dst=b"\x0a\x50\0\x65", p=6, data=segment)
    packet.len = len(packet)
    return bytes(dpkt.ethernet.Ethernet(type=dpkt.ethernet.ETH_TYPE_IP, data=packet))


def test_a_capture_is_read_in_the_order_of_what_was_said(tmp_path: Path) -> None:
    """Whatever came late, twice or in part; each direction of each connection on its own."""
    frames = [
        _segment(100, b"MAIL FR"),
        _segment(114, b" b>\r\n"),
        _segment(107, b"OM:<a@"),  # late
        _segment(107, b"OM:<a@"),  # again
        _segment(110, b"<a@"),  # a part of it again
        _segment(1, b"EHLO\r\n", source=4001),
        _segment(5, b"", source=4002),
    ]
    with (tmp_path / "c.pcap").open("wb") as file:
        writer = dpkt.pcap.Writer(file)
        for frame in frames:
            writer.writepkt(frame, 1.0)
    said = streams(tmp_path / "c.pcap")
    assert said == {
        Stream("10.80.0.21", 4000, "10.80.0.101", 25): b"MAIL FROM:<a@ b>\r\n",
        Stream("10.80.0.21", 4001, "10.80.0.101", 25): b"EHLO\r\n",
    }


_SENT = """\
2026-11-29 22:16:19 1aaaaa-000001-AA <= r-a@lab.test H=x P=esmtpsa X=TLS1.3:Y:256 S=451
2026-11-29 22:16:19 1aaaaa-000002-AA <= r-b@lab.test H=x P=esmtpsa X=TLS1.3:Y:256 S=451
2026-11-29 22:16:20 1aaaaa-000001-AA H=mx.a.test [10.80.0.109]: DANE attempt failed
2026-11-29 22:16:20 1aaaaa-000001-AA => r-a@a.test R=r T=t H=mx2.a.test X=TLS1.3:Y:256 CV=dane
2026-11-29 22:16:20 1aaaaa-000001-AA Completed
2026-11-29 22:16:20 1aaaaa-000002-AA == r-b@b.test R=r T=t defer (-38) H=mx.b.test [10.80.0.108]
"""
_TOOK = """\
2026-11-29 22:16:20 1b-1 <= r-a@lab.test H=x [1] P=esmtps X=TLS1.3:Y:256 S=9 from <r> for r-a@a.test
2026-11-29 22:16:20 1b-2 <= r-c@lab.test H=x [1] P=esmtp S=9 from <r> for r-c@c.test
"""


def test_what_became_of_a_mail_is_read_from_both_logs() -> None:
    """The last word counts, and another mail's does not."""
    one, other = (deliveries.about(_SENT, f"1aaaaa-00000{n}-AA") for n in (1, 2))
    assert (len(one), deliveries.delivery(one)) == (4, "delivered")
    assert deliveries.delivery(other) == "deferred"
    assert deliveries.delivery(other[:1]) == "unknown"
    assert deliveries.delivery(("** r-b@b.test R=r: all hosts failed",)) == "bounced"
    assert [deliveries.arrival(_TOOK, f"r-{n}@{n}.test") for n in "abc"] == ["tls", "none", "clear"]


_EXPECTED = world.Expected("deferred", "none", 1, ("DANE",), ("MT-DANE",))
_GOT = Got("deferred", "none", False, True, ("H=x: DANE attempt",), Looked(1, ("MT-DANE",)))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"delivery": "delivered"}, "delivered and not deferred"),
        ({"delivery": "unknown"}, "unknown and not deferred"),
        ({"arrival": "tls"}, "arrival tls"),
        ({"clear": True}, "seen in clear"),
        ({"log": ("H=x: timeout",)}, "no 'DANE'"),
        ({"looked": Looked(0, ("MT-DANE",))}, "ends with 0"),
        ({"looked": Looked(1, ())}, "does not find MT-DANE"),
        ({"looked": Looked(1, ("MT-DANE", "MT-MX"))}, "finds MT-MX"),
    ],
)
def test_whatever_is_otherwise_is_told(change: dict[str, object], word: str) -> None:
    """And nothing where all is as expected."""
    assert deliveries.differences(_EXPECTED, _GOT) == ()
    (found,) = deliveries.differences(_EXPECTED, replace(_GOT, **change))
    assert word in found


def test_a_mail_that_is_expected_in_clear_has_to_be_seen() -> None:
    """And connections, where there is to be an arrival: otherwise nothing was captured."""
    expected = replace(_EXPECTED, arrival="clear")
    got = replace(_GOT, arrival="clear", connected=False)
    assert len(deliveries.differences(expected, got)) == 2
    assert deliveries.differences(expected, replace(got, clear=True, connected=True)) == ()


def test_the_matrix_says_what_is_otherwise_and_why() -> None:
    """A row for each case; below it the differences and the sender's log."""
    good = Row("good", replace(CASES["good"], expected=_EXPECTED), _GOT, ())
    bad = Row("bad", CASES["bogus"], _GOT, ("arrival tls and not none",))
    text = matrix.table([good, bad])
    assert "deferred, arrival none, scan 1  DANE\n" in text
    assert "    arrival tls and not none\n    log: H=x: DANE attempt\n" in text
    assert text.endswith("2 cases, 1 otherwise\n")
    assert matrix.table([good]).endswith("1 cases, all as expected\n")
    case = json.loads(matrix.document([bad]))["cases"][0]
    assert (case["case"], case["domain"]) == ("bad", "bad.test")
    assert case["got"]["delivery"] == "deferred"
    assert case["differences"] == ["arrival tls and not none"]
