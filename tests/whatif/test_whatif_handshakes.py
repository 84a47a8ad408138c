"""Real handshakes of OpenSSL: what the first proves, the second shows."""

import ssl
import warnings
from itertools import permutations, product

import pytest

from audit.forecast.manners import OPENSSL_3_0
from audit.forecast.server import Key, Server
from audit.iana import VERSIONS, Version, group, suite
from audit.traffic.session import session
from audit.whatif.known import seen
from audit.whatif.reason import Change, reason
from audit.whatif.side import Side
from tests.servers import Pki, make_pki

NAMES: dict[Version, ssl.TLSVersion] = {
    "TLSv1.0": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}
SPANS: tuple[tuple[Version, Version], ...] = (
    ("TLSv1.0", "TLSv1.0"),
    ("TLSv1.0", "TLSv1.2"),
    ("TLSv1.2", "TLSv1.2"),
    ("TLSv1.2", "TLSv1.3"),
    ("TLSv1.3", "TLSv1.3"),
)
LISTS = (
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-SHA",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-SHA:AES128-SHA",
    "AES256-GCM-SHA384",
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-SHA:AES128-SHA",
)
# What Python leaves as OpenSSL 3.0 has it.
TLS13 = ("TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256")
GROUPS = tuple(map(group, ("X25519", "P-256", "X448", "P-521", "P-384")))


def _context(context: ssl.SSLContext, span: tuple[Version, Version], ciphers: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old versions, which this is about
        context.minimum_version, context.maximum_version = NAMES[span[0]], NAMES[span[1]]
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")


def _server(span: tuple[Version, Version], ciphers: str, pki: Pki) -> tuple[ssl.SSLContext, Side]:
    """A server, and what is known of it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _context(context, span, ciphers)
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    for certificate, key in (pki.rsa, pki.ecdsa):
        context.load_cert_chain(certificate, key)
    versions = VERSIONS[VERSIONS.index(span[0]) : VERSIONS.index(span[1]) + 1]
    names = (*TLS13, *ciphers.split(":"))
    known = Server(
        versions=versions,
        suites={v: tuple(s for s in map(suite, names) if s.usable_in(v)) for v in versions},
        groups=dict.fromkeys(versions, GROUPS),
        client_order=frozenset(),
        keys=(Key("rsa"), Key("ecdsa", "P-256")),
        sha1=True,
        manners=OPENSSL_3_0,
    )
    return context, Side(known, known, frozenset(versions), None, "a real one")


def _meet(client: ssl.SSLContext, server: ssl.SSLContext) -> str | None:
    """What a log would have of their handshake; None if there is none."""
    one, other = (ssl.MemoryBIO(), ssl.MemoryBIO())
    ends = (
        client.wrap_bio(one, other, server_hostname="mail.example"),
        server.wrap_bio(other, one, server_side=True),
    )
    done = [False, False]
    for _ in range(6):
        for number, end in enumerate(ends):
            try:
                end.do_handshake()
                done[number] = True
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError:
                return None
    cipher = ends[1].cipher()
    assert all(done)
    assert cipher is not None
    return f"{ends[1].version()}:{cipher[0]}:{cipher[2]}"


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


def test_every_keep_connects_and_every_break_fails(pki: Pki) -> None:
    """25 clients, six servers, and every change from one server to another."""
    spans: tuple[tuple[Version, Version], ...] = (
        ("TLSv1.0", "TLSv1.2"),
        ("TLSv1.2", "TLSv1.3"),
        ("TLSv1.0", "TLSv1.3"),
    )
    servers = [
        _server(span, ciphers, pki) for span, ciphers in product(spans, (LISTS[-1], LISTS[0]))
    ]
    clients = []
    for span, ciphers in product(SPANS, LISTS):
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
        _context(client, span, ciphers)
        clients.append(client)
    counted = {"keep": 0, "break": 0, "unknown": 0}
    for client in clients:
        words = [_meet(client, context) for context, _ in servers]
        for (old, (_, before)), (new, (_, after)) in permutations(enumerate(servers), 2):
            said = words[old]
            if said is None:
                continue
            told = seen(session(said))
            assert told is not None
            found = reason(told, [Change(before, after)])
            counted[found.verdict] += 1
            assert found.verdict != "keep" or words[new] is not None, (said, found.why)
            assert found.verdict != "break" or words[new] is None, (said, found.why)
    assert counted["keep"] > 100
    assert counted["break"] > 20
