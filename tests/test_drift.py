"""What is drift, and what is none."""

from typing import Any

import pytest
from msgspec.structs import replace

from audit.drift import Drift, drift, remembered
from audit.facts import EndpointFacts, HostFacts, Observation, Process
from tests.report.report_factories import (
    TLS12,
    TLS13,
    WEAK,
    make_certificate,
    make_endpoint_facts,
    make_run,
)

SERVER = make_endpoint_facts()
IMAPD = Process(
    9, "cyrus", "imapd", 1.0, {"/l/libssl.so.3": False}, digests={"/l/libssl.so.3": "a"}
)
HOST = HostFacts(
    host="imap1",
    reached=True,
    processes=(IMAPD,),
    options={"cyrus": {"a": "1", "b": "2"}, "syslog": {"3": "mail.* /m", "7": "kern.* /k"}},
    library_settings={"cyrus": "[tls]\nOptions = A\n# remark\n"},
    reports={"cyrus": "cyrus 3.6"},
    system="debian 12",
)


def _wire(after: EndpointFacts, before: EndpointFacts = SERVER) -> list[tuple[str, str, str, str]]:
    return _short(drift(make_run(endpoints=(before,)), make_run(endpoints=(after,))))


def _inside(after: HostFacts, before: HostFacts = HOST) -> list[tuple[str, str, str, str]]:
    return _short(drift(make_run(hosts=(before,)), make_run(hosts=(after,))))


def _short(found: tuple[Drift, ...]) -> list[tuple[str, str, str, str]]:
    return [(d.what, d.name, d.before, d.after) for d in found]


def test_what_is_as_it_was_has_not_drifted() -> None:
    """Nor has what took longer, said other words or was answered first by another."""
    later = replace(
        SERVER,
        seconds=9.0,
        connections=99,
        errors=("421",),
        protocols=dict(reversed([*SERVER.protocols.items()])),
        chains=SERVER.chains[::-1],
    )
    assert _wire(later) == []
    assert _inside(replace(HOST, errors=("slow",))) == []


def test_a_certificate_is_known_by_its_fingerprint() -> None:
    """The leaf of each kind of key, and what stands above it."""
    (ecdsa, root), rsa = SERVER.chains
    renewed = replace(ecdsa, fingerprint="ab" * 32)
    [(what, name, before, after)] = _wire(replace(SERVER, chains=((renewed, root), rsa)))
    assert (what, name) == ("certificate", "ecdsa")
    assert before.endswith(ecdsa.fingerprint)
    assert after.endswith("ab" * 32)
    above = make_certificate(fingerprint="cd" * 32)
    assert _wire(replace(SERVER, chains=((ecdsa, above), rsa))) == [
        ("chain", "ecdsa", root.fingerprint, "cd" * 32)
    ]


def test_a_suite_more_is_no_other_order() -> None:
    """And another order of the same suites is nothing but that."""
    more = replace(SERVER, suites={**SERVER.suites, "TLSv1.2": (WEAK, *TLS12)})
    assert [d[:2] for d in _wire(more)] == [("suites", "TLSv1.2")]
    turned = replace(SERVER, suites={**SERVER.suites, "TLSv1.3": TLS13[::-1]})
    assert _wire(turned) == [("order", "TLSv1.3", ", ".join(TLS13), ", ".join(TLS13[::-1]))]
    client = replace(SERVER, preference={**SERVER.preference, "TLSv1.3": "client"})
    assert _wire(client) == [("order", "TLSv1.3", ", ".join(TLS13), "the client's")]


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        ({"groups": {"TLSv1.3": ("X25519",)}}, [("groups", "TLSv1.3")]),
        ({"protocols": {"SSLv3": Observation("accepted")}}, [("version", "SSLv3")]),
        ({"compression": Observation("accepted")}, [("behaviour", "compression")]),
        ({"behaviours": {"robot": Observation("accepted")}}, [("behaviour", "robot")]),
        ({"dh_primes": (23,)}, [("primes", "Diffie-Hellman")]),
    ],
)
def test_other_facts_of_the_wire_drift_by_their_names(facts: Any, found: Any) -> None:
    """Each alone, where both runs could tell it."""
    assert [d[:2] for d in _wire(replace(SERVER, **facts))] == found


@pytest.mark.parametrize(
    "facts",
    [
        {"groups": {}},
        {"chains": SERVER.chains[:1]},
        {"suites": {}, "preference": {}},
        {"preference": {"TLSv1.2": "unknown", "TLSv1.3": "unknown"}},
        {"protocols": dict.fromkeys(SERVER.protocols, Observation("inconclusive"))},
        {"dh_primes": None},
        {"plaintext": None},
        {"reach": "no-answer"},
    ],
)
def test_what_could_not_be_told_has_not_changed(facts: Any) -> None:
    """In neither direction: a server in a bad mood did not roll anything out."""
    silent = replace(SERVER, **facts)
    assert _wire(silent) == []
    assert _wire(SERVER, silent) == []


DARK = make_run(
    endpoints=(replace(SERVER, reach="no-answer"),), hosts=(HostFacts("imap1", reached=False),)
)


def test_what_changed_while_it_could_not_be_seen_is_told_afterwards() -> None:
    """A host that came back upgraded from a night away, against the newest that saw it."""
    seen = make_run(endpoints=(SERVER,), hosts=(HOST,))
    older = make_run(endpoints=(SERVER,), hosts=(replace(HOST, system="debian 11"),))
    suites = {**SERVER.suites, "TLSv1.3": TLS13[:1]}
    now = make_run(
        endpoints=(replace(SERVER, suites=suites),), hosts=(replace(HOST, system="debian 13"),)
    )
    assert drift(DARK, now) == ()
    found = _short(drift(remembered(now, DARK, [DARK, seen, older]), now))
    assert ("system", "", "debian 12", "debian 13") in found
    assert ("suites", "TLSv1.3") in [(what, name) for what, name, _, _ in found]
    assert drift(remembered(DARK, DARK, [seen]), DARK) == ()
    assert drift(remembered(now, now, [seen]), now) == ()


def test_no_further_back_is_read_than_needed() -> None:
    """Each earlier run has to be fetched."""
    seen = make_run(endpoints=(SERVER,), hosts=(HOST,))
    earlier = iter([seen, seen])
    remembered(seen, DARK, earlier)
    assert len(list(earlier)) == 1
    earlier = iter([seen, seen])
    remembered(seen, seen, earlier)
    assert len(list(earlier)) == 2


def test_processes_come_and_go() -> None:
    """Their number and numbers are nothing; a program that is not there that night neither."""
    many = tuple(replace(IMAPD, pid=n) for n in (1, 2, 3))
    assert _inside(replace(HOST, processes=many)) == []
    assert _inside(replace(HOST, processes=())) == []
    two = replace(IMAPD, pid=2, digests={"/l/libssl.so.3": "b"})
    assert _inside(replace(HOST, processes=(IMAPD, two))) == [
        ("library", "/l/libssl.so.3", "a", "a, b")
    ]
    elsewhere = replace(IMAPD, libraries={"/opt/libssl.so.3": False}, digests={})
    assert _inside(replace(HOST, processes=(elsewhere,))) == [
        ("library", "mapped by imapd", "/l/libssl.so.3", "/opt/libssl.so.3")
    ]


def test_a_setting_that_is_gone_or_new_is_told() -> None:
    """By daemon and name, with the word that it is not set."""
    options = {"cyrus": {"a": "1", "c": "3"}, "syslog": HOST.options["syslog"]}
    assert _inside(replace(HOST, options=options)) == [
        ("setting", "cyrus b", "2", "not set"),
        ("setting", "cyrus c", "not set", "3"),
    ]
    assert _inside(replace(HOST, options={})) == []  # not read back that night


def test_lines_that_only_moved_are_no_drift() -> None:
    """Rules of syslog have no names but line numbers; remarks in openssl.cnf say nothing."""
    moved = {**HOST.options, "syslog": {"4": "mail.* /m", "9": "kern.* /k"}}
    assert _inside(replace(HOST, options=moved)) == []
    cnf = "# other remark\n[tls]\nOptions = B\n"
    assert _inside(replace(HOST, library_settings={"cyrus": cnf})) == [
        ("setting", "cyrus openssl.cnf [tls] Options", "A", "B")
    ]


def test_drift_is_sorted_by_place_and_only_of_places_that_both_runs_saw() -> None:
    """A host that is new has its checks to speak for it."""
    places = [("mx2", "10.0.0.2"), ("mx1", "fd00::1"), ("mx1", "10.0.0.1")]
    ends = [make_endpoint_facts(host, address) for host, address in places]
    turned = [replace(e, groups={"TLSv1.3": ("P-256",)}) for e in ends]
    found = drift(make_run(endpoints=tuple(ends[:2])), make_run(endpoints=tuple(turned)))
    assert [(d.host, d.address) for d in found] == [("mx1", "fd00::1"), ("mx2", "10.0.0.2")]
