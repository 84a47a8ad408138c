"""Recorded hellos said again, to a server on loopback."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from audit.clients.load import clients, offer
from audit.forecast.manners import LIBRARIES, OPENSSL_3_0
from audit.forecast.negotiate import Agreed, negotiate
from audit.forecast.outcome import certificates
from audit.forecast.server import from_profile, keys
from audit.iana import group, suite
from audit.policy.load import load
from audit.wire.client_hello import client_hello
from audit.wire.hello import Hello
from tests.clients.driver import MissingError
from tests.clients.replay import answered, fresh, replayed
from tests.clients.serving import serving
from tests.clients.test_proof import TODAY
from tests.servers import Pki

KNOWN = {client.id: client for client in clients()}


@pytest.mark.parametrize("name", KNOWN)
def test_a_fresh_hello_offers_what_was_recorded(name: str) -> None:
    """And is another one every time."""
    client = KNOWN[name]
    once, again = fresh(client), fresh(client)
    assert offer(replace(client, hello=once.hex())) == offer(client)
    assert len(once) == len(bytes.fromhex(client.hello))
    assert once != again


@pytest.mark.parametrize("policy", ["univie-2015", "mailseal-2026"])
@pytest.mark.parametrize("name", ["openssl-3.0", "gnutls-3.7", "tls10-ecdhe", "tls13-p521"])
def test_the_answer_is_what_is_negotiated_in_thought(
    name: str, policy: str, pki: Pki, tmp_path: Path
) -> None:
    """Version, suite and group, or a refusal."""
    profile = load(policy).profiles["access"]
    server = from_profile(profile, TODAY, keys(certificates(profile)), OPENSSL_3_0)
    expected = negotiate(offer(KNOWN[name]), server)
    with serving("openssl-3.0", profile, TODAY, pki, tmp_path) as served:
        found = replayed(KNOWN[name], "127.0.0.1", served.port)
    if isinstance(expected, Agreed):
        group = expected.group.code if expected.group else None
        assert found == (expected.version, expected.suite.name, group)
    else:
        assert isinstance(found, str), found


_SUITES = (
    *("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1), (1, 2), (0, 2)])
@pytest.mark.parametrize(
    "signatures",
    [(0x0201, 0x0403), (0x0403,), (0x0401, 0x0203), (0x0201, 0x0203)],
    ids=["RSA with SHA-1", "no RSA", "ECDSA with SHA-1", "SHA-1 alone"],
)
def test_signatures_decide_about_suites_as_the_library_has_it(
    library: str, order: tuple[int, ...], signatures: tuple[int, ...], pki: Pki, tmp_path: Path
) -> None:
    """At a server with both certificates that leaves the order to the client."""
    profile = replace(load("mailseal-2026").profiles["mx"], preference="client")
    suites = tuple(suite(_SUITES[number]) for number in order)
    hello = Hello("TLSv1.2", suites, (group("P-256"),), signatures=signatures).record()
    server = from_profile(profile, TODAY, keys(certificates(profile)), LIBRARIES[library])
    expected = negotiate(client_hello(hello), server)
    try:
        with serving(library, profile, TODAY, pki, tmp_path) as served:
            found = answered(hello, "127.0.0.1", served.port)
    except MissingError as error:
        pytest.skip(str(error))
    if isinstance(expected, Agreed):
        assert found[:2] == ("TLSv1.2", expected.suite.name)
    else:
        assert isinstance(found, str), (found, expected)
