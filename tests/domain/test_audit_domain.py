"""`mailseal audit` of an inventory that names mail domains, on real name servers."""

import json
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lab.zones import Zone
from tests.commands import BIN, ROOT
from tests.daemons.cell import inside
from tests.domain.world import RESOLVER, Authority, Keys, World, world

pytestmark = [pytest.mark.daemons, pytest.mark.usefixtures("namespaces")]

OURS, BACKUP, WRONG = 10, 11, 12  # addresses: of the inventory, of somebody else, of the inventory
DOMAIN_CHECKS = {
    *("MT-MX", "MT-MX-VERIFIED", "MT-DNSSEC", "MT-DNSSEC-VALID", "MT-DNSSEC-EXPIRY"),
    *("MT-MTA-STS", "MT-MTA-STS-MX", "MT-MTA-STS-CERT", "MT-TLSRPT"),
}
SERVER_CHECKS = {"MT-MX-NAME", "MT-DANE-RECORD"}
ADDRESS_CHECKS = {"MT-DANE", "MT-PTR", "MT-BANNER"}
_RPT = '_smtp._tls 60 TXT "v=TLSRPTv1; rua=mailto:tls@own.test"\n'


def _tlsa(name: str, keys: Keys) -> str:
    return "".join(f"_25._tcp.{name} 60 TLSA {record}\n" for record in keys.tlsa)


class Cluster:
    """Three servers, two domains, and inventories of them.

    Attributes:
        folder: where inventories, histories and reports go.
    """

    def __init__(self, folder: Path, up: World, ca: Path) -> None:
        self.folder, self._up, self._ca = folder, up, ca

    def inventory(
        self,
        domains: list[str],
        *hosts: str,
        resolver: str = RESOLVER,
        **more: Any,
    ) -> Path:
        """Of `mx1` and `mx2`, which take mail, and `imap1`, which takes none, those named."""

        def host(number: int, name: str, port: int, service: str, profile: str) -> dict[str, Any]:
            row = {"port": port, "service": service, "mode": "starttls", "profile": profile}
            return {
                "mailseal_addresses": [f"192.0.2.{number}"],
                "mailseal_server_name": name,
                "mailseal_endpoints": [row],
            }

        known = {
            "mx1": host(OURS, "mx.own.test", 25, "smtp", "mx"),
            "mx2": host(WRONG, "mx.wrong.test", 25, "smtp", "mx"),
            "imap1": host(OURS, "mx.own.test", 143, "imap", "access"),
        }
        common = {
            "mailseal_domains": domains,
            "mailseal_audit_resolver": resolver,
            "mailseal_closed_ports": False,
            "mailseal_ca_file": str(self._ca),
            "mailseal_policy": "rfc9325",
            **more,
        }
        path = self.folder / "hosts.json"
        named = {name: known[name] for name in hosts}
        path.write_text(json.dumps({"all": {"hosts": named, "vars": common}}))
        return path

    def audit(self, inventory: Path, *words: str, limit: str = "") -> tuple[int, str, str]:
        """One night from inside the namespace: exit code, output, complaints."""
        command = [str(BIN / "mailseal"), "audit", "-i", str(inventory), *words]
        command += ["--limit", limit] if limit else []
        with inside(self._up.netns):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Path]]:
    authority = Authority(Path(tmp_path_factory.mktemp("keys")))
    names = {OURS: "mx.own.test", BACKUP: "backup.else.test", WRONG: "mx.wrong.test"}
    keys = {number: authority.keys(name) for number, name in names.items()}
    zones = [
        Zone(
            "own.test.",
            f"@ 60 MX 10 mx\n@ 60 MX 20 backup.else.test.\nmx 60 A 192.0.2.{OURS}\n"
            + _tlsa("mx", keys[OURS])
            + _RPT,
        ),
        Zone("else.test.", f"backup 60 A 192.0.2.{BACKUP}\n" + _tlsa("backup", keys[BACKUP])),
        Zone(
            "wrong.test.",
            f"@ 60 MX 10 mx\nmx 60 A 192.0.2.{WRONG}\n" + _tlsa("mx", keys[OURS]) + _RPT,
        ),
        Zone(
            "2.0.192.in-addr.arpa.",
            "".join(f"{number} 60 PTR {name}.\n" for number, name in names.items()),
            signing="no",
        ),
    ]
    with world(Path(tmp_path_factory.mktemp("world")) / "cell", zones) as found:
        for number, name in names.items():
            found.mail(number, name, keys[number])
        yield found, authority.file


@pytest.fixture
def cluster(up: tuple[World, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    monkeypatch.setenv("MAILSEAL_HISTORY", str(tmp_path / "history.db"))
    return Cluster(tmp_path, *up)


def _places(document: Mapping[str, Any]) -> dict[tuple[str, str], set[str]]:
    """The checks of mail domains by where they were made."""
    every = DOMAIN_CHECKS | SERVER_CHECKS | ADDRESS_CHECKS
    found: dict[tuple[str, str], set[str]] = {}
    for f in document["findings"]:
        if f["check"] in every:
            found.setdefault((f["host"], f["address"]), set()).add(f["check"])
    return found


def test_a_night_judges_the_domain_and_asks_no_server_twice(cluster: Cluster) -> None:
    """Every check once; of the inventory's own server what was seen anyway counts."""
    whole = cluster.inventory(["own.test"], "mx1")
    seen = cluster.folder / "facts.json"
    words = ("--json", "--report", f"json-scan={seen}")
    code, out, err = cluster.audit(whole, *words)
    document = json.loads(out)
    told = [f["observed"] for f in document["findings"] if f["verdict"] != "pass"]
    assert code == 0, f"{err}\n{told}"
    assert document["planned"] == document["executed"]
    assert _places(document) == {
        ("own.test", ""): DOMAIN_CHECKS,
        ("mx.own.test", ""): SERVER_CHECKS,
        ("mx.own.test", f"192.0.2.{OURS}"): ADDRESS_CHECKS,
        ("backup.else.test", ""): SERVER_CHECKS,
        ("backup.else.test", f"192.0.2.{BACKUP}"): ADDRESS_CHECKS,
    }
    facts = json.loads(seen.read_text())
    asked = {(e["host"], e["address"]): e["connections"] for e in facts["endpoints"]}
    assert set(asked) == {("mx1", f"192.0.2.{OURS}"), ("backup.else.test", f"192.0.2.{BACKUP}")}
    _, out, _ = cluster.audit(cluster.inventory([], "mx1"), *words)
    alone = json.loads(seen.read_text())["endpoints"]
    assert [e["connections"] for e in alone] == [asked["mx1", f"192.0.2.{OURS}"]]
    assert not _places(json.loads(out))


def test_of_a_part_only_what_it_serves_is_judged(cluster: Cluster) -> None:
    """Neither the other server of the domain nor what is published of it; of no server nothing."""
    known = ("mx1", "mx2", "imap1")
    code, out, _ = cluster.audit(cluster.inventory(["own.test"], *known), "--json", limit="mx1")
    assert code == 0, out
    assert _places(json.loads(out)) == {
        ("mx.own.test", f"192.0.2.{OURS}"): {"MT-DANE", "MT-BANNER"}
    }
    broken = cluster.inventory(["own.test"], *known, resolver=f"{RESOLVER}:5999")
    _, out, _ = cluster.audit(broken, "--json", limit="imap1")
    assert not _places(json.loads(out))


@pytest.mark.parametrize("limit", ["", "mx1"])
def test_a_resolver_that_is_down_is_never_fine(cluster: Cluster, limit: str) -> None:
    """Nor is a part that may take the domain's mail."""
    broken = cluster.inventory(["own.test"], "mx1", resolver=f"{RESOLVER}:5999")
    code, out, _ = cluster.audit(broken, "--json", limit=limit)
    found = [f for f in json.loads(out)["findings"] if f["host"] == "own.test"]
    assert code == 3
    assert {f["verdict"] for f in found} == {"inconclusive"}
    assert {f["check"] for f in found} == ({"MT-MX"} if limit else DOMAIN_CHECKS)
    assert "192.0.2.1:5999 does not answer" in found[0]["observed"]


def test_a_domain_that_is_gone_fails(cluster: Cluster) -> None:
    """In an inventory it is no slip of the hand: no mail arrives."""
    code, out, _ = cluster.audit(cluster.inventory(["gone.test"], "mx1"), "--json")
    found = {f["check"]: f for f in json.loads(out)["findings"] if f["host"] == "gone.test"}
    assert code == 1, found["MT-MX"]["observed"]
    assert found["MT-MX"]["verdict"] == "fail"
    assert "no mail arrives" in found["MT-MX"]["observed"]


def test_what_fails_is_in_every_report_and_can_be_waived(cluster: Cluster) -> None:
    """By the name of the server, or of the domain; and the next night only that has changed."""
    forms = ("junit", "sarif", "prometheus", "html", "oscal")
    form = {name: cluster.folder / name for name in forms}
    reports = [word for name, path in form.items() for word in ("--report", f"{name}={path}")]
    domains = ["wrong.test", "OWN.test."]
    code, out, err = cluster.audit(cluster.inventory(domains, "mx1", "mx2"), *reports)
    assert code == 1, err
    failing = out[out.index("Failed\n") :]
    assert "mx.wrong.test [192.0.2.12]:25 smtp\n  MT-DANE  " in failing
    suites = {s.get("name"): s for s in ET.parse(form["junit"]).getroot()}  # noqa: S314
    names = {c.get("classname") for c in suites["own.test"].iter("testcase")}
    assert names == {"mailseal.own.test.domain"}
    results = json.loads(form["sarif"].read_text())["runs"][0]["results"]
    where = {r["locations"][0]["logicalLocations"][0]["kind"] for r in results}
    assert "domain" in where
    status = [s for s in form["prometheus"].read_text().splitlines() if 'MT-DANE"' in s]
    assert any('host="mx.wrong.test"' in s and s.endswith(" 1.0") for s in status), status
    page = form["html"].read_text()
    assert '<h2 id="domains">Mail domains</h2>' in page
    assert "<dt>MX</dt><dd>10 mx.own.test [192.0.2.10]<br>20 backup.else.test" in page
    assert "MT-DANE on mx.wrong.test" in form["oscal"].read_text()

    until = (datetime.now(tz=UTC) + timedelta(days=30)).date().isoformat()
    waiver = {"check": "MT-DANE", "hosts": "mx.wrong.test", "reason": "r", "owner": "o"}
    rows = [waiver | {"expires": until}]
    code, out, err = cluster.audit(cluster.inventory(domains, "mx1", "mx2", mailseal_waivers=rows))
    assert code == 0, out + err
    diff = [str(BIN / "mailseal"), "diff", "--json"]
    done = subprocess.run(diff, capture_output=True, text=True, check=False)
    changed = json.loads(done.stdout)
    assert [(c["kind"], c["after"]["host"]) for c in changed["changes"]] == [
        ("waived", "mx.wrong.test")
    ]
    assert changed["drift"] == []


def test_the_checks_are_pytest_tests_as_well(cluster: Cluster, up: tuple[World, Path]) -> None:
    """Each under the name of its domain or server."""
    inventory = cluster.inventory(["wrong.test"], "mx2")
    words = ["-q", "audit/checks", "-rA", f"--ansible-inventory={inventory}", "--tb=no"]
    with inside(up[0].netns):
        done = subprocess.run(
            [str(BIN / "pytest"), *words, "-k", "MT-DANE or MT-TLSRPT"],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
        )
    assert done.returncode == 1, done.stdout
    told = set(done.stdout.splitlines())
    at = "audit/checks/test_findings.py::test_check"
    assert f"PASSED {at}[wrong.test-MT-TLSRPT-rfc9325]" in told
    assert f"PASSED {at}[mx.wrong.test-25-MT-DANE-RECORD-rfc9325]" in told
    assert any(
        s.startswith(f"FAILED {at}[mx.wrong.test-192.0.2.12-25-MT-DANE-rfc9325]") for s in told
    )


@pytest.mark.parametrize(
    ("domains", "resolver", "words"),
    [
        (["192.0.2.1"], RESOLVER, "host mx1: mailseal_domains: '192.0.2.1' is no mail domain"),
        (["own.test"], "ns.test", "host mx1: mailseal_audit_resolver: 'ns.test' is not ADDRESS"),
    ],
)
def test_what_is_typed_wrong_ends_it_before_it_begins(
    cluster: Cluster, domains: list[str], resolver: str, words: str
) -> None:
    """One sentence with host and variable."""
    code, _, err = cluster.audit(cluster.inventory(domains, "mx1", resolver=resolver))
    assert code == 2
    assert err.startswith(f"mailseal: {words}")
    assert len(err.splitlines()) == 1
