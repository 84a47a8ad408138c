"""The recorded clients, and the loader that refuses what is none."""

from pathlib import Path

import pytest

from audit.clients.load import RECORDINGS, clients, offer, read
from audit.errors import MailsealError
from tests.clients.driver import At, Driver, MissingError
from tests.clients.record import hello, recording, running
from tests.clients.relay import relay
from tests.clients.table import DRIVERS

GOOD = (RECORDINGS / "openssl-3.0.yaml").read_text(encoding="utf-8")


def test_every_client_has_a_driver_that_makes_it_again() -> None:
    """And no driver is without its recording."""
    assert {client.id for client in clients()} == set(DRIVERS)


@pytest.mark.parametrize("name", DRIVERS)
def test_a_recording_says_of_its_client_what_its_driver_says(name: str) -> None:
    """Versions apart, which are those of the day."""
    client, driver = next(c for c in clients() if c.id == name), DRIVERS[name]
    assert (client.software, client.uses, client.models) == (
        driver.software,
        driver.uses,
        driver.models,
    )
    assert (client.made, client.oldest) == (driver.made, driver.oldest)


def _again(driver: Driver, folder: Path) -> None:
    client = next(c for c in clients() if c.id == driver.id)
    try:
        now = (driver.version(), driver.library())
        if now != (client.version, client.library):
            pytest.skip(f"recorded of {client.version} {client.library}, here is {' '.join(now)}")
        text = recording(driver, hello(driver, folder), str(client.date))
    except MissingError as error:
        pytest.skip(str(error))
    assert text == (RECORDINGS / f"{driver.id}.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [d.id for d in DRIVERS.values() if not d.root])
def test_recorded_anew_a_client_gives_the_same_file(name: str, tmp_path: Path) -> None:
    """Where the same version is installed: nothing in it is left to chance."""
    _again(DRIVERS[name], tmp_path)


@pytest.mark.daemons
@pytest.mark.usefixtures("namespaces")
@pytest.mark.parametrize("name", [d.id for d in DRIVERS.values() if d.root])
def test_recorded_anew_a_mail_server_gives_the_same_file(name: str, tmp_path: Path) -> None:
    """The same with mail servers that send."""
    _again(DRIVERS[name], tmp_path)


BROKEN = {
    "an unknown field": (GOOD + "colour: green\n", "unknown field"),
    "an unknown use": (GOOD.replace('"mx"', '"fax"'), "fax"),
    "no use at all": (GOOD.replace('["access", "submission", "mx"]', "[]"), "length"),
    "another name": (GOOD.replace('id: "openssl-3.0"', 'id: "openssl-9"'), "is called openssl-9"),
    "a model of nothing": (GOOD.replace('"recorded"', '"modelled"'), "says what it models"),
    "a recording of another": (GOOD + "models: somebody\n", "says what it models"),
    "a hello that is none": (GOOD[: GOOD.index("hello:")] + 'hello: "1501"\n', "hello: "),
    "no hexadecimal": (GOOD[: GOOD.index("hello:")] + "hello: zz\n", "hello: "),
    "half a hello": (GOOD[:-20], "hello: "),
    "no YAML": ("id: [", "not a recorded client"),
    "too much": (GOOD + "#" * (1 << 16), "larger than"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_recording_is_refused(name: str, tmp_path: Path) -> None:
    """With the file and the reason, in one sentence."""
    text, why = BROKEN[name]
    path = tmp_path / "openssl-3.0.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MailsealError, match=why) as refused:
        read(path)
    assert str(path) in str(refused.value)


def test_a_recording_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """Not with a traceback."""
    with pytest.raises(MailsealError, match="not a recorded client"):
        read(tmp_path / "openssl-3.0.yaml")


def test_recorded_clients_are_of_every_kind_that_matters() -> None:
    """Old versions, no ECDHE, no AEAD, hybrid groups, senders as well as people's clients."""
    found = {client.id: offer(client) for client in clients()}
    newest = {one.versions[0] for one in found.values()}
    assert newest == {"TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1.0"}
    shared = {s.name for s in found["tls10-rc4-3des"].suites}
    assert all("RC4" in name or "3DES" in name for name in shared)
    assert not any(s.key_exchange == "ECDHE" for s in found["tls12-dhe"].suites)
    assert found["openssl-3.5"].groups
    assert found["openssl-3.5"].groups[0].name == "X25519MLKEM768"
    senders = [c for c in clients() if c.uses == ("mx",)]
    assert len(senders) >= 4


@pytest.mark.daemons
@pytest.mark.usefixtures("namespaces")
def test_an_exim_that_finds_no_tls_in_common_sends_in_clear(tmp_path: Path) -> None:
    """What "plain" means: it comes again, and hands the mail over without STARTTLS."""
    with (
        relay("smtp", again=True) as place,
        running(DRIVERS["exim-gnutls-3.7"], At(place.port, tmp_path, tmp_path)),
    ):
        assert place.over.wait(60)
    assert "STARTTLS" not in place.clear
    assert "MAIL" in place.clear
