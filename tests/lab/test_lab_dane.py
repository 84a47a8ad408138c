"""What becomes of mails to the world outside, and what looking at its domains finds: the matrix."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from lab import deliver, paths, world
from tests.commands import BIN, Lab

pytestmark = pytest.mark.lab

CASES = world.load().cases


@pytest.fixture(scope="module")
def matrix(hardened: Lab) -> tuple[int, dict[str, dict[str, Any]]]:
    """Exit code and cases of one run."""
    done = hardened("deliver", "--json")
    assert done.stdout, done.stderr
    return done.returncode, {case["case"]: case for case in json.loads(done.stdout)["cases"]}


@pytest.mark.parametrize("name", CASES)
def test_each_domain_is_treated_as_expected(
    matrix: tuple[int, dict[str, dict[str, Any]]], name: str
) -> None:
    """The sender, the receiver, the wire and the look at the domain all say what the table says."""
    case = matrix[1][name]
    assert case["differences"] == [], case["got"]
    if case["got"]["delivery"] != "delivered":
        assert (case["got"]["arrival"], case["got"]["clear"]) == ("none", False)


def test_the_command_ends_with_0_and_leaves_nothing(
    matrix: tuple[int, dict[str, dict[str, Any]]], hardened: Lab
) -> None:
    """No mail in the sender's queue, nothing that would keep it from trying again."""
    assert matrix[0] == 0
    assert set(matrix[1]) == set(CASES)
    assert hardened("ssh", "msa1", "exim4 -bpc").stdout == "0\n"


@pytest.mark.parametrize(
    ("domain", "code"),
    [("good", 0), ("unsigned", 1), ("bogus", 1), ("mismatched", 1), ("nostarttls", 1)],
)
def test_a_look_from_the_hub_has_the_right_exit_code(hardened: Lab, domain: str, code: int) -> None:
    """As a postmaster types it, with the system's resolver."""
    words = ["scan", "--domain", f"{domain}.test", "--ca", str(paths.world_ca()), "--quick"]
    done = hardened("run", "--", str(BIN / "mailseal"), *words, "--policy", "rfc9325")
    assert done.returncode == code, done.stdout + done.stderr
    assert f"{domain}.test" in done.stdout


@pytest.fixture
def careless(hardened: Lab) -> Iterator[Lab]:
    """The sender does no DANE."""
    change = "sed -i 's/hosts_try_dane = .*/hosts_try_dane = {}/' /etc/exim4/exim4.conf"
    assert hardened("ssh", "msa1", change.format("")).returncode == 0
    yield hardened
    assert hardened("ssh", "msa1", change.format("*")).returncode == 0


def test_a_sender_without_dane_is_noticed(careless: Lab) -> None:
    """It delivers what it must not, and the command says so and ends with 1."""
    done = careless("deliver", "--case", "mismatched", "--case", "nostarttls", "--case", "good")
    assert done.returncode == 1
    assert "delivered and not deferred" in done.stdout
    assert "seen in clear on the wire" in done.stdout
    assert "no 'CV=dane' in the sender's log" in done.stdout
    assert done.stdout.endswith("3 cases, 3 otherwise\n")


@pytest.mark.usefixtures("hardened")
def test_a_wrong_expectation_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a domain where all is well."""
    known = world.load()
    good = known.cases["good"]
    expected = replace(good.expected, delivery="deferred", arrival="none", failed=("MT-DANE",))
    wrong = replace(known, cases={**known.cases, "good": replace(good, expected=expected)})
    monkeypatch.setattr(world, "load", lambda: wrong)
    (row,) = deliver.deliver(("good",))
    assert row.differences == (
        "delivered and not deferred",
        "arrival tls and not none",
        "scan --domain does not find MT-DANE",
    )


def test_wrong_usage_is_one_sentence(hardened: Lab) -> None:
    """A case that there is not."""
    done = hardened("deliver", "--case", "nothing")
    assert done.returncode == 2
    assert done.stderr.startswith("mailseal: there is no case 'nothing'")


_UPDATE = """
import sys, dns.query, dns.rcode, dns.tsig, dns.tsigkeyring, dns.update
path, zone, at = sys.argv[1:]
key = dns.tsig.Key("mailseal", open(path).read().split('secret "')[1].split('"')[0])
update = dns.update.Update(zone, keyring={key.name: key})
update.replace("update-of-a-test", 60, "TXT", "there")
try:
    print(dns.rcode.to_text(dns.query.tcp(update, at, port=5300, timeout=10).rcode()))
except dns.tsig.PeerError as error:
    print(type(error).__name__)
"""


def _updated(lab: Lab, key: str, zone: str, at: str) -> str:
    python = str(BIN / "python")
    return lab("run", "--", python, "-c", _UPDATE, key, zone, at).stdout.strip()


@pytest.mark.parametrize("at", ["10.80.0.2", "fd00:80::2"])
def test_the_zone_of_the_lab_takes_updates_and_signs_them(up: Lab, at: str) -> None:
    """In both families, with the key; what is new validates."""
    assert _updated(up, str(paths.tsig()), "lab.test", at) == "NOERROR"
    found = up("ssh", "imap1", "dig +dnssec @10.80.0.2 update-of-a-test.lab.test TXT").stdout
    assert '"there"' in found
    assert any(line.startswith(";; flags:") and " ad" in line for line in found.splitlines())


def test_updates_with_another_key_or_of_another_zone_are_refused(
    up: Lab, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The world outside is as it was made."""
    other = tmp_path_factory.mktemp("tsig") / "key"
    other.write_text('key "mailseal" { algorithm hmac-sha256; secret "AAAA"; };')
    assert _updated(up, str(other), "lab.test", "10.80.0.2") == "PeerBadSignature"
    assert _updated(up, str(paths.tsig()), "good.test", "10.80.0.2") in {"PeerBadKey", "REFUSED"}
