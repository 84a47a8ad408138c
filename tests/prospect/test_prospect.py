"""What a change brings, from what was seen before and after it."""

import pytest
from msgspec.structs import replace

from audit.facts import EndpointFacts, Observation
from audit.forecast.manners import GNUTLS_3_7, OPENSSL_3_0, OPENSSL_3_5
from audit.iana import Version
from audit.policy.load import load
from audit.prospect.compare import Allowed, changes, undeployed
from audit.prospect.deployment import Trouble
from audit.prospect.fates import kind, turns
from audit.prospect.foresight import Fate, manners
from audit.prospect.places import served
from audit.prospect.result import Staged
from tests.clients.table import DRIVERS
from tests.prospect.prospect_factories import (
    DAEMONS,
    IMAP,
    IMAPS,
    KNOWN,
    NEW,
    OLD,
    SMTP,
    cluster,
    finding,
    production,
    scene,
    shown,
    staged,
)

# Who reads mail and breaks: no TLS 1.2, or nothing of ours in it. Those that offer static RSA, 3DES
# or TLS 1.0 with DHE could not connect before either.
BROKEN = {
    "java-tls10", "openssl-1.0.2-tls10", "tls10-ecdhe", "tls11-ecdhe", "tls12-cbc", "tls12-dhe",
    "tls12-p521", "tls12-sha1",
}  # fmt: skip


def _lost(found: Staged, use: str) -> set[str]:
    return {t.client for t in found.lost if t.use == use}


def test_from_the_old_policy_to_ours_the_old_clients_break() -> None:
    """Each with the reason; nobody else, and senders go on in clear instead."""
    found = staged()
    assert found.outcome == "breaks"
    assert found.exit_code == 1
    assert _lost(found, "access") == BROKEN
    senders = [t for t in found.lost if t.use == "mx"]
    assert {t.kind for t in senders} == {"clear"}
    (one,) = [t for t in found.lost if t.client == "tls11-ecdhe"]
    assert one.places == ("imap 143", "imap 993")
    assert one.before.version == "TLSv1.1"
    assert one.after.why == "no version in common: it offers TLSv1.1 at most"
    assert "tls11-ecdhe" in found.reasons[0]


def test_back_again_the_same_clients_can_connect_and_others_get_less() -> None:
    """The other way round it loses who wants X25519, TLS 1.3, or static RSA on port 25."""
    found = staged(cluster(NEW), cluster(OLD))
    assert {t.client for t in found.turns if t.kind == "won"} >= {"tls10-ecdhe", "tls12-dhe"}
    assert {t.client for t in found.lost} == {
        *("tls12-no-curve-of-ours", "tls12-rsa-gcm", "tls13-p521"),
    }


def test_a_candidate_that_changes_nothing_holds() -> None:
    """No client, version or finding is another one."""
    found = staged(cluster(NEW), cluster(NEW))
    assert (found.outcome, found.exit_code, found.reasons) == ("holds", 0, ())
    assert {t.kind for t in found.turns} == {"same", "never"}
    assert not any(s.versions or s.suites or s.groups for s in found.served)


def test_what_is_announced_does_not_break() -> None:
    """By names and patterns, or by number; one more than that breaks."""
    every = len({t.client for t in staged().lost})
    assert staged(allowed_=Allowed(("tls1*", "java*", "openssl-1.0.2-*"))).outcome == "holds"
    assert staged(allowed_=Allowed(number=every)).outcome == "holds"
    fewer = staged(allowed_=Allowed(number=every - 1))
    assert fewer.outcome == "breaks"
    assert f"{every} clients that were not announced lose TLS, {every - 1} may" in fewer.reasons[0]
    some = staged(allowed_=Allowed(("tls1*",)))
    assert {t.client for t in some.lost if not t.announced} == {"java-tls10", "openssl-1.0.2-tls10"}


def test_a_candidate_that_fails_its_own_policy_fails() -> None:
    """Whatever becomes of the clients."""
    found = staged(after=cluster(NEW, [finding("MT-TLS10", NEW, "fail")]))
    assert (found.outcome, found.exit_code) == ("fails", 1)
    assert found.reasons[0] == "the candidate fails 1 check of its own policy: MT-TLS10"


def test_a_check_without_an_answer_leaves_it_undetermined() -> None:
    """Exit code 3, unless clients are lost as well."""
    after = cluster(NEW, [finding("MT-TLS10", NEW, "inconclusive")])
    assert staged(cluster(NEW), after).exit_code == 3
    assert staged(after=after).outcome == "breaks"


def _unclear(facts: EndpointFacts, version: Version) -> EndpointFacts:
    untold = {**facts.protocols, version: Observation("inconclusive", "timeout")}
    return replace(
        facts,
        protocols=untold,
        suites={v: s for v, s in facts.suites.items() if v != version},
    )


def test_what_could_not_be_told_of_a_server_is_not_told_of_its_clients() -> None:
    """A version that may be on may serve them: neither lost nor fine."""
    after = scene(NEW, _unclear(shown(NEW, "imap1", IMAPS), "TLSv1.0"))
    found = staged(scene(OLD, shown(OLD, "imap1", IMAPS)), after, Allowed(number=99))
    fate = {t.client: t.kind for t in found.turns}
    assert fate["tls10-ecdhe"] == "unknown"
    assert fate["tls11-ecdhe"] == "lost"
    assert (found.outcome, found.exit_code) == ("undetermined", 3)
    assert any("TLSv1.0 could not be told" in reason for reason in found.reasons)
    assert "TLSv1.0" not in found.served[0].versions.gone


def test_a_server_that_was_not_reached_tells_nothing() -> None:
    """After the change: unknown. Before it: unknown too, but for those that are served now."""
    down = replace(shown(NEW, "imap1", IMAPS), reach="no-answer", protocols={}, suites={})
    up = shown(NEW, "imap1", IMAPS)
    assert {t.kind for t in turns(KNOWN, scene(NEW, up), scene(NEW, down), DAEMONS)} == {"unknown"}
    was = turns(KNOWN, scene(NEW, down), scene(NEW, up), DAEMONS)
    assert {t.kind for t in was} == {"same", "unknown"}
    assert {t.kind for t in was if t.after.result == "tls"} == {"same"}


def test_groups_that_were_not_told_are_no_refusal() -> None:
    """Of whoever needs one."""
    now = shown(NEW, "imap1", IMAPS)
    before = scene(OLD, replace(shown(OLD, "imap1", IMAPS), groups={}))
    fate = {t.client: t.before.result for t in turns(KNOWN, before, scene(NEW, now), DAEMONS)}
    assert fate["tls10-ecdhe"] == "unknown"
    assert fate["tls12-dhe"] == "tls"


def test_sha1_that_was_not_asked_for_is_no_refusal() -> None:
    """Whether a server signs with it decides over one client."""
    facts = shown(NEW, "imap1", IMAPS)
    after = scene(NEW, replace(facts, behaviours={}))
    found = turns(KNOWN, scene(OLD, shown(OLD, "imap1", IMAPS)), after, DAEMONS)
    assert [t.client for t in found if t.kind == "unknown"] == ["tls12-sha1"]


def test_a_place_that_is_closed_loses_everybody() -> None:
    """And is said to be closed; one that is new is said to be new."""
    both = scene(NEW, shown(NEW, "imap1", IMAP), shown(NEW, "imap1", IMAPS))
    one = scene(NEW, shown(NEW, "imap1", IMAPS))
    found = staged(both, one)
    gone = [t for t in found.lost if t.after.why == "nothing is served there any more"]
    assert {t.places for t in gone} == {("imap 143",)}
    assert "openssl-3.0" in {t.client for t in gone}
    assert [(s.port, s.closed) for s in found.served] == [(143, True), (993, False)]
    assert [(s.port, s.opened) for s in served(one, both)] == [(143, True), (993, False)]


def test_one_host_of_several_that_refuses_is_a_loss() -> None:
    """A client does not choose where it is led."""
    before = scene(OLD, shown(OLD, "imap1", IMAPS), shown(OLD, "imap2", IMAPS))
    after = scene(OLD, shown(OLD, "imap1", IMAPS), shown(NEW, "imap2", IMAPS))
    found = staged(before, after)
    assert "tls10-ecdhe" in {t.client for t in found.lost}
    # It is still offered by one of them, so it has not gone.
    assert "TLSv1.0" not in found.served[0].versions.gone


def test_services_lose_and_gain_what_the_wire_showed() -> None:
    """Versions, suites and groups; in all places alike."""
    for one in staged().served:
        assert one.versions.gone == ("TLSv1.0", "TLSv1.1")
        assert one.versions.come == ("TLSv1.3",)
        assert "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384" in one.suites.gone
        assert "TLS_AES_256_GCM_SHA384" in one.suites.come
        assert not {*one.suites.gone} & {*one.suites.come}


def test_findings_are_compared_by_the_measure_of_the_candidate() -> None:
    """Fixed is what it would have failed before."""
    (one,) = [c for c in staged().changes if c.kind != "changed"]
    assert (one.kind, one.finding.check) == ("fixed", "MT-TLS10")


def test_clusters_with_other_hosts_are_compared_port_by_port() -> None:
    """The worst of all hosts on either side; host by host all would be lost and added."""
    before = cluster(
        NEW, [finding("MT-TLS10", NEW, v, h) for h, v in (("a", "pass"), ("b", "fail"))]
    )
    after = cluster(NEW, [finding("MT-TLS10", NEW, "pass", host) for host in ("c", "d", "e")])
    (one,) = changes(before.run, after.run)
    assert (one.kind, one.finding.host, one.finding.port) == ("fixed", "any host", 993)


def test_production_counts() -> None:
    """Where it is not reached nothing is known; where it refuses the candidate fails."""
    base = (cluster(NEW), cluster(NEW))
    assert staged(*base, production=production()).outcome == "holds"
    away = staged(*base, production=production(Trouble("mail9", "no route", reached=False)))
    assert (away.outcome, away.reasons) == (
        "undetermined",
        ("mail9 in production was not reached: no route",),
    )
    refused = staged(*base, production=production(Trouble("mail9", "cannot be compiled")))
    assert refused.outcome == "fails"


def test_a_deployment_that_failed_is_the_candidates_fault_only_if_it_was_the_candidate() -> None:
    """And only if a host was reached."""
    failed, away = Trouble("imap1", "does not pass"), Trouble("imap1", "no route", reached=False)
    assert undeployed([failed], candidate=True) == (
        "fails",
        ("the candidate could not be deployed on imap1: does not pass",),
    )
    assert undeployed([away], candidate=True)[0] == "undetermined"
    assert undeployed([failed], candidate=False)[0] == "undetermined"


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        ("cyrus-imapd 3.6.1\nOpenSSL 3.0.20\n", OPENSSL_3_0),
        ("cyrus-imapd 3.6.1\nOpenSSL 3.5.1\n", OPENSSL_3_5),
        ("nothing of use", OPENSSL_3_0),
    ],
)
def test_a_server_has_the_habits_of_its_library(report: str, expected: object) -> None:
    """As the host reports it."""
    facts = cluster(NEW).run.hosts[0]
    hosts = {"imap1": replace(facts, reports={"cyrus": report})}
    assert manners(hosts, DAEMONS, "imap1") == expected


def test_exim_on_gnutls_has_those_of_gnutls() -> None:
    """Its report names the library."""
    report = "Exim version 4.96 #2\nLibrary version: GnuTLS: Compile: 3.7.8\n  Runtime: 3.7.9\n"
    facts = replace(cluster(NEW).run.hosts[0], reports={"exim": report})
    assert manners({"mx1": facts}, DAEMONS, "mx1") == GNUTLS_3_7


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("tls", "fails", "lost"), ("plain", "fails", "lost"), ("tls", "plain", "clear"),
        ("fails", "tls", "won"), ("fails", "fails", "never"), ("plain", "plain", "same"),
        ("tls", "unknown", "unknown"), ("unknown", "fails", "unknown"),
        ("unknown", "plain", "unknown"), ("unknown", "tls", "same"),
        ("plain", "unknown", "unknown"),
    ],
)  # fmt: skip
def test_what_a_difference_means(before: str, after: str, expected: str) -> None:
    """No doubt is ever the same as before, but for who is served now."""
    assert kind(Fate(before), Fate(after)) == expected  # type: ignore[arg-type]


def test_every_client_is_told_once_for_each_use_and_place() -> None:
    """None is left out, and none counted twice."""
    found = staged()
    told = [(t.client, t.use, place) for t in found.turns for place in t.places]
    assert len(told) == len({*told})
    assert {client for client, *_ in told} == {
        name for name, driver in DRIVERS.items() if {"access", "mx"} & {*driver.uses}
    }


def test_a_sender_cannot_go_on_in_clear_where_that_is_refused() -> None:
    """A policy that requires TLS on port 25 loses the mail."""
    strict = load(NEW).profiles["mx"]
    after = scene(NEW, shown(NEW, "mx1", SMTP))
    rules = {
        at: replace(r, profile=replace(strict, tls="required")) for at, r in after.rules.items()
    }
    found = staged(scene(OLD, shown(OLD, "mx1", SMTP)), replace(after, rules=rules))
    assert {t.kind for t in found.lost} == {"lost"}
