"""Forecasts against real connections: real clients, real servers, on loopback."""

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest
from msgspec.structs import replace

from audit.clients.load import clients, offer
from audit.clients.model import Use
from audit.forecast.manners import LIBRARIES
from audit.forecast.negotiate import Refused, negotiate
from audit.forecast.outcome import Untold, certificates, fate
from audit.forecast.server import from_profile, keys
from audit.policy.load import load
from audit.policy.model import Item, Profile
from audit.wire.answer import Reader
from audit.wire.client_hello import client_hello
from audit.wire.server_hello import Accepted
from tests.clients.driver import At, Driver, MissingError
from tests.clients.record import running
from tests.clients.relay import relay
from tests.clients.serving import serving
from tests.clients.table import DRIVERS
from tests.servers import Pki

TODAY = datetime.now(tz=UTC).date()
POLICIES = ("univie-2015", "mailseal-2026", "mozilla-modern")
CLIENTS = {client.id: client for client in clients()}
# What is tried on the libraries beside Debian's OpenSSL: each stands for many, and none is slow.
FEW = (
    *("openssl-3.0", "openssl-1.1.1", "openssl-3.5", "gnutls-3.7", "nss-3.87", "wolfssl-5.5"),
    *(name for name in DRIVERS if name.startswith("tls1")),
)
_RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")


@dataclass(frozen=True)
class Seen:
    """What came of a connection; None for a version means that it failed.

    Attributes:
        version, suite, group: as the server chose.
        retried: it asked for another key share first.
        words: both sides', for whoever reads a failure.
    """

    version: str | None
    suite: str | None
    group: int | None
    retried: bool
    words: str


def _connect(driver: Driver, library: str, profile: Profile, pki: Pki, folder: Path) -> Seen:
    own = folder / "client"
    own.mkdir()
    with (
        serving(library, profile, TODAY, pki, folder) as served,
        relay(driver.opening, served.port) as place,
        running(driver, At(place.port, own, pki.root)),
    ):
        assert place.seen.wait(60), "the client never began with TLS"
        completed = served.completed()
    said = "\n".join(
        p.read_text(encoding="utf-8", errors="replace") for p in (own / "said", served.said)
    )
    client_hello(bytes(place.client))  # it did ask, whatever came of it
    if completed is None:
        return Seen(None, None, None, retried=False, words=said)
    reader = Reader("TLSv1.3")
    chosen = reader.feed(bytes(place.server)) or reader.end()
    assert isinstance(chosen, Accepted), said
    assert chosen.suite is not None, said
    if library.startswith("openssl"):
        assert completed == (_server_name(chosen.version), chosen.suite.openssl), said
    retried = _RETRY in place.server
    return Seen(chosen.version, chosen.suite.name, chosen.group, retried=retried, words=said)


def _server_name(version: str | None) -> str:
    return str(version).removesuffix(".0") if version == "TLSv1.0" else str(version)


def _agrees(name: str, library: str, profile: Profile, pki: Pki, folder: Path) -> None:
    client = CLIENTS[name]
    having = keys(certificates(profile))
    server = from_profile(profile, TODAY, having, LIBRARIES[library])
    expected = fate(client, offer(client), server)
    try:
        seen = _connect(DRIVERS[name], library, profile, pki, folder)
    except MissingError as error:
        pytest.skip(str(error))
    if isinstance(expected, Untold):  # it goes on or ends it: nothing else comes of it
        expected = (
            Refused(expected.why) if seen.version is None else negotiate(offer(client), server)
        )
    if isinstance(expected, Refused):
        assert seen.version is None, f"not refused, but {expected.why} was foreseen: {seen}"
        return
    group = expected.group.code if expected.group else None
    foreseen = (expected.version, expected.suite.name, group, expected.retried)
    assert (seen.version, seen.suite, seen.group, seen.retried) == foreseen, seen.words


def _cases(*, root: bool) -> list[tuple[str, str, Use]]:
    """Reading and handing in are alike; a client that does both is tried once for both."""
    found: list[tuple[str, str, Use]] = []
    for driver, policy in product(DRIVERS.values(), POLICIES):
        uses: list[Use] = [use for use in ("access", "mx") if use in driver.uses]
        if driver.root == root:
            found += [(driver.id, policy, use) for use in uses or ["submission"]]
    return found


@pytest.mark.parametrize(("name", "policy", "use"), _cases(root=False))
def test_what_is_forecast_happens(
    name: str, policy: str, use: Use, pki: Pki, tmp_path: Path
) -> None:
    """Version, suite and group, or the failure, are those of a real connection."""
    _agrees(name, "openssl-3.0", load(policy).profiles[use], pki, tmp_path)


@pytest.mark.daemons
@pytest.mark.usefixtures("namespaces")
@pytest.mark.parametrize(("name", "policy", "use"), _cases(root=True))
def test_what_is_forecast_happens_to_mail_servers_that_send(
    name: str, policy: str, use: Use, pki: Pki, tmp_path: Path
) -> None:
    """The same with mail servers, each over its own root."""
    _agrees(name, "openssl-3.0", load(policy).profiles[use], pki, tmp_path)


def _only_tls10() -> Profile:
    """A server of old: what is recorded as the oldest version of a client shows itself there."""
    old = load("univie-2015").profiles["access"]
    return replace(old, versions=(Item(name="TLSv1.0"),))


@pytest.mark.parametrize("name", [d.id for d in DRIVERS.values() if not d.root])
def test_who_offers_tls10_completes_it_or_is_known_not_to(
    name: str, pki: Pki, tmp_path: Path
) -> None:
    """A server of TLS 1.0 alone gets what is forecast of it, and no more."""
    _agrees(name, "openssl-3.0", _only_tls10(), pki, tmp_path)


@pytest.mark.daemons
@pytest.mark.usefixtures("namespaces")
@pytest.mark.parametrize("name", [d.id for d in DRIVERS.values() if d.root])
def test_what_mail_servers_offer_of_tls10_they_complete_or_are_known_not_to(
    name: str, pki: Pki, tmp_path: Path
) -> None:
    """The same with mail servers that send."""
    _agrees(name, "openssl-3.0", _only_tls10(), pki, tmp_path)


@pytest.mark.parametrize(
    ("library", "policy"),
    [
        ("openssl-3.5", "mailseal-2026"),
        ("gnutls-3.7", "mailseal-2026"),
        ("gnutls-3.7", "mozilla-intermediate-5.7"),  # the same with DHE
    ],
)
@pytest.mark.parametrize("name", FEW)
def test_other_libraries_are_forecast_with_their_habits(
    name: str, library: str, policy: str, pki: Pki, tmp_path: Path
) -> None:
    """The same on an OpenSSL with hybrid groups and on GnuTLS."""
    _agrees(name, library, load(policy).profiles["access"], pki, tmp_path)
