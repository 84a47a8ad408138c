"""`mailseal dane records` and `publish` as they are typed, with a real Knot and a server."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dns.rdatatype
import dns.zone
import pytest

from audit.cli import main
from audit.domain.nameserver import Nameserver
from audit.errors import MailsealError
from audit.publish import ask
from audit.publish.journal import alone
from audit.publish.model import Place, Records
from audit.targets import nameserver
from tests.daemons.cell import inside
from tests.domain.world import Authority, Keys
from tests.publish.knot import ADDRESS, SECONDARY, ZONE, Knot, knot
from tests.twins import twin

pytestmark = pytest.mark.usefixtures("namespaces")

SERVER = ("192.0.2.2", 25)
PLACE = Place(f"_25._tcp.mx.{ZONE}", "TLSA")
TEXT = Place(f"_smtp._tls.{ZONE}", "TXT")


@dataclass
class Scene:
    """An inventory of one host, its keys, and Knot."""

    made: Knot
    folder: Path
    keys: Keys

    def dane(self, action: str, *words: str, **variables: object) -> int:
        """Run an action on it; with further variables."""
        host: dict[str, Any] = {
            "mailseal_addresses": [SERVER[0]],
            "mailseal_server_name": f"mx.{ZONE}",
            "mailseal_endpoints": [
                {"port": 25, "service": "smtp", "mode": "starttls", "profile": "mx"}
            ],
            "mailseal_certificate_types": ["rsa"],
            "mailseal_domains": [ZONE],
            "mailseal_audit_resolver": ADDRESS,
            "mailseal_dns_server": ADDRESS,
            "mailseal_dns_secondaries": [SECONDARY],
            "mailseal_tsig_key_file": str(self.made.key),
            "mailseal_tlsa_ttl": 30,
            "mailseal_tlsrpt_rua": [f"mailto:tls@{ZONE}"],
            **{f"mailseal_{name}": value for name, value in variables.items()},
        }
        inventory = self.folder / "hosts.json"
        inventory.write_text(json.dumps({"all": {"hosts": {"mx": host}}}), encoding="utf-8")
        state = [] if action == "records" else ["--state", str(self.folder / "state")]
        return main(["dane", action, "-i", str(inventory), *state, *words])


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One for all of them, in their order; this thread is where the server is."""
    folder = Path(tmp_path_factory.mktemp("dane"))
    keys = Authority(folder).keys(f"mx.{ZONE}")
    (folder / "knot").mkdir()
    with (
        knot(folder / "knot") as made,
        inside(made.server.netns),
        twin(keys.pki, "smtp", at=SERVER),
    ):
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                ask.authority(ZONE, nameserver(SECONDARY, "secondary"))
                break
            except MailsealError:
                time.sleep(0.1)
        yield Scene(made, folder, keys)


def tlsa(keys: Keys) -> str:
    """The record for the one key that is served."""
    return f"3 1 1 {keys.rsa}"


def test_records_are_printed_as_a_zone_file(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    """dnspython reads them."""
    assert scene.dane("records") == 0
    head = "@ 60 SOA ns root 1 2 3 4 5\n@ 60 NS ns\nns 60 A 192.0.2.1\n"
    zone = dns.zone.from_text(head + capsys.readouterr().out, f"{ZONE}.", relativize=False)
    found = zone.get_rrset(f"{PLACE.owner}.", dns.rdatatype.TLSA)
    assert found
    assert [one.to_text() for one in found] == [tlsa(scene.keys)]
    assert zone.get_rrset(f"{TEXT.owner}.", dns.rdatatype.TXT)


def test_the_difference_is_published_once(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """A look before says 1 and changes nothing; afterwards it says 0."""
    assert scene.dane("publish", "--dry-run") == 1
    told = capsys.readouterr()
    assert f"+ {PLACE.owner} TLSA {tlsa(scene.keys)}" in told.out
    assert ask.read([PLACE], Nameserver(ADDRESS)) == {PLACE: None}
    assert scene.dane("publish") == 0
    assert "2 record sets changed" in capsys.readouterr().err
    wanted = Records(30, frozenset({tlsa(scene.keys)}))
    for at in (ADDRESS, SECONDARY):
        assert ask.read([PLACE], nameserver(at, "primary")) == {PLACE: wanted}
    assert scene.dane("publish", "--dry-run", "--prune") == 0
    assert scene.dane("publish") == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert scene.made.secret not in told.out + told.err


def test_what_vouches_for_what_is_served_is_not_removed(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    """2 1 1 instead of 3 1 1: both hold, so neither goes without --force."""
    assert scene.dane("publish", "--prune", dane_usages=["2 1 1"]) == 1
    assert "vouches for what is served: it is not removed without --force" in (
        capsys.readouterr().err
    )
    assert scene.dane("publish", "--prune", "--force", dane_usages=["2 1 1"]) == 0
    left = Records(30, frozenset({f"2 1 1 {scene.keys.authority}"}))
    assert ask.read([PLACE], Nameserver(ADDRESS)) == {PLACE: left}


def test_a_policy_is_written_and_not_announced_before_it_is_served(
    scene: Scene, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Its servers are those of the MX records. The resolver here is no real one, so it is asked
    for nothing else."""
    code = scene.dane("records", "--out", str(tmp_path), mta_sts_mode="enforce")
    assert code == 3
    assert f"MX of {ZONE}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variables", "code", "words"),
    [
        ({"addresses": ["192.0.2.99"]}, 3, "not everything that is served could be seen"),
        ({"certificate_types": ["rsa", "ecdsa"]}, 3, "no certificate of type ecdsa was seen"),
        ({"tsig_key_file": "/nonexistent"}, 2, "/nonexistent: cannot be read"),
        ({"tsig_key_file": ""}, 2, "names no mailseal_tsig_key_file"),
        ({"dns_server": ""}, 2, "names no mailseal_dns_server"),
        ({"dns_server": "ns.example"}, 2, "mailseal_dns_server: 'ns.example' is not ADDRESS"),
        ({"dns_server": "192.0.2.1:5399"}, 3, "does not answer: Connection refused"),
        ({"server_name": "mx.example.org"}, 3, "SOA of _25._tcp.mx.example.org, answers REFUSED"),
        ({"dane_usages": ["1 1 1"]}, 2, "mailseal_dane_usages"),
        ({"tlsa_ttl": 0}, 2, "mailseal_tlsa_ttl"),
        ({"endpoints": []}, 2, "has an endpoint of service smtp"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    scene: Scene,
    capsys: pytest.CaptureFixture[str],
    variables: dict[str, object],
    code: int,
    words: str,
) -> None:
    """With its exit code; and nothing is published by halves."""
    before = ask.read([PLACE], Nameserver(ADDRESS))
    assert scene.dane("publish", **variables) == code
    told = capsys.readouterr().err
    assert words in told
    assert "Traceback" not in told
    assert ask.read([PLACE], Nameserver(ADDRESS)) == before


def test_the_next_step_is_said_and_not_made(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a roll-over under way it is the first."""
    assert scene.dane("rollover", "--dry-run") == 0
    assert capsys.readouterr().out == "prepare: make the next keys and certificates\n"
    assert not (scene.folder / "state").exists()


def test_the_next_step_is_said_of_one_that_is_at_work(scene: Scene) -> None:
    """Whoever wants to know how far it is does not wait for its end."""
    with alone(scene.folder / "state", print, 1):
        assert scene.dane("rollover", "--dry-run", "--timeout", "1") == 0
        assert scene.dane("rollover", "--timeout", "1") == 3
