"""Fifteen nights, on each of which something else happens."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from audit.facts import EndpointFacts, HostFacts
from audit.findings import Finding, Run, Waiver
from audit.history.place import Place
from tests.history.history_factories import HOSTS, LIBRARY, at, cluster, keep, told
from tests.report.report_factories import MX, TLS12, WEAK, make_certificate

Chosen = Callable[[Finding], bool]
WAIVER = Waiver(check="MT-TLS10", reason="old", owner="postmaster", expires=date(2026, 12, 5))


def on(host: str, check: str, address: str = "") -> Chosen:
    """The findings of a check on a host, on all addresses or some."""
    return lambda f: (f.host, f.check) == (host, check) and address in f.address


def say(run: Run, which: Chosen, **changes: Any) -> Run:
    """The same run with other findings."""
    return replace(
        run, findings=tuple(replace(f, **changes) if which(f) else f for f in run.findings)
    )


def drop(run: Run, which: Chosen) -> Run:
    """Without some findings."""
    kept = tuple(f for f in run.findings if not which(f))
    return replace(run, findings=kept, planned=len(kept))


def show(run: Run, host: str, change: Callable[[EndpointFacts], EndpointFacts]) -> Run:
    """With other facts on every endpoint of a host."""
    seen = tuple(change(e) if e.endpoint.host == host else e for e in run.endpoints)
    return replace(run, endpoints=seen)


def tell(run: Run, host: str, change: Callable[[HostFacts], HostFacts]) -> Run:
    """With other facts about a host."""
    return replace(run, hosts=tuple(change(h) if h.host == host else h for h in run.hosts))


def grown() -> Run:
    """With a host more than before."""
    return cluster({**HOSTS, "mx3": MX})


def _new_certificate(facts: EndpointFacts) -> EndpointFacts:
    first, *others = facts.chains
    leaf = make_certificate(fingerprint="ee" * 32, subject=first[0].subject)
    return replace(facts, chains=((leaf, *first[1:]), *others))


def _with_weak(facts: EndpointFacts) -> EndpointFacts:
    return replace(facts, suites={**facts.suites, "TLSv1.2": (*TLS12, WEAK)})


def _turned(facts: EndpointFacts) -> EndpointFacts:
    return replace(facts, suites={**facts.suites, "TLSv1.2": tuple(reversed(TLS12))})


def _new_library(facts: HostFacts) -> HostFacts:
    one = facts.processes[0]
    # Another number and one process more: neither is a change.
    processes = [replace(one, pid=n, digests={LIBRARY: "bb"}) for n in (7, 8)]
    versions = {LIBRARY: "OpenSSL 3.0.22"}
    return replace(facts, processes=tuple(processes), versions=versions)


def _new_setting(facts: HostFacts) -> HostFacts:
    options = {**facts.options["cyrus"], "tls_versions": "tls1_0", "allowplaintext": "yes"}
    return replace(facts, options={"cyrus": options})


def _other_place(facts: EndpointFacts) -> EndpointFacts:
    """What a run shows besides: nothing that is compared."""
    return replace(facts, seconds=facts.seconds + 1, connections=facts.connections + 2)


Night = tuple[Callable[[Run], Run], int, Mapping[tuple[str, str, str], int], set[tuple[str, ...]]]
# What happens; the exit code; how often which (kind, host, check), * for every check of a host
# that there is; which (host, what, name) are drift.
NIGHTS: dict[str, Night] = {
    "nothing": (lambda r: r, 0, {}, set()),
    "a failure": (
        lambda r: say(r, on("mx1", "MT-TLS10", "10."), verdict="fail", observed="accepted"),
        1,
        {("new", "mx1", "MT-TLS10"): 1},
        set(),
    ),
    "a doubt": (
        lambda r: say(r, on("mx1", "MT-TLS10", "fd"), verdict="inconclusive", observed="421"),
        3,
        {("new", "mx1", "MT-TLS10"): 1},
        set(),
    ),
    "the doubt is gone, and a waiver for the failure": (
        lambda r: say(
            say(r, on("mx1", "MT-TLS10", "fd"), verdict="pass", observed="as expected"),
            on("mx1", "MT-TLS10", "10."),
            verdict="waived",
            waiver=WAIVER,
        ),
        0,
        {("fixed", "mx1", "MT-TLS10"): 1, ("waived", "mx1", "MT-TLS10"): 1},
        set(),
    ),
    "the waiver has expired": (
        lambda r: say(r, on("mx1", "MT-TLS10", "10."), verdict="fail", waiver=None),
        1,
        {("new", "mx1", "MT-TLS10"): 1},
        set(),
    ),
    "the failure is mended": (
        lambda r: say(r, on("mx1", "MT-TLS10"), verdict="pass", observed="as expected"),
        0,
        {("fixed", "mx1", "MT-TLS10"): 1},
        set(),
    ),
    "checks are lost": (
        lambda r: drop(r, on("imap2", "MT-CURVES")),
        1,
        {("lost", "imap2", "MT-CURVES"): 10},
        set(),
    ),
    "they are back": (
        lambda _: cluster(),
        0,
        {("added", "imap2", "MT-CURVES"): 10},
        set(),
    ),
    "a host is added": (lambda _: grown(), 0, {("added", "mx3", "*"): 1}, set()),
    "a certificate is another": (
        lambda r: show(r, "mx1", _new_certificate),
        0,
        {},
        {("mx1", "certificate", "ecdsa")},
    ),
    "a suite more, and its failure": (
        lambda r: say(
            show(r, "mx2", _with_weak),
            on("mx2", "MT-CIPHER-SET"),
            verdict="fail",
            observed=f"TLSv1.2 accepts {WEAK}",
        ),
        1,
        {("new", "mx2", "MT-CIPHER-SET"): 2},
        {("mx2", "suites", "TLSv1.2")},
    ),
    "without it, in another order": (
        lambda r: say(
            show(r, "mx2", _turned),
            on("mx2", "MT-CIPHER-SET"),
            verdict="pass",
            observed="as expected",
        ),
        0,
        {("fixed", "mx2", "MT-CIPHER-SET"): 2},
        {("mx2", "suites", "TLSv1.2"), ("mx2", "order", "TLSv1.2")},
    ),
    "a library is another": (
        lambda r: tell(r, "imap1", _new_library),
        0,
        {},
        {("imap1", "library", LIBRARY), ("imap1", "library", f"version of {LIBRARY}")},
    ),
    "settings are others, and a pass has other words": (
        lambda r: say(
            tell(r, "imap1", _new_setting),
            on("imap1", "MT-CERT-KEY", "10."),
            observed="phase-out until 2028-12-31: RSA with 2048 bits",
        ),
        0,
        {("changed", "imap1", "MT-CERT-KEY"): 5},
        {
            ("imap1", "setting", "cyrus tls_versions"),
            ("imap1", "setting", "cyrus allowplaintext"),
        },
    ),
    "a host is gone": (
        lambda r: replace(
            drop(r, lambda f: f.host == "mx3"),
            endpoints=tuple(e for e in r.endpoints if e.endpoint.host != "mx3"),
            hosts=tuple(h for h in r.hosts if h.host != "mx3"),
        ),
        1,
        {("lost", "mx3", "*"): 1},
        set(),
    ),
}


def _counted(changes: list[dict[str, Any]], whole: set[str]) -> dict[tuple[str, str, str], int]:
    found: dict[tuple[str, str, str], int] = {}
    for change in changes:
        finding = change["after"] or change["before"]
        host = finding["host"]
        key = (change["kind"], host, "*" if host in whole else finding["check"])
        found[key] = 1 if host in whole else found.get(key, 0) + 1
    return found


def test_each_night_has_exactly_its_changes(
    there: Place, where: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Verdicts, checks, hosts, facts: what happened is told, with its exit code, and no more."""
    run = cluster()
    keep(there, run, at(0))
    assert len(NIGHTS) == 15
    for night, (name, (happens, code, changes, drift)) in enumerate(NIGHTS.items(), 1):
        before, run = run, happens(run)
        run = replace(run, endpoints=tuple(map(_other_place, run.endpoints)))
        keep(there, run, at(night))
        ended, document = told(capfd, "diff", "--history", where)
        whole = {host for _, host, check in changes if check == "*"}
        assert (name, ended) == (name, code)
        assert (name, _counted(document["changes"], whole)) == (name, dict(changes))
        seen = {(d["host"], d["what"], d["name"]) for d in document["drift"]}
        assert (name, seen) == (name, drift)
        assert document["after"]["run"] == f"{at(night):%Y%m%dT%H%M%SZ}"
        for host in whole:
            mine = [f for f in (*before.findings, *run.findings) if f.host == host]
            assert len(document["changes"]) == len(mine)
    ended, document = told(capfd, "history", "--history", where)
    assert (ended, len(document["runs"])) == (0, 16)
    assert all(r["complete"] for r in document["runs"])
