"""Recorded hellos said again, to a server on loopback."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from audit.clients.load import clients, offer
from audit.forecast.manners import OPENSSL_3_0
from audit.forecast.negotiate import Agreed, negotiate
from audit.forecast.outcome import certificates
from audit.forecast.server import from_profile, keys
from audit.policy.load import load
from tests.clients.replay import fresh, replayed
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
