"""Scenes as a policy makes them: what its servers would show, and what came of deployments."""

from collections.abc import Iterable

from msgspec.structs import replace

from audit.changes import compare
from audit.clients.load import clients, offer
from audit.clients.model import Client
from audit.facts import Endpoint, EndpointFacts, HostFacts, Mode, Observation, Seen, Service
from audit.findings import Finding, PolicyId, Run
from audit.iana import VERSIONS
from audit.policy.load import load
from audit.policy.model import Traffic, allowed
from audit.prospect.compare import Allowed, verdict
from audit.prospect.deployment import Deployment, Replaced, Trouble
from audit.prospect.fates import turns
from audit.prospect.foresight import Daemons
from audit.prospect.places import Place, Rule, Scene, served
from audit.prospect.result import Production, Staged, state
from audit.wire.offer import Offer
from tests.judge.factories import BEHAVIOURS, CHAINS, DAY, PLAIN

OLD, NEW = "univie-2015", "mailseal-2026"
IMAPS = Place(993, "imap", "implicit")
IMAP = Place(143, "imap", "starttls")
SMTP = Place(25, "smtp", "starttls")
KNOWN: list[tuple[Client, Offer]] = [(client, offer(client)) for client in clients()]
DAEMONS: Daemons = {"imap1": "cyrus", "imap2": "cyrus", "mx1": "exim"}
_TRAFFIC: dict[int, Traffic] = {25: "mx", 587: "submission"}


def shown(policy: str, host: str, place: Place, address: str = "192.0.2.1") -> EndpointFacts:
    """What a server that follows the policy shows."""
    profile = load(policy).profiles[_TRAFFIC.get(place.port, "access")]
    day = DAY.date()
    on = profile.allowed_versions(day)
    mode: Mode = place.mode
    service: Service = place.service
    groups = [g for g in allowed(profile.groups, day) if g != "X25519MLKEM768"]
    sha1: Seen = "accepted" if "TLSv1.0" in on else "refused"
    return EndpointFacts(
        endpoint=Endpoint(host, address, place.port, service, mode, f"{host}.example"),
        reach="open",
        protocols={v: Observation("accepted" if v in on else "refused", "-") for v in VERSIONS},
        suites={v: tuple(s.name for s in profile.allowed_suites(v, day)) for v in on},
        rest=dict.fromkeys(on, Observation("refused", "alert 40")),
        preference=dict.fromkeys(on, "server"),
        # As the prober asks: in TLS 1.3, and in the newest version below it.
        groups={v: tuple(groups) for v in ("TLSv1.2", "TLSv1.3") if v in on},
        chains=CHAINS,
        plaintext=PLAIN if mode == "starttls" else None,
        behaviours={**BEHAVIOURS, "sha1-signature": Observation(sha1, "-")},
    )


def finding(check: str, policy: str, verdict_: str, host: str = "imap1") -> Finding:
    """One finding on port 993."""
    return Finding(
        check=check,
        host=host,
        address="192.0.2.1",
        port=993,
        service="imap",
        verdict=verdict_,  # type: ignore[arg-type]
        severity="high",
        observed=f"{check} is {verdict_}",
        expected="otherwise",
        policy=policy,
    )


def run(policy: str, facts: Iterable[EndpointFacts], findings: Iterable[Finding] = ()) -> Run:
    """An audit."""
    found = tuple(findings) or (finding("MT-TLS12", policy, "pass"),)
    ends = tuple(facts)
    report = {"cyrus": "cyrus-imapd 3.6.1\nOpenSSL 3.0.20\n"}
    hosts = dict.fromkeys(f.endpoint.host for f in ends)
    return Run(
        run=f"20261128T0{len(policy) % 10}0000Z",
        started="2026-11-28T02:00:00.000Z",
        finished="2026-11-28T02:01:00.000Z",
        policy=PolicyId(id=policy, version="2026-11-01"),
        planned=len(found),
        findings=found,
        endpoints=ends,
        hosts=tuple(HostFacts(h, reached=True, reports=report) for h in hosts),
    )


def scene(policy: str, *ends: EndpointFacts, findings: Iterable[Finding] = ()) -> Scene:
    """What was seen of these, which are all meant to be there."""
    profiles = load(policy).profiles
    meant = {}
    for facts in ends:
        e = facts.endpoint
        traffic = _TRAFFIC.get(e.port, "access")
        meant[e.host, Place(e.port, e.service, e.mode)] = Rule(traffic, profiles[traffic])
    return Scene(run=run(policy, ends, findings), rules=meant)


def cluster(policy: str, findings: Iterable[Finding] = ()) -> Scene:
    """Two IMAP hosts and an MX."""
    ends = [shown(policy, host, place) for host in ("imap1", "imap2") for place in (IMAP, IMAPS)]
    return scene(policy, *ends, shown(policy, "mx1", SMTP), findings=findings)


def staged(
    before: Scene | None = None,
    after: Scene | None = None,
    allowed_: Allowed = Allowed(),  # noqa: B008 - it is frozen
    production: Production | None = None,
) -> Staged:
    """The result, as `audit/staging` puts it together; by default from the old policy to ours."""
    before = before or cluster(OLD, [finding("MT-TLS10", NEW, "fail")])
    after = after or cluster(NEW, [finding("MT-TLS10", NEW, "pass")])
    places = served(before, after)
    fared = allowed_.marked(turns(KNOWN, before, after, DAEMONS))
    outcome, reasons = verdict(after.run, places, fared, allowed_, production)
    return Staged(
        outcome=outcome,
        reasons=reasons,
        started="2026-11-28T02:00:00.000Z",
        finished="2026-11-28T02:07:00.000Z",
        inventory="inventory/staging",
        limit="",
        now=state(before.run, "deployed"),
        candidate=state(after.run, "deployed"),
        changes=compare(before.run, after.run),
        served=places,
        turns=fared,
        files=(Replaced("imap1", "/etc/imapd.conf (root mail 0640)", ("@@ -1 +1 @@", "-a", "+b")),),
        production=production,
    )


def production(*troubles: Trouble) -> Production:
    """What production said."""
    files = (Replaced("mail7", "/etc/imapd.conf", ("@@ -1 +1 @@", "-a", "+b")),)
    told = Deployment(hosts=("mail7",), changed=("mail7",), troubles=troubles, files=files)
    return Production(inventory="inventory/production", deployment=told)


def hostile(words: str) -> Staged:
    """A result in which everything that a host or a server can choose is an attack."""
    good = staged(production=production(Trouble(words, words)))
    fate = replace(good.turns[0].after, why=words)
    file = Replaced(words, words, (words, f"+{words}"))
    return replace(
        good,
        reasons=(words,),
        notices=(words,),
        inventory=words,
        limit=words,
        troubles=(Trouble(words, words),),
        turns=(replace(good.turns[0], after=fate, models=words), *good.turns[1:]),
        served=(replace(good.served[0], untold=(words,), hosts=(words,)), *good.served[1:]),
        files=(file,),
        changes=tuple(
            replace(c, after=replace(c.after, host=words, observed=words) if c.after else None)
            for c in good.changes
        ),
    )
