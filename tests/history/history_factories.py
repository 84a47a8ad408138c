"""Runs as the history meets them, and short ways to keep and to read them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from audit.cli import main
from audit.facts import HostFacts, Process
from audit.findings import PolicyId, Run, timestamp
from audit.history.entry import Entry, Series
from audit.history.keep import keeping
from audit.history.place import Place
from audit.history.store import Plan, opened
from tests.report.report_factories import IMAP, MX, make_cluster
from tests.report.report_factories import Place as Port

FIRST = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)
SERIES = Series(inventory="/etc/mailseal/inventory")
POLICY = PolicyId(id="mailseal-2026", version="2026-11-01")
HOSTS: dict[str, tuple[Port, ...]] = {"imap1": IMAP, "imap2": IMAP, "mx1": MX, "mx2": MX}
LIBRARY = "/usr/lib/libssl.so.3"


def cluster(hosts: dict[str, tuple[Port, ...]] = HOSTS) -> Run:
    """Every check passed on every host, by one policy."""
    run = make_cluster(hosts)
    findings = tuple(replace(f, policy=POLICY.id) for f in run.findings)
    inside = tuple(_host(name) for name in hosts)
    return replace(run, findings=findings, hosts=inside, policy=POLICY, policies=(POLICY,))


def _host(name: str) -> HostFacts:
    return HostFacts(
        host=name,
        reached=True,
        processes=(Process(412, "cyrus", "imapd", 1.0, {LIBRARY: False}, digests={LIBRARY: "aa"}),),
        options={"cyrus": {"tls_versions": "tls1_2 tls1_3"}},
        versions={LIBRARY: "OpenSSL 3.0.20"},
        system="debian 12",
    )


def at(night: int) -> datetime:
    """Three in the morning of a night."""
    return FIRST + timedelta(days=night)


def plan(when: datetime, series: Series = SERIES, planned: int = 1) -> Plan:
    """What is known before the look."""
    return Plan(
        run=f"{when:%Y%m%dT%H%M%SZ}",
        series=series,
        policies=POLICY.id,
        editions=POLICY.version,
        started=timestamp(when),
        planned=planned,
    )


def dated(run: Run, when: datetime) -> Run:
    """The same run at another time."""
    return replace(
        run,
        run=f"{when:%Y%m%dT%H%M%SZ}",
        started=timestamp(when),
        finished=timestamp(when + timedelta(seconds=90)),
    )


def keep(
    place: Place, run: Run, when: datetime, series: Series = SERIES, days: int | None = None
) -> Run:
    """Keep a run as an audit does; the run with the id and the notices that it got."""
    with keeping(place, plan(when, series, run.planned)) as kept:
        run, _ = kept.placed(dated(run, when))
        kept.finish(run, days)
    assert kept.trouble == ""
    return run


def entries(place: Place) -> list[Entry]:
    """What is kept."""
    with opened(place) as store:
        return store.entries()


def told(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    """The exit code of a command, and the JSON that it printed."""
    code = main([*words, "--json"])
    said = capfd.readouterr()
    assert said.err == ""
    return code, json.loads(said.out)
