"""Forecasts from the logs of real hosts, and what became of every client under the new policy.

`pytest -s --long tests/lab/test_lab_backtest.py` prints the figures that stand in docs/whatif.md.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.clients.pipes import PIPES
from tests.commands import Lab
from tests.lab.backtest import (
    Met,
    Place,
    Site,
    address,
    exim_on_openssl,
    forecast,
    let_in,
    meet,
    roll_out,
    settle,
)
from tests.whatif.truth import Key, Sum, mistakes, sums, verdicts

pytestmark = [pytest.mark.lab, pytest.mark.long("rolls out four changes in three states each")]

OLD, NEW = "univie-2015", "mailseal-2026"
BEFORE, TLS12 = (str(Path(__file__).parent / name) for name in ("before.yaml", "tls12.yaml"))
_ON_OPENSSL = (
    Place("mx", "mx1", "10.80.0.11", 25, "smtp"),
    Place("submission", "msa1", "10.80.0.21", 465, "tls"),
    Place("submission", "msa1", "10.80.0.21", 587, "smtp"),
    Place("access", "imap1", "10.80.0.31", 993, "tls"),
)
SITES = {
    "OpenSSL": Site(OLD, NEW, "openssl-3.0", _ON_OPENSSL),
    "GnuTLS": Site(BEFORE, NEW, "gnutls-3.7", (Place("mx", "mx2", "10.80.0.12", 25, "smtp"),)),
    # The client's order, and DHE: the one change after which a prime decides.
    "DHE": Site(OLD, "mozilla-intermediate-5.7", "openssl-3.0", (
        Place("access", "imap2", "10.80.0.32", 993, "tls"),
    )),
    # Groups and signatures stay, which a log of OpenSSL does not name.
    "suites": Site(TLS12, NEW, "openssl-3.0", _ON_OPENSSL),
}  # fmt: skip
# A host has one policy at a time.
ROUNDS = (("suites",), ("OpenSSL", "GnuTLS", "DHE"))
# From what a forecast is made: the state that was logged, and whether the hellos were captured.
EVIDENCE = {
    "log": ("before", False),
    "log and hellos": ("before", True),
    "log of the shadow": ("shadow", False),
    "both of the shadow": ("shadow", True),
}
# Without P-256 they mind the ECDSA certificate that GnuTLS gives them; TLS 1.3 with P-521 alone.
HURT = {
    "GnuTLS": ("tls12-p384", "tls12-p521-p384", "tls13-p521-alone"),
    "suites": ("tls13-p521-alone",),
}
# What may stay open, of each kind of traffic. Where groups or signatures go, a log of OpenSSL alone
# leaves most.
OPEN = {
    ("OpenSSL", "log and hellos"): 1,
    ("OpenSSL", "both of the shadow"): 0,
    ("GnuTLS", "log and hellos"): 3,
    ("GnuTLS", "log of the shadow"): 0,
    ("GnuTLS", "both of the shadow"): 0,
    ("DHE", "log and hellos"): 1,
    ("DHE", "both of the shadow"): 1,
    ("suites", "log and hellos"): 0,
    ("suites", "log of the shadow"): 0,
    ("suites", "both of the shadow"): 0,
}


@dataclass
class Tried:
    """What happened, site by site and state by state, and why a client could not be started."""

    met: dict[tuple[str, str], Met] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    documents: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def sums(self, site: str, evidence: str) -> dict[str, Sum]:
        """A forecast beside the truth."""
        before = self.met[site, EVIDENCE[evidence][0]].came
        return sums(self.documents[site, evidence], before, self.met[site, "after"].came)

    def verdicts(self, site: str, evidence: str) -> dict[Key, str]:
        """What is foreseen of each."""
        before = self.met[site, EVIDENCE[evidence][0]].came
        return verdicts(self.documents[site, evidence], before)

    def mistakes(
        self, site: str, evidence: str, document: dict[str, Any] | None = None
    ) -> list[str]:
        """What is wrong with a forecast, or with another one from the same evidence."""
        before = self.met[site, EVIDENCE[evidence][0]].came
        judged = document or self.documents[site, evidence]
        return list(mistakes(judged, before, self.met[site, "after"].came))


@pytest.fixture(scope="module")
def tried(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tried]:
    """Every site in every state, met by every client; and all forecasts."""
    folder = tmp_path_factory.mktemp("backtest")
    lab("down")
    done = lab("up")
    assert done.returncode == 0, done.stderr
    settle()
    for host in ("mx1", "msa1"):
        exim_on_openssl(lab, host)
    found = Tried()
    for names in ROUNDS:
        for state in ("before", "shadow", "after"):
            roll_out([SITES[name] for name in names], state)
            if not found.met:
                for host in ("imap1", "imap2"):
                    let_in(lab, host)
            for name in names:
                where = folder / f"{name}-{state}"
                found.met[name, state] = meet(lab, SITES[name], where, found.missing)
    for name, site in SITES.items():
        for evidence, (state, captured) in EVIDENCE.items():
            met = found.met[name, state]
            more = ["--hellos", str(met.hellos)] if captured else []
            found.documents[name, evidence] = forecast(met.logs, site, state, *more)
    print("\n".join(_table(found)))  # noqa: T201
    yield found
    lab("down")


def _table(tried: Tried) -> Iterator[str]:
    yield f"{len(PIPES) - len(tried.missing)} clients; not here: {tried.missing}"
    yield "| hosts | traffic | seen | from | keep | break | unknown | bounds | broke | likely, so |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for site, evidence in tried.documents:
        for use, one in tried.sums(site, evidence).items():
            yield (
                f"| {site} | {use} | {one.seen} | {evidence} | {one.keep} | {one.broken}"
                f" | {one.unknown} | {one.lower} to {one.upper} | {one.truth}"
                f" | {one.right} of {one.likely} |"
            )


ALL = pytest.mark.parametrize("evidence", EVIDENCE)
AT = pytest.mark.parametrize("site", SITES)


@AT
def test_enough_clients_came(tried: Tried, site: str) -> None:
    """Of 24 kinds at least; some lost TLS, some did not, and nobody was refused for good."""
    for use in {use for use, _ in tried.met[site, "before"].came}:
        came = [ok for (kind, _), ok in tried.met[site, "before"].came.items() if kind == use]
        assert sum(came) >= 24, tried.missing


@AT
def test_the_shadow_hurts_nobody_but_where_it_takes_the_new_before_the_old(
    tried: Tried, site: str
) -> None:
    """A version or a certificate that the client cannot do, although it says it can."""
    shadow = tried.met[site, "shadow"].came
    before = {key for key, came in tried.met[site, "before"].came.items() if came}
    hurt = {where for use, where in before if not shadow[use, where]}
    assert hurt == {address(name) for name in HURT.get(site, ())}


@AT
@ALL
def test_what_was_foreseen_happened(tried: Tried, site: str, evidence: str) -> None:
    """Every keep connects, every break fails, the truth is within the bounds."""
    assert tried.mistakes(site, evidence) == []


@pytest.mark.parametrize(("site", "evidence"), OPEN)
def test_little_stays_open(tried: Tried, site: str, evidence: str) -> None:
    """A prime, a curve that only the client minds, certificates that nobody named."""
    for one in tried.sums(site, evidence).values():
        assert one.unknown <= OPEN[site, evidence]


@pytest.mark.parametrize("site", ["OpenSSL", "DHE"])
def test_what_the_log_of_a_shadow_leaves_open_is_what_no_log_of_openssl_says(
    tried: Tried, site: str
) -> None:
    """A group, a signature, a prime, where the change drops some; versions and suites are known."""
    rows = tried.documents[site, "log of the shadow"]["clients"]
    for row in rows:
        words = ("one of the groups", "a signature", "the server's prime")
        assert row["verdict"] == "break" or any(one in row["evidence"] for one in words), row
    proven = {
        evidence: {c for c, v in tried.verdicts(site, evidence).items() if v == "break"}
        for evidence in ("log", "log of the shadow")
    }
    assert proven["log"] < proven["log of the shadow"]


@AT
def test_the_logs_have_who_came_and_nobody_else(tried: Tried, site: str) -> None:
    """What clients were told is what the hosts wrote, under the new policy too."""
    met = tried.met[site, "after"]
    document = forecast(met.logs, SITES[site], "after")
    assert list(mistakes(document, met.came, met.came)) == []
    assert {row["verdict"] for row in document["clients"]} <= {"unknown"}


def test_each_kind_of_verdict_occurs(tried: Tried) -> None:
    """And each reason to leave one open that a log can give."""
    rows = [row for document in tried.documents.values() for row in document["clients"]]
    for site in SITES:
        assert any(tried.sums(site, e)[use].keep for e in EVIDENCE for use in tried.sums(site, e))
        assert any(tried.sums(site, e)[use].broken for e in EVIDENCE for use in tried.sums(site, e))
    open_ = " ".join(row["evidence"] for row in rows if row["verdict"] == "unknown")
    for reason in ("whether it offers", "one of the groups", "a signature", "the server's prime"):
        assert reason in open_


def _swapped(text: str, one: str, other: str) -> str:
    """A log in which two clients have each other's address."""
    swap = {one: other, other: one}
    return re.sub(r"\d+\.\d+\.\d+\.\d+", lambda found: swap.get(found[0], found[0]), text)


def test_two_clients_that_are_taken_for_each_other_are_noticed(
    tried: Tried, tmp_path: Path
) -> None:
    """A broken log: what is kept breaks, and what breaks is kept."""
    met = tried.met["GnuTLS", "shadow"]
    foreseen = tried.verdicts("GnuTLS", "log of the shadow")
    kept, broken = (next(a for (_, a), v in foreseen.items() if v == w) for w in ("keep", "break"))
    log = tmp_path / "mainlog"
    log.write_text(_swapped(met.logs[0].read_text(encoding="utf-8"), kept, broken))
    wrong = tried.mistakes(
        "GnuTLS", "log of the shadow", forecast([log], SITES["GnuTLS"], "shadow")
    )
    assert {f"('mx', '{broken}') was to be kept, and broke"} <= set(wrong)
    assert {f"('mx', '{kept}') was to break, and came through"} <= set(wrong)


def test_a_wrong_word_about_the_servers_order_is_noticed(tried: Tried) -> None:
    """The log of before, read as if the shadow had been there: too much is taken for proven."""
    document = forecast(tried.met["OpenSSL", "before"].logs, SITES["OpenSSL"], "shadow")
    wrong = tried.mistakes("OpenSSL", "log", document)
    name = address("tls12-chacha-cbc")
    assert f"('access', '{name}') was to break, and came through" in wrong
