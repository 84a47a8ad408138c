"""`mailseal scan --domain`, as it is typed, on real name servers and a validating resolver."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from audit.cli import main
from audit.domain import resolver
from lab.zones import Zone
from tests.daemons.cell import inside
from tests.domain.world import CARELESS, RESOLVER, Authority, Keys, World, world

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
    sites: dict[str, Any] = {
        "moved": {"head": "HTTP/1.1 302 Found\r\nLocation: https://mta-sts.good.test/"},
        "page": {"head": "HTTP/1.1 200 OK\r\nContent-Type: text/html"},
        "large": {"body": "x: y\n" * 20000},
    }
    for name, how in sites.items():
        number, keys = made.server(f"{name}.test")
        site = made.site(f"{name}.test", _http(**{"body": "", **how}))
        made.zone(f"{name}.test", _mx(number) + _tlsa(*keys.tlsa) + site)
    number, keys = made.server("badcert.test")
    site = made.site("badcert.test", _http(""), made.other)
    made.zone("badcert.test", _mx(number) + _tlsa(*keys.tlsa) + site)
    number, _ = made.server("testing.test", keys=made.other.keys("mx.testing.test"))
    policy = _http(_POLICY.format(mode="testing", mx="mail.testing.test"))
    made.zone("testing.test", _mx(number) + made.site("testing.test", policy))
    made.zone("nomx.test", "")
    made.zone("null.test", "@ 60 MX 0 .\n")
    number, keys = made.server("alias.test")
    tlsa = "".join(f"_25._tcp.host 60 TLSA {record}\n" for record in keys.tlsa)
    made.zone("alias.test", f"@ 60 MX 10 mx\nmx 60 CNAME host\nhost 60 A 192.0.2.{number}\n{tlsa}")
    return made


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """A crowded machine is no silent resolver; only a lame zone is waited for in vain."""
    lame = "lame.test" in request.node.name
    monkeypatch.setattr(resolver, "_SECONDS", 2.0 if lame else 30.0)


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
    "moved.test": (1, {"MT-MTA-STS"}),
    "page.test": (1, {"MT-MTA-STS"}),
    "large.test": (1, {"MT-MTA-STS"}),
    "badcert.test": (1, {"MT-MTA-STS"}),
    "testing.test": (
        1,
        {"MT-MX-VERIFIED", "MT-MTA-STS-MX", "MT-MTA-STS-CERT", "MT-CERT-CHAIN"},
    ),
    "nomx.test": (1, {"MT-MX"}),
    "null.test": (0, set()),
    "alias.test": (1, {"MT-MX-NAME"}),
}


def _document(
    up: World, made: Made, capsys: pytest.CaptureFixture[str], domain: str, at: str = RESOLVER
) -> tuple[int, dict[str, Any]]:
    words = ["scan", "--domain", domain, "--resolver", at, "--ca", str(made.authority.file)]
    with inside(up.netns):
        code = main([*words, "--policy", "rfc9325", "--quick", "--json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("domain", CASES)
def test_each_domain_gets_its_verdict(
    up: World, made: Made, domain: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The right checks fail and no others, and the exit code says so."""
    code, document = _document(up, made, capsys, domain)
    jsonschema.validate(document, json.loads(SCHEMA.read_bytes()))
    failed = {f["check"] for f in document["findings"] if f["verdict"] == "fail"}
    doubts = [f for f in document["findings"] if f["verdict"] == "inconclusive"]
    told = [f"{f['check']} {f['verdict']}: {f['observed']}" for f in document["findings"]]
    assert (code, failed) == CASES[domain], "\n".join(told)
    assert bool(doubts) == (code == 3) or "nostarttls" in domain, doubts


@pytest.mark.parametrize("domain", ["good.test", "unsigned.test"])
def test_who_does_not_validate_is_not_believed(
    up: World, made: Made, domain: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither that it is signed nor that it is not; and what to do is said."""
    code, document = _document(up, made, capsys, domain, CARELESS)
    found = {f["check"]: f for f in document["findings"]}
    assert found["MT-DNSSEC"]["verdict"] == found["MT-DNSSEC-VALID"]["verdict"] == "inconclusive"
    assert "--resolver" in found["MT-DNSSEC"]["observed"]
    assert code == 3


def test_nobody_answers(up: World, made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    """Everything that needs DNS is inconclusive, and the sentence names the resolver."""
    code, document = _document(up, made, capsys, "good.test", f"{RESOLVER}:5999")
    assert code == 3
    assert {f["verdict"] for f in document["findings"]} == {"inconclusive"}
    assert (
        "192.0.2.1:5999 does not answer: Connection refused" in document["findings"][0]["observed"]
    )


def test_no_such_domain_is_wrong_usage(
    up: World, made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence that names it."""
    with inside(up.netns):
        assert main(["scan", "--domain", "typo.test", "--resolver", RESOLVER]) == 2
    assert capsys.readouterr().err == "mailseal: typo.test: there is no such domain\n"


def test_the_page_has_the_domain_first_and_its_findings_by_place(
    up: World, made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    """What there is of the domain; its server; then failures, the domain's before the server's."""
    words = ["--resolver", RESOLVER, "--ca", str(made.authority.file), "--policy", "rfc9325"]
    with inside(up.netns):
        main(["scan", "--domain", "island.test", "--domain", "null.test", "--quick", *words])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "island.test"
    labels = {line[2:15].strip(): line[15:] for line in lines[1:6]}
    assert labels["MX"].startswith("10 mx.island.test [192.0.2.")
    assert labels["DNSSEC"] == "signed, without a chain of trust"
    assert labels["MTA-STS"] == "none"
    assert labels["TLS reports"] == "mailto:tls@good.test"
    assert "  MX           takes no mail (null MX)" in lines
    order = ["Failed", "island.test", "mx.island.test:25 smtp"]
    at = [lines.index(line, lines.index("Failed")) for line in order]
    assert at == sorted(at)


def test_findings_are_told_domain_by_domain_and_server_by_server(
    up: World, made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the name servers say of a place, and what it showed itself, stand together."""
    words = ["--resolver", RESOLVER, "--ca", str(made.authority.file), "--policy", "rfc9325"]
    with inside(up.netns):
        main(["scan", "--domain", "good.test", "--domain", "onekey.test", "--json", *words])
    found = json.loads(capsys.readouterr().out)["findings"]
    places = [(f["host"], bool(f["address"])) for f in found if f["host"].endswith(".test")]
    assert list(dict.fromkeys(places)) == [
        ("good.test", False), ("mx.good.test", False), ("mx.good.test", True),
        ("onekey.test", False), ("mx.onekey.test", False), ("mx.onekey.test", True),
    ]  # fmt: skip
    runs = [place for n, place in enumerate(places) if not n or places[n - 1] != place]
    assert len(runs) <= 7  # one certificate for each name is told last


def test_a_host_and_a_domain_are_looked_at_together(
    up: World, made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each place once, whoever named it."""
    words = ["--resolver", RESOLVER, "--ca", str(made.authority.file), "--policy", "rfc9325"]
    with inside(up.netns):
        main(["scan", "192.0.2.10:25", "--domain", "good.test", "--quick", "--json", *words])
    document = json.loads(capsys.readouterr().out)
    assert [e["host"] for e in document["endpoints"]] == ["192.0.2.10", "mx.good.test"]
    assert document["domains"][0]["mta_sts"] == {
        "mode": "enforce", "max_age": 604800, "mx": ["*.good.test"],
    }  # fmt: skip
    answers = {(a["name"], a["kind"]): a for a in document["domains"][0]["answers"]}
    assert answers["good.test", "MX"]["dnssec"] == "secure"
    assert answers["10.2.0.192.in-addr.arpa", "PTR"]["records"] == ["mx.good.test"]
