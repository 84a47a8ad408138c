"""`mailseal scan --domain`, as it is typed, on real name servers and a validating resolver."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from audit.cli import main
from tests.daemons.cell import inside
from tests.domain.world import RESOLVER, Authority, Keys, World, world
from tests.domain.zones import Zone

pytestmark = [pytest.mark.daemons, pytest.mark.usefixtures("namespaces")]

SCHEMA = Path(__file__).parent.parent.parent / "docs" / "schema" / "scan-1.json"
_RPT = '_smtp._tls 60 TXT "v=TLSRPTv1; rua=mailto:tls@good.test"\n'
_STS = '_mta-sts 60 TXT "v=STSv1; id=20261129"\n'
_POLICY = "version: STSv1\r\nmode: {mode}\r\nmx: {mx}\r\nmax_age: 604800\r\n"
_WEB = 9  # the address of policy hosts that say what they should; theirs of the others follow


def _tlsa(*records: str) -> str:
    return "".join(f"_25._tcp.mx 60 TLSA {record}\n" for record in records)


def _mx(number: int) -> str:
    return f"@ 60 MX 10 mx\nmx 60 A 192.0.2.{number}\n"


def _http(body: str, head: str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain") -> bytes:
    return f"{head}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


class Made:
    """The world of all cases: its zones, and who serves in it."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder)
        self.other = Authority(folder, "another authority")
        self.zones: list[Zone] = []
        self.servers: list[tuple[int, str, Keys, tuple[Any, ...]]] = []
        self.sites: list[tuple[int, Keys, bytes]] = []
        self._numbers = iter(range(10, 250))
        self._reverse = ""

    def server(self, domain: str, *faults: Any, keys: Keys | None = None) -> tuple[int, Keys]:
        """A mail server, mx of this domain."""
        number, name = next(self._numbers), f"mx.{domain}"
        found = keys or self.authority.keys(name)
        self.servers.append((number, name, found, faults))
        self._reverse += f"{number} 60 PTR {name}.\n"
        return number, found

    def site(self, domain: str, answer: bytes, authority: Authority | None = None) -> str:
        """A policy host; gives its line in the zone."""
        number = next(self._numbers)
        keys = (authority or self.authority).keys(f"mta-sts.{domain}")
        self.sites.append((number, keys, answer))
        return f"{_STS}mta-sts 60 A 192.0.2.{number}\n"

    def zone(self, name: str, lines: str, **how: Any) -> None:
        self.zones.append(Zone(f"{name}.", lines + _RPT, **how))

    def dane(self, name: str, *faults: Any, **how: Any) -> None:
        """A domain with a server that its records vouch for, signed as told."""
        number, keys = self.server(name, *faults)
        self.zone(name, _mx(number) + _tlsa(*keys.tlsa), **how)

    def all(self) -> list[Zone]:
        return [*self.zones, Zone("2.0.192.in-addr.arpa.", self._reverse, signing="no")]


def _make(folder: Path) -> Made:
    made = Made(folder)
    number, keys = made.server("good.test")
    policy = _http(_POLICY.format(mode="enforce", mx="*.good.test"))
    following = "3 1 1 " + "0f" * 32
    made.zone(
        "good.test",
        _mx(number) + _tlsa(*keys.tlsa, following) + made.site("good.test", policy),
    )
    number, _ = made.server("unsigned.test")
    made.zone("unsigned.test", _mx(number), signing="no")
    number, _ = made.server("sts.test")
    policy = _http(_POLICY.format(mode="enforce", mx="mx.sts.test"))
    made.zone("sts.test", _mx(number) + made.site("sts.test", policy), signing="no")
    made.dane("bogus.test", forged=lambda text: text.replace("MX 10", "MX 11"))
    made.dane("expired.test", signing="expired")
    made.dane("ending.test", signing="ending")
    made.dane("island.test", ds=False)
    made.dane("nostarttls.test", "no-starttls")
    made.dane("lame.test", lame=True)
    number, keys = made.server("mismatch.test")
    made.zone("mismatch.test", _mx(number) + _tlsa("3 1 1 " + "ab" * 32))
    number, keys = made.server("onekey.test")
    made.zone("onekey.test", _mx(number) + _tlsa(keys.tlsa[1]))
    number, keys = made.server("usage.test")
    made.zone("usage.test", _mx(number) + _tlsa(f"1 1 1 {keys.rsa}", f"0 1 1 {keys.authority}"))
    number, keys = made.server("anchor.test")
    made.zone("anchor.test", _mx(number) + _tlsa(f"2 1 1 {keys.authority}"))
    number, keys = made.server("wrongname.test", keys=made.authority.keys("mx.elsewhere.test"))
    made.zone("wrongname.test", _mx(number) + _tlsa(f"2 1 1 {keys.authority}"))
    number, keys = made.server("pinned.test", keys=made.other.keys("old.test", days=(-90, -1)))
    made.zone("pinned.test", _mx(number) + _tlsa(*keys.tlsa))
    made.zone("nomx.test", "")
    made.zone("null.test", "@ 60 MX 0 .\n")
    number, keys = made.server("alias.test")
    tlsa = "".join(f"_25._tcp.host 60 TLSA {record}\n" for record in keys.tlsa)
    made.zone("alias.test", f"@ 60 MX 10 mx\nmx 60 CNAME host\nhost 60 A 192.0.2.{number}\n{tlsa}")
    return made


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return _make(Path(tmp_path_factory.mktemp("domains")))


@pytest.fixture(scope="module")
def up(made: Made, tmp_path_factory: pytest.TempPathFactory, namespaces: None) -> Iterator[World]:
    with world(Path(tmp_path_factory.mktemp("world")) / "cell", made.all()) as found:
        for number, name, keys, faults in made.servers:
            found.mail(number, name, keys, *faults)
        for number, keys, answer in made.sites:
            found.web(number, keys, answer)
        yield found


CASES: dict[str, tuple[int, set[str]]] = {
    "good.test": (0, set()),
    "unsigned.test": (1, {"MT-DNSSEC", "MT-MX-VERIFIED"}),
    "sts.test": (1, {"MT-DNSSEC"}),
    "bogus.test": (1, {"MT-DNSSEC-VALID", "MT-MX-VERIFIED"}),
    "expired.test": (1, {"MT-DNSSEC-VALID", "MT-MX-VERIFIED"}),
    "ending.test": (1, {"MT-DNSSEC-EXPIRY"}),
    "island.test": (1, {"MT-DNSSEC", "MT-MX-VERIFIED", "MT-DANE-RECORD"}),
    "nostarttls.test": (1, {"MT-DANE", "MT-STARTTLS-ADV"}),
    "lame.test": (3, set()),
    "mismatch.test": (1, {"MT-DANE"}),
    "onekey.test": (1, {"MT-DANE"}),
    "usage.test": (1, {"MT-DANE-RECORD", "MT-MX-VERIFIED"}),
    "anchor.test": (0, set()),
    "wrongname.test": (1, {"MT-DANE", "MT-CERT-NAME"}),
    "pinned.test": (0, set()),
    "nomx.test": (1, {"MT-MX"}),
    "null.test": (0, set()),
    "alias.test": (1, {"MT-MX-NAME"}),
}


@pytest.mark.parametrize("domain", CASES)
def test_each_domain_gets_its_verdict(
    up: World, made: Made, domain: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The right checks fail and no others, and the exit code says so."""
    words = ["scan", "--domain", domain, "--resolver", RESOLVER, "--ca", str(made.authority.file)]
    with inside(up.netns):
        code = main([*words, "--policy", "rfc9325", "--quick", "--json"])
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, json.loads(SCHEMA.read_bytes()))
    failed = {f["check"] for f in document["findings"] if f["verdict"] == "fail"}
    doubts = [f for f in document["findings"] if f["verdict"] == "inconclusive"]
    told = [f"{f['check']} {f['verdict']}: {f['observed']}" for f in document["findings"]]
    assert (code, failed) == CASES[domain], "\n".join(told)
    assert bool(doubts) == (code == 3) or "nostarttls" in domain, doubts
