"""Runs to report on: single parts with sensible defaults, and a whole cluster with failures."""

from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from audit.changes import compare
from audit.facts import (
    Certificate,
    Endpoint,
    EndpointFacts,
    HostFacts,
    Mode,
    Observation,
    Plaintext,
    Process,
    Seen,
    Service,
)
from audit.findings import Finding, PolicyId, Run, Verdict, Waiver, timestamp
from audit.judge.catalogue import CATALOGUE
from audit.past import Night, Past

if TYPE_CHECKING:
    from audit.iana import Version

STARTED = datetime(2026, 11, 24, 2, 0, 0, tzinfo=UTC)
TLS13 = (
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_AES_128_GCM_SHA256",
)
TLS12 = (
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
)
WEAK = "TLS_RSA_WITH_3DES_EDE_CBC_SHA"
ALERT = "alert fatal protocol_version(70) to a ClientHello of this version only"

WAIVER = Waiver(
    check="MT-CIPHER-ORDER",
    hosts="mx1",
    reason="gateway is replaced in January",
    owner="postmaster",
    expires=date(2027, 1, 31),
    ticket="OPS-7",
)
NOTICES = ("Waiver not used: MT-SSL3 on mx9: it covers nothing (postmaster)",)

Place = tuple[int, Service, Mode]
MX: tuple[Place, ...] = ((25, "smtp", "starttls"),)
MSA: tuple[Place, ...] = ((465, "smtp", "implicit"), (587, "smtp", "starttls"))
IMAP: tuple[Place, ...] = (
    (110, "pop3", "starttls"),
    (143, "imap", "starttls"),
    (993, "imap", "implicit"),
    (995, "pop3", "implicit"),
    (4190, "sieve", "starttls"),
)


def _digest(*words: str) -> str:
    """What a fingerprint looks like, another one for other words."""
    return sha256(" ".join(words).encode()).hexdigest()


def make_certificate(**changes: Any) -> Certificate:
    """A good certificate of imap1.lab.test."""
    good = Certificate(
        der=b"0\x82SECRET-DER",
        subject="CN=imap1.lab.test",
        issuer="CN=mailseal lab CA",
        names=("imap1.lab.test",),
        not_before=STARTED - timedelta(days=30),
        not_after=STARTED + timedelta(days=60),
        key_type="ecdsa",
        key_bits=256,
        curve="P-256",
        key="7a" * 32,
        signature_hash="sha256",
        fingerprint="3f" * 32,
    )
    return replace(good, **changes)


def make_endpoint_facts(
    host: str = "imap1",
    address: str = "10.80.0.31",
    place: Place = (143, "imap", "starttls"),
    **changes: Any,
) -> EndpointFacts:
    """What a good server shows."""
    port, service, mode = place
    name = f"{host}.lab.test"
    seen: dict[Version, Seen] = {
        "SSLv2": "refused",
        "SSLv3": "refused",
        "TLSv1.0": "refused",
        "TLSv1.1": "refused",
        "TLSv1.2": "accepted",
        "TLSv1.3": "accepted",
    }
    ecdsa = make_certificate(subject=f"CN={name}", names=(name,), fingerprint=_digest(name, "e"))
    rsa = make_certificate(
        subject=f"CN={name}",
        names=(name,),
        key_type="rsa",
        key_bits=3072,
        curve="",
        fingerprint=_digest(name, "r"),
    )
    ca = make_certificate(subject="CN=mailseal lab CA")
    plaintext = Plaintext(
        greeting="* OK ready",
        preauth=False,
        starttls="accepted",
        auth_offered=(),
        login="refused",
        login_reply="a1 NO [PRIVACYREQUIRED] Login only available under a layer",
    )
    good = EndpointFacts(
        endpoint=Endpoint(host, address, port, service, mode, name),
        reach="open",
        protocols={version: Observation(how, ALERT) for version, how in seen.items()},
        suites={"TLSv1.2": TLS12, "TLSv1.3": TLS13},
        preference={"TLSv1.2": "server", "TLSv1.3": "server"},
        groups={
            "TLSv1.2": ("X25519", "P-256", "P-384"),
            "TLSv1.3": ("X25519", "P-256", "P-384"),
        },
        compression=Observation("refused", "null chosen"),
        secure_renegotiation=True,
        chains=((ecdsa, ca), (rsa, ca)),
        handshake=Observation("accepted", "TLSv1.3"),
        plaintext=plaintext if mode == "starttls" else None,
        behaviours={
            "robot": Observation("refused", "alert 20"),
            "session-ticket": Observation("accepted", "6 of 6"),
        },
        connections=34,
        seconds=1.234567,
    )
    return replace(good, **changes)


def make_finding(**changes: Any) -> Finding:
    """A failure: imap1 accepts TLS 1.0."""
    failure = Finding(
        check="MT-TLS10",
        host="imap1",
        address="10.80.0.31",
        port=143,
        service="imap",
        verdict="fail",
        severity="high",
        observed="TLSv1.0 accepted",
        expected="TLSv1.0 refused",
        evidence="ServerHello version 0x0301, suite 0x000a",
        item="profiles.access.versions",
    )
    return replace(failure, **changes)


def make_run(*findings: Finding, **changes: Any) -> Run:
    """A run of these findings, all that were planned."""
    run = Run(
        run="2026-11-24T02:00:00Z",
        started="2026-11-24T02:00:00Z",
        finished="2026-11-24T02:00:42.500000Z",
        policy=PolicyId(id="mailseal-2026", version="2026-11-01"),
        planned=len(findings),
        findings=findings,
    )
    return replace(run, **changes)


def several_policies() -> Run:
    """The same facts by two policies: one failure of both, and what one sees on phase-out."""
    late = "phase-out: TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"
    passed = {"check": "MT-CIPHER-SET", "verdict": "pass", "severity": "high"}
    return make_run(
        make_finding(policy="mailseal-2026", level="insufficient"),
        make_finding(policy="mailseal-2026", **passed, observed="as expected"),
        make_finding(policy="ncsc-nl-2025", level="insufficient"),
        make_finding(policy="ncsc-nl-2025", **passed, observed=late, level="phase-out"),
        policy=PolicyId(id="mailseal-2026, ncsc-nl-2025", version="2026-11-01, 2025-05-01"),
        policies=(
            PolicyId(id="mailseal-2026", version="2026-11-01"),
            PolicyId(id="ncsc-nl-2025", version="2025-05-01"),
        ),
    )


def _findings(facts: EndpointFacts) -> list[Finding]:
    where = facts.endpoint
    return [
        Finding(
            check=check.id,
            host=where.host,
            address=where.address,
            port=where.port,
            service=where.service,
            verdict="pass",
            severity=check.severity,
            observed="as expected",
            expected=check.title,
            evidence=ALERT,
        )
        for check in CATALOGUE.values()
        if check.scope == "endpoint"
        and (not check.before_tls or where.mode == "starttls")
        and (not check.services or where.service in check.services)
    ]


def make_host_facts(host: str, daemon: str) -> HostFacts:
    """What a good host says about itself."""
    return HostFacts(
        host=host,
        reached=True,
        processes=(Process(412, daemon, daemon, 1.0, {"/usr/lib/libssl.so.3": False}),),
        options={daemon: {"sasl_password": "hunter2"}},
        reports={daemon: f"{daemon} 1.0, OpenSSL 3.0.17"},
    )


def make_cluster(hosts: dict[str, tuple[Place, ...]]) -> Run:
    """Every check on every endpoint, IPv4 and IPv6, all passed."""
    endpoints = []
    findings = []
    for number, (host, places) in enumerate(hosts.items(), 11):
        for place in places:
            for address in (f"10.80.0.{number}", f"fd00:80::{number}"):
                facts = make_endpoint_facts(host, address, place)
                endpoints.append(facts)
                findings += _findings(facts)
        findings += [
            make_finding(
                check=check.id,
                host=host,
                address="",
                port=0,
                service="",
                verdict="pass",
                severity=check.severity,
                observed="as expected",
                expected=check.title,
            )
            for check in CATALOGUE.values()
            if check.scope == "host"
        ]
    return make_run(
        *findings,
        endpoints=tuple(endpoints),
        hosts=tuple(make_host_facts(h, "exim" if h < "i" or h > "j" else "cyrus") for h in hosts),
    )


LAB = {"mx1": MX, "mx2": MX, "msa1": MSA, "imap1": IMAP, "imap2": IMAP}
# The talk's cluster, and more endpoints than it has: 25 hosts, 14 endpoints each.
CLUSTER: dict[str, tuple[Place, ...]] = {
    f"{kind}{n}": IMAP + MSA
    for kind, count in (("imap", 15), ("msa", 4), ("mx", 6))
    for n in range(1, count + 1)
}

Break = tuple[str, str, int | None, str, Verdict, str, str, str]
# host, check, port (None for all), a part of the address, verdict, observed, expected, evidence
BREAKS: tuple[Break, ...] = (
    (
        *("imap1", "MT-AUTH-BEFORE-TLS", 143, "", "fail"),
        "AUTH=PLAIN and AUTH=LOGIN offered before TLS",
        "no mechanism offered before TLS",
        "* CAPABILITY IMAP4rev1 ID STARTTLS AUTH=PLAIN AUTH=LOGIN SASL-IR\r\na1 OK Completed",
    ),
    (
        *("imap1", "MT-LOGIN-REFUSED", 143, "", "fail"),
        "the password was looked at",
        "refused before the password is looked at",
        "a2 NO Login failed: authentication failure",
    ),
    (
        *("imap2", "MT-TLS10", None, "", "fail"),
        "accepted",
        "refused",
        "ServerHello version 0x0301, suite TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    ),
    (
        *("imap2", "MT-CIPHER-SET", None, "fd00", "fail"),
        f"TLSv1.2 accepts {WEAK}",
        f"TLSv1.3 {', '.join(TLS13)}; TLSv1.2 {', '.join(TLS12)}",
        f"TLSv1.3 {', '.join(TLS13)}; TLSv1.2 {', '.join((*TLS12, WEAK))}",
    ),
    (
        *("mx2", "MT-CERT-TIME", None, "", "fail"),
        "ended 2026-11-20, 4 days ago",
        "valid for at least 7 more days",
        "notBefore 2026-08-22T00:00:00Z, notAfter 2026-11-20T00:00:00Z",
    ),
    (
        *("msa1", "MT-KEY-PERM", None, "", "fail"),
        "/etc/mailseal/tls/msa1.key is mode 0644, owner root, group root",
        "mode 0640 or tighter, group Debian-exim",
        "-rw-r--r-- 1 root root 3272",
    ),
    (
        *("msa1", "MT-CURVES", 465, "", "inconclusive"),
        "the server closed the connection three times",
        "X25519, P-256, P-384 in this order",
        "421 msa1.lab.test too many connections",
    ),
    (
        *("mx1", "MT-CIPHER-ORDER", None, "", "waived"),
        "the client's order decides",
        "the server's order decides",
        "order of ClientHello and its reverse gave different suites",
    ),
    (
        *("mx1", "MT-CERT-SANS", None, "", "not-applicable"),
        "no name is asked of port 25",
        "the names of the policy",
        "",
    ),
)


def broken(run: Run, breaks: tuple[Break, ...] = BREAKS) -> Run:
    """The same run with these verdicts in it."""
    findings = list(run.findings)
    for host, check, port, address, verdict, observed, expected, evidence in breaks:
        for i, f in enumerate(findings):
            place_fits = port in (None, f.port) and address in f.address
            if (f.host, f.check) == (host, check) and place_fits:
                findings[i] = replace(
                    f,
                    verdict=verdict,
                    observed=observed,
                    expected=expected,
                    evidence=evidence,
                    item="profiles.access",
                    waiver=WAIVER if verdict == "waived" else None,
                )
    return replace(run, findings=tuple(findings), notices=NOTICES)


def _weak(facts: EndpointFacts) -> EndpointFacts:
    return replace(
        facts,
        suites={"TLSv1.2": (*TLS12, WEAK), "TLSv1.3": TLS13},
        protocols={**facts.protocols, "TLSv1.0": Observation("accepted")},
    )


def _ended(facts: EndpointFacts) -> EndpointFacts:
    """Its certificates ended, as its findings say."""
    ended = STARTED - timedelta(days=4, hours=2)
    chains = tuple((replace(c[0], not_after=ended), *c[1:]) for c in facts.chains)
    return replace(facts, chains=chains)


def _dead(facts: EndpointFacts) -> EndpointFacts:
    return EndpointFacts(facts.endpoint, "no-answer", errors=("no answer within 5 s",))


def lab_run() -> Run:
    """The small lab after a bad day."""
    run = broken(make_cluster(LAB))
    endpoints = []
    for facts in run.endpoints:
        where = facts.endpoint
        if where.host == "imap2":
            endpoints.append(_weak(facts))
        elif (where.host, where.family) == ("mx2", "ipv6"):
            endpoints.append(_dead(facts))
        elif where.host == "mx2":
            endpoints.append(_ended(facts))
        else:
            endpoints.append(facts)
    return replace(run, endpoints=tuple(endpoints))


def lab_past() -> Past:
    """A month of nights before lab_run, and a night before it that differs in every way."""
    known = tuple(b for b in BREAKS if b[1] in {"MT-TLS10", "MT-KEY-PERM", "MT-CERT-SANS"})
    more: tuple[Break, ...] = (
        (*("imap2", "MT-CIPHER-SET", None, "fd00", "fail"), "TLSv1.2 accepts RC4", "", ""),
        (*("mx1", "MT-CIPHER-ORDER", None, "", "fail"), "the client's order decides", "", ""),
        (*("msa1", "MT-LOG-ENABLED", None, "", "fail"), "nothing is logged", "+tls_cipher", ""),
    )
    before = broken(make_cluster(LAB), (*known, *more))
    gone = make_finding(
        host="mx3", port=25, service="smtp", check="MT-PORT-EXPECT", verdict="pass", observed="open"
    )
    kept = [f for f in before.findings if (f.host, f.check) != ("imap1", "MT-LIB-HASH")]
    before = replace(before, findings=(*kept, gone))
    return Past(changes=compare(before, lab_run()), nights=tuple(map(_night, range(30, 0, -1))))


def _night(ago: int) -> Night:
    """One of the nights before, fewer failures the nearer it is."""
    day = STARTED - timedelta(days=ago)
    fail, unclear, waived = 4 + ago // 2 * (ago > 9) + ago % 3, (ago % 11 == 0) * 5, (ago < 14) * 2
    good = len(lab_run().findings) - fail - unclear - waived
    counts: dict[Verdict, int] = {"fail": fail, "inconclusive": unclear, "waived": waived}
    return Night(
        run=f"{day:%Y%m%dT%H%M%SZ}", started=timestamp(day), counts=counts | {"pass": good}
    )


HOSTILE = (
    "</pre></script><script>document.title='owned'</script><img src=x onerror=x> \" ' \x00\u202e"
    "<svg onload=document.title='owned'>javascript:alert(1)"
)


def hostile_run() -> Run:
    """A run in which everything that a server, a host or an inventory can choose is an attack."""
    leaf = make_certificate(subject=HOSTILE, issuer=HOSTILE, names=(HOSTILE,), key_type=HOSTILE)
    facts = make_endpoint_facts(
        host=HOSTILE, errors=(HOSTILE,), chains=((leaf,),), suites={"TLSv1.2": (HOSTILE,)}
    )
    words = dict.fromkeys(("host", "observed", "expected", "evidence", "item", "policy"), HOSTILE)
    waiver = replace(WAIVER, reason=HOSTILE, owner=HOSTILE, hosts=HOSTILE, ticket=HOSTILE)
    return make_run(
        make_finding(**words),
        make_finding(**words, verdict="waived", waiver=waiver),
        make_finding(**words, verdict="inconclusive"),
        planned=3,
        endpoints=(facts,),
        run=HOSTILE,
        started=HOSTILE,
        notices=(HOSTILE,),
    )


def hostile_past() -> Past:
    """A past that is no better."""
    before = replace(hostile_run(), findings=(make_finding(host=HOSTILE, observed=HOSTILE),))
    nights = tuple(Night(run=HOSTILE, started=HOSTILE, counts={"fail": n}) for n in range(3))
    return Past(changes=compare(before, hostile_run()), nights=nights)


def big_run() -> Run:
    """25 hosts with 14 endpoints each, some twenty things wrong."""
    more: tuple[Break, ...] = tuple(
        (f"imap{n}", "MT-CURVES", None, "", "fail", "P-521 used", "X25519, P-256", "0x0019")
        for n in range(3, 16)
    )
    return broken(make_cluster(CLUSTER), (*BREAKS, *more))


def worst_run() -> Run:
    """25 hosts on which every check fails on every endpoint, each with words of its own."""
    run = make_cluster(CLUSTER)
    return replace(
        run,
        findings=tuple(
            replace(f, verdict="fail", observed=f"wrong on {f.port}") for f in run.findings
        ),
    )
