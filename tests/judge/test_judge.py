"""Each check passes on what is right and fails on its broken twin."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from audit.facts import Behaviour, HostFacts, Observation, Package, Seen
from audit.findings import Finding, exit_code
from audit.iana import Version
from audit.judge.bench import (
    ENDPOINT_JUDGES,
    HOST_JUDGES,
    Planned,
    judge,
    plan_endpoint,
    plan_host,
)
from audit.judge.case import EndpointCase, HostCase, PlannedEndpoint
from audit.judge.catalogue import CATALOGUE
from audit.judge.table import page
from audit.policy.load import load
from tests.judge.factories import (
    CHAINS,
    EC_KEY,
    NOW,
    OWN,
    PLAIN,
    POLICY,
    ROOT_KEY,
    RSA_KEY,
    chain,
    changed,
    good_endpoint,
    good_host,
    hashes,
    own_library,
    timedelta,
)

GOOD_IMAP = good_endpoint()
GOOD_587 = good_endpoint("smtp", 587, traffic="submission")
ACCEPTED = Observation("accepted", "ServerHello")
WEAK = "TLS_RSA_WITH_AES_128_CBC_SHA"


def _protocol(version: Version, seen: Seen) -> EndpointCase:
    protocols = {**GOOD_IMAP.facts.protocols, version: Observation(seen, "seen")}
    return changed(GOOD_IMAP, protocols=protocols)


def _suites(version: str, *names: str) -> EndpointCase:
    return changed(GOOD_IMAP, suites={**GOOD_IMAP.facts.suites, version: names})


def _plain(**facts: Any) -> EndpointCase:
    return changed(GOOD_IMAP, plaintext=replace(PLAIN, **facts))


def _key(bits: int) -> Any:
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(65537, bits)


def _other_curve() -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256K1())


TLS12 = GOOD_IMAP.facts.suites["TLSv1.2"]
UNWANTED = replace(
    changed(GOOD_IMAP, reach="open"),
    planned=PlannedEndpoint(GOOD_IMAP.planned.endpoint, None),
    profile=None,
)
# What a server must not do, and the check that says so.
BEHAVIOURS: dict[str, Behaviour] = {
    "MT-INJ-SMTP": "injection",
    "MT-INJ-LMTP": "injection",
    "MT-INJ-IMAP": "injection",
    "MT-INJ-POP3": "injection",
    "MT-INJ-SIEVE": "injection",
    "MT-INJ-SPLIT": "injection-split",
    "MT-STATE-RESET": "state-kept",
    "MT-CAPA-REISSUE": "capabilities-kept",
    "MT-RESP-EXTRA": "response-extra",
    "MT-STARTTLS-ARGS": "starttls-arguments",
    "MT-STARTTLS-TWICE": "starttls-twice",
    "MT-HTTP-ERR": "http-inside",
    "MT-RENEG-CLIENT": "client-renegotiation",
}
# Check, what is broken, and the facts with just that broken.
BROKEN_ENDPOINTS: list[tuple[str, str, Callable[[], EndpointCase]]] = [
    ("MT-PORT-EXPECT", "closed", lambda: changed(GOOD_IMAP, reach="refused")),
    ("MT-PORT-EXPECT", "silent", lambda: changed(GOOD_IMAP, reach="no-answer")),
    ("MT-PORT-EXPECT", "another service", lambda: changed(GOOD_IMAP, reach="not-the-service")),
    ("MT-PORT-EXPECT", "unexpected listener", lambda: UNWANTED),
    ("MT-STARTTLS-ADV", "not advertised", lambda: _plain(starttls="refused")),
    ("MT-PLAIN-PORT-CLOSED", "STARTTLS", lambda: GOOD_IMAP),
    ("MT-PLAIN-PORT-CLOSED", "no STARTTLS", lambda: _plain(starttls="refused")),
    ("MT-AUTH-BEFORE-TLS", "PLAIN offered", lambda: _plain(auth_offered=("PLAIN",))),
    ("MT-LOGIN-REFUSED", "password looked at", lambda: _plain(login="accepted")),
    ("MT-MAIL-BEFORE-TLS", "MAIL taken",
     lambda: changed(GOOD_587, plaintext=replace(PLAIN, mail=Observation("accepted", "250 OK")))),
    ("MT-GREETING-PREAUTH", "PREAUTH", lambda: _plain(preauth=True)),
    *((check, "does it", lambda behaviour=behaviour: _does(behaviour))
      for check, behaviour in BEHAVIOURS.items()),
    ("MT-SSL2", "served", lambda: _protocol("SSLv2", "accepted")),
    ("MT-SSL3", "served", lambda: _protocol("SSLv3", "accepted")),
    ("MT-TLS10", "served", lambda: _protocol("TLSv1.0", "accepted")),
    ("MT-TLS11", "served", lambda: _protocol("TLSv1.1", "accepted")),
    ("MT-TLS12", "refused", lambda: _protocol("TLSv1.2", "refused")),
    ("MT-TLS13", "refused", lambda: _protocol("TLSv1.3", "refused")),
    ("MT-CIPHER-SET", "one too many", lambda: _suites("TLSv1.2", *TLS12, WEAK)),
    ("MT-CIPHER-SET", "one missing", lambda: _suites("TLSv1.2", *TLS12[:-1])),
    ("MT-CIPHER-SET", "one certificate's suites missing", lambda: _suites("TLSv1.2", *TLS12[3:])),
    ("MT-CIPHER-ORDER", "reversed", lambda: _suites("TLSv1.2", *TLS12[::-1])),
    ("MT-CIPHER-ORDER", "the client's",
     lambda: changed(GOOD_IMAP, preference={"TLSv1.2": "client", "TLSv1.3": "server"})),
    ("MT-CURVES", "one too many",
     lambda: _groups("X25519", "P-256", "P-384", "P-521")),
    ("MT-CURVES", "one only", lambda: _groups("P-256")),
    ("MT-CURVES", "wrong order", lambda: _groups("P-256", "X25519", "P-384")),
    ("MT-HANDSHAKE", "fails",
     lambda: changed(GOOD_IMAP, handshake=Observation("refused", "alert 40"))),
    ("MT-DH-SIZE", "1024 bits", lambda: _historical(1024)),
    ("MT-CERT-NAME", "one of two names",
     lambda: replace(GOOD_IMAP, planned=replace(GOOD_IMAP.planned, names=("imap.example",)))),
    ("MT-COMPRESS", "DEFLATE", lambda: changed(GOOD_IMAP, compression=ACCEPTED)),
    ("MT-CERT-CHAIN", "self-signed", lambda: _chains(chain(issuer="m.example", issuer_key=EC_KEY))),
    ("MT-CERT-CHAIN", "another root", lambda: _chains(chain(issuer="root", issuer_key=EC_KEY))),
    ("MT-CERT-NAME", "another name", lambda: _chains(chain(names=("other.example",)))),
    ("MT-CERT-TIME", "ended", lambda: _chains(chain(days=(-30, -1)))),
    ("MT-CERT-TIME", "not yet", lambda: _chains(chain(days=(1, 30)))),
    ("MT-CERT-TIME", "ends soon", lambda: _chains(chain(days=(-30, 3)))),
    ("MT-CERT-KEY", "RSA 1024", lambda: _chains(CHAINS[0], chain(_key(1024)))),
    ("MT-CERT-KEY", "odd curve", lambda: _chains(chain(_other_curve()))),
    ("MT-CERT-SIG", "SHA-224",
     lambda: _chains(CHAINS[0], chain(RSA_KEY, algorithm=hashes.SHA224()))),
    ("MT-CERT-SANS", "common name only", lambda: _chains(chain(names=()))),
]  # fmt: skip


def _does(behaviour: Behaviour) -> EndpointCase:
    seen = {**GOOD_IMAP.facts.behaviours, behaviour: Observation("accepted", "it does")}
    return changed(GOOD_IMAP, behaviours=seen)


TLS_BOTH = ("TLSv1.2", "TLSv1.3")


def _groups(*names: str) -> EndpointCase:
    return changed(GOOD_IMAP, groups=dict.fromkeys(TLS_BOTH, names))


def _historical(bits: int) -> EndpointCase:
    return changed(
        replace(GOOD_IMAP, profile=load("univie-2015").profiles["access"]),
        dh_primes=(1 << (bits - 1),),
    )


def _chains(*chains: Any) -> EndpointCase:
    return changed(GOOD_IMAP, chains=chains)


def _finding(check: str, case: EndpointCase | HostCase) -> Finding:
    return judge(Planned(CATALOGUE[check], case.planned), case)


@pytest.mark.parametrize("check", ENDPOINT_JUDGES)
def test_endpoint_checks_pass_on_a_good_server(check: str) -> None:
    """Every check of an endpoint passes on facts that are the policy."""
    cases = {
        "MT-MAIL-BEFORE-TLS": GOOD_587,
        "MT-PLAIN-PORT-CLOSED": changed(GOOD_IMAP, reach="refused"),
        "MT-DH-SIZE": _historical(2048),
        "MT-DH-COMMON": _historical(2048),
    }
    case = cases.get(check, GOOD_IMAP)
    found = _finding(check, case)
    assert found.verdict == "pass", found


@pytest.mark.parametrize(
    ("check", "what", "broken"),
    [
        pytest.param(*row, marks=pytest.mark.breaks(row[0]), id=f"{row[0]} {row[1]}")
        for row in BROKEN_ENDPOINTS
    ],
)
def test_endpoint_checks_fail_on_their_broken_twin(
    check: str, what: str, broken: Callable[[], EndpointCase]
) -> None:
    """And say what they saw."""
    found = _finding(check, broken())
    assert found.verdict == "fail", what
    assert found.observed != found.expected


@pytest.mark.parametrize(
    ("check", "what", "broken"),
    [(r[0], r[1], r[2]) for r in BROKEN_ENDPOINTS if r[0].startswith("MT-CERT")],
)
def test_certificate_checks_do_not_overlap(
    check: str, what: str, broken: Callable[[], EndpointCase]
) -> None:
    """One fault of a certificate is one failure: the finding names the cause."""
    case = broken()
    failed = {
        name
        for name in ENDPOINT_JUDGES
        if name.startswith("MT-CERT") and _finding(name, case).verdict == "fail"
    }
    also = {"MT-CERT-NAME"} if what == "common name only" else set()
    assert failed == {check} | also


@pytest.mark.parametrize("reach", ["refused", "no-answer", "no-route", "not-the-service"])
def test_what_could_not_be_tested_is_inconclusive(reach: str) -> None:
    """Never pass: not one check of an endpoint that did not answer."""
    case = changed(GOOD_587, reach=reach, plaintext=None)
    about_ports = (
        {"MT-PORT-EXPECT", "MT-PLAIN-PORT-CLOSED"} if reach == "refused" else {"MT-PORT-EXPECT"}
    )
    for check in {*ENDPOINT_JUDGES} - about_ports:
        assert _finding(check, case).verdict == "inconclusive"


def test_missing_observations_are_inconclusive() -> None:
    """An open port about which nothing was learnt passes nothing but its presence."""
    blank = changed(
        GOOD_587, protocols={}, suites={}, rest={}, preference={}, groups={}, chains=(),
        plaintext=None, compression=Observation("inconclusive"),
        handshake=Observation("inconclusive"), secure_renegotiation=None, behaviours={},
    )  # fmt: skip
    for check in ENDPOINT_JUDGES:
        if check != "MT-PORT-EXPECT":
            assert _finding(check, blank).verdict == "inconclusive", check


def test_groups_are_judged_in_the_newest_version_before_tls13_only() -> None:
    """Where TLS 1.0 is served too, nobody asks it again; where it is alone, it is asked."""
    older = replace(GOOD_IMAP, profile=load("univie-2015").profiles["access"])
    suites = ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",)
    both = changed(
        older,
        suites={"TLSv1.0": suites, "TLSv1.2": suites},
        groups={"TLSv1.2": tuple(g.name for g in older.rules.groups)},
    )
    assert _finding("MT-CURVES", both).verdict == "pass"
    alone = changed(both, suites={"TLSv1.0": suites})
    assert _finding("MT-CURVES", alone).verdict == "inconclusive"


@pytest.mark.parametrize("check", ["MT-CIPHER-SET", "MT-CIPHER-ORDER"])
def test_an_incomplete_discovery_proves_no_set_and_no_order(check: str) -> None:
    """Only the refusal of all the rest proves that there is nothing else, before it or behind."""
    rest = dict.fromkeys(TLS_BOTH, Observation("inconclusive", "timeout"))
    for case in (GOOD_IMAP, _suites("TLSv1.2", TLS12[0]), _suites("TLSv1.2", *TLS12[1::-1])):
        assert _finding(check, changed(case, rest=rest)).verdict == "inconclusive"


def test_suites_are_judged_by_the_certificates_that_are_there() -> None:
    """With an RSA certificate alone nobody expects ECDSA suites, unless they were deployed."""
    rsa_only = changed(_suites("TLSv1.2", *TLS12[3:]), chains=(CHAINS[1],))
    assert _finding("MT-CIPHER-SET", rsa_only).verdict == "pass"
    deployed = replace(rsa_only.planned, key_types=("ecdsa", "rsa"))
    assert _finding("MT-CIPHER-SET", replace(rsa_only, planned=deployed)).verdict == "fail"


def test_a_phased_out_suite_fails_after_its_day() -> None:
    """The same facts, three years later."""
    mx = good_endpoint("smtp", 25, traffic="mx")
    assert _finding("MT-CIPHER-SET", mx).verdict == "pass"
    later = replace(mx, now=NOW + timedelta(days=3 * 365))
    assert _finding("MT-CIPHER-SET", later).verdict == "fail"


def test_a_silent_port_is_closed_only_on_a_host_that_answers_elsewhere() -> None:
    """A firewall drops one port; a host that is down proves nothing."""
    silent = replace(UNWANTED, facts=replace(UNWANTED.facts, reach="no-answer"))
    assert _finding("MT-PORT-EXPECT", silent).verdict == "pass"
    assert _finding("MT-PORT-EXPECT", replace(silent, alive=False)).verdict == "inconclusive"


def test_a_prime_that_was_not_shown_is_not_taken_for_none() -> None:
    """A suite with DHE is accepted, so there is a prime."""
    suites = {"TLSv1.2": ("TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",)}
    case = changed(_historical(2048), dh_primes=None, suites=suites)
    assert _finding("MT-DH-SIZE", case).verdict == "inconclusive"


def test_a_closed_port_that_nobody_demanded_is_inconclusive() -> None:
    """A scan has no inventory."""
    case = changed(GOOD_IMAP, reach="refused")
    case = replace(case, planned=replace(case.planned, demanded=False))
    assert _finding("MT-PORT-EXPECT", case).verdict == "inconclusive"


GOOD_HOST, GOOD_EXIM, OWN_LIBRARY = good_host(), good_host("exim"), own_library()


def _host(case: HostCase, **facts: Any) -> HostCase:
    return replace(case, facts=replace(case.facts, **facts))


def _options(case: HostCase, **options: str) -> HostCase:
    daemon = case.planned.daemon
    merged = {**case.facts.options[daemon], **options}
    return _host(case, options={**case.facts.options, daemon: merged})


def _version(words: str) -> dict[str, str]:
    return dict.fromkeys(GOOD_HOST.facts.versions, words)


PROCESS, MASTER = GOOD_HOST.facts.processes
CONFIG, KEY = GOOD_HOST.facts.files
OURS = OWN_LIBRARY.facts.processes[0]
LIBSSL, LIBCRYPTO = OURS.libraries
BROKEN_HOSTS: list[tuple[str, str, HostCase]] = [
    ("MT-LIB-MAPPED", "another directory",
     _host(GOOD_HOST, processes=(replace(PROCESS, libraries={"/opt/x/libssl.so.3": False}),))),
    ("MT-LIB-MAPPED", "none", _host(GOOD_HOST, processes=(replace(PROCESS, libraries={}),))),
    ("MT-LIB-STALE", "replaced",
     _host(GOOD_HOST, processes=(replace(PROCESS, libraries={"/usr/lib/libssl.so.3": True}),))),
    ("MT-LIB-HASH", "other bytes",
     _host(OWN_LIBRARY, processes=(replace(OURS, digests={**OURS.digests, LIBSSL: "00" * 32}),))),
    ("MT-LIB-HASH", "a file that the package has not", _host(
        OWN_LIBRARY,
        processes=(replace(OURS, libraries={**OURS.libraries, f"{OWN}/lib/libssl.so": False}),),
        owners={**OWN_LIBRARY.facts.owners, f"{OWN}/lib/libssl.so": "mailseal-openssl-3.5"})),
    ("MT-LIB-COMPILED", "another series", replace(GOOD_HOST, built="1.1.1w")),
    ("MT-LIB-COMPILED", "another series of GnuTLS", replace(GOOD_EXIM, built="3.6.16")),
    ("MT-LIB-COMPILED", "another letter where headers decide",
     _host(replace(GOOD_HOST, built="1.0.1e-fips"), versions=_version("OpenSSL 1.0.1h"))),
    ("MT-LIB-SUPPORTED", "a series that has ended",
     _host(replace(OWN_LIBRARY, built="3.0.22"), versions={LIBCRYPTO: "OpenSSL 3.0.22"})),
    ("MT-LIB-SUPPORTED", "a distribution that has ended", _host(GOOD_HOST, system="centos 6.10")),
    ("MT-PKG-VERIFY", "changed", _host(GOOD_HOST, packages=(
        Package("the-daemon", verified=True, altered=("/usr/sbin/x was changed (??5??????)",)),))),
    ("MT-PKG-VERIFY", "nobody's program",
     _host(GOOD_HOST, owners={**GOOD_HOST.facts.owners, PROCESS.program: ""})),
    ("MT-PKG-VERIFY", "nobody's library",
     _host(OWN_LIBRARY, owners={**OWN_LIBRARY.facts.owners, LIBSSL: ""})),
    ("MT-RESTART-PENDING", "newer file",
     _host(GOOD_HOST, files=(replace(CONFIG, modified=PROCESS.started + 5), KEY))),
    ("MT-CONF-EFFECTIVE", "changed", _options(GOOD_HOST, tls_ciphers="ALL")),
    ("MT-CONF-EFFECTIVE", "overridden for a service", _options(GOOD_HOST, imaps_tls_ciphers="ALL")),
    ("MT-CONF-EFFECTIVE", "a service with its own file",
     _options(GOOD_HOST, **{"service:imaps": "imapd -s -C /etc/other.conf"})),
    ("MT-CONF-EFFECTIVE", "another openssl.cnf", _host(GOOD_HOST, library_settings={"cyrus": ""})),
    ("MT-CONF-EFFECTIVE", "cannot be compiled", replace(GOOD_EXIM, compiled=None, obstacle="no")),
    ("MT-KEY-PERM", "world-readable", _host(GOOD_HOST, files=(CONFIG, replace(KEY, mode=0o644)))),
    ("MT-KEY-PERM", "owned by a user", _host(GOOD_HOST, files=(replace(KEY, owner="joe"),))),
    ("MT-KEY-PERM", "a group of many", _host(GOOD_HOST, files=(replace(KEY, group="users"),))),
    ("MT-LOG-ENABLED", "Exim without tls_cipher",
     _options(GOOD_EXIM, log_selector="+tls_sni -tls_cipher")),
    ("MT-LOG-ENABLED", "syslog without mail", _host(GOOD_HOST, options={
        **GOOD_HOST.facts.options, "syslog": {"1": "*.*;mail.none /var/log/syslog"}})),
    ("MT-RESOLVER-VALIDATES", "a resolver that does not, or no trust-ad", _host(GOOD_EXIM, options={
        **GOOD_EXIM.facts.options, "resolver": {"org": "not validated"}})),
]  # fmt: skip


@pytest.mark.parametrize("check", HOST_JUDGES)
@pytest.mark.parametrize("case", [GOOD_HOST, GOOD_EXIM, OWN_LIBRARY], ids=["cyrus", "exim", "own"])
def test_host_checks_pass_on_a_good_host(check: str, case: HostCase) -> None:
    """Every check of a host passes on what was rolled out; the system's library has no manifest."""
    found = _finding(check, case)
    systems = check == "MT-LIB-HASH" and case.manifest is None
    silent = check == "MT-RESOLVER-VALIDATES" and case.planned.daemon != "exim"  # sends nothing
    assert found.verdict == ("not-applicable" if systems or silent else "pass"), found


@pytest.mark.parametrize(
    ("check", "what", "case"),
    [
        pytest.param(*row, marks=pytest.mark.breaks(row[0]), id=f"{row[0]} {row[1]}")
        for row in BROKEN_HOSTS
    ],
)
def test_host_checks_fail_on_their_broken_twin(check: str, what: str, case: HostCase) -> None:
    """And only they do."""
    failed = {name for name in HOST_JUDGES if _finding(name, case).verdict == "fail"}
    assert failed == {check}, what


def test_a_host_that_cannot_be_asked_is_inconclusive() -> None:
    """Whatever the wire says."""
    silent = replace(OWN_LIBRARY, facts=HostFacts("h", reached=False, errors=("no route",)))
    silent = replace(silent, kind=None, compiled=None, obstacle="says nothing")
    assert {_finding(c, silent).verdict for c in HOST_JUDGES} == {"inconclusive"}


def test_a_host_without_processes_or_keys_passes_nothing_about_them() -> None:
    """Absence is not compliance."""
    master = _host(GOOD_HOST, processes=(MASTER,))
    assert _finding("MT-LIB-STALE", master).verdict == "inconclusive"
    unread = _host(GOOD_EXIM, options={"exim": {}})
    assert _finding("MT-LOG-ENABLED", unread).verdict == "inconclusive"
    empty = _host(GOOD_HOST, processes=(), files=())
    for said in ({"org": "no answer"}, {}):
        mute = _host(GOOD_EXIM, options={**GOOD_EXIM.facts.options, "resolver": said})
        assert _finding("MT-RESOLVER-VALIDATES", mute).verdict == "inconclusive"
    for check in {*HOST_JUDGES} - {"MT-LIB-HASH", "MT-CONF-EFFECTIVE", "MT-RESOLVER-VALIDATES"}:
        assert _finding(check, empty).verdict == "inconclusive", check
    assert _finding("MT-LIB-HASH", _host(OWN_LIBRARY, processes=())).verdict == "inconclusive"


def test_every_check_has_a_judge_and_every_judge_a_row() -> None:
    """Catalogue and judges are the same set."""
    assert {c.id for c in CATALOGUE.values() if c.scope == "endpoint"} == set(ENDPOINT_JUDGES)
    assert {c.id for c in CATALOGUE.values() if c.scope == "host"} == set(HOST_JUDGES)


def test_the_plan_holds_what_makes_sense_and_no_more() -> None:
    """Nothing before TLS in implicit mode; MAIL only on submission; PREAUTH only on IMAP."""

    def ids(case: EndpointCase) -> set[str]:
        return {p.check.id for p in plan_endpoint(case.planned, case.profile)}

    implicit = ids(good_endpoint(port=993, mode="implicit"))
    assert not {c for c in implicit if "BEFORE" in c or "-INJ-" in c or "LOGIN" in c}
    assert not implicit & {"MT-STARTTLS-ADV", "MT-STARTTLS-ARGS", "MT-CAPA-REISSUE"}
    assert "MT-MAIL-BEFORE-TLS" in ids(GOOD_587)
    assert "MT-MAIL-BEFORE-TLS" not in ids(good_endpoint("smtp", 25, traffic="mx"))
    assert "MT-GREETING-PREAUTH" in ids(GOOD_IMAP)
    assert "MT-GREETING-PREAUTH" not in ids(GOOD_587)
    assert {c for c in ids(GOOD_587) if c.startswith("MT-INJ")} == {"MT-INJ-SMTP", "MT-INJ-SPLIT"}
    assert {"MT-STARTTLS-TWICE", "MT-RENEG-CLIENT"} <= implicit
    assert "MT-HTTP-ERR" not in implicit  # the policy has no opinion
    assert "MT-PLAIN-PORT-CLOSED" not in ids(GOOD_IMAP)
    implicit_only = replace(GOOD_IMAP, profile=replace(GOOD_IMAP.rules, starttls="forbidden"))
    assert "MT-PLAIN-PORT-CLOSED" in ids(implicit_only)
    assert "MT-STARTTLS-ADV" not in ids(implicit_only)
    assert "MT-STATE-RESET" in ids(GOOD_587)
    assert "MT-STATE-RESET" not in ids(GOOD_IMAP)
    assert ids(UNWANTED) == {"MT-PORT-EXPECT"}
    assert len(list(plan_host(GOOD_HOST.planned))) == len(HOST_JUDGES)


def test_exit_codes_follow_the_verdicts() -> None:
    """A failure counts more than doubt, doubt more than passes, and nothing tested is doubt."""
    good = _finding("MT-SSL3", GOOD_IMAP)
    bad = replace(good, verdict="fail")
    unsure = replace(good, verdict="inconclusive")
    waived = replace(good, verdict="waived")
    assert exit_code([good, waived]) == 0
    assert exit_code([good, unsure, bad]) == 1
    assert exit_code([good, unsure]) == 3
    assert exit_code([]) == 3


def test_the_historical_policy_judges_a_modern_server_as_wrong() -> None:
    """One set of facts, two policies, two answers."""
    other = replace(GOOD_IMAP, profile=load("univie-2015").profiles["access"])
    failed = {c for c in ENDPOINT_JUDGES if _finding(c, other).verdict == "fail"}
    assert {"MT-TLS10", "MT-TLS11", "MT-TLS13", "MT-CIPHER-SET"} <= failed
    assert POLICY.id == "mailseal-2026"
    assert ROOT_KEY


def test_the_page_of_checks_is_up_to_date() -> None:
    """docs/checks.md is made from the catalogue."""
    written = (Path(__file__).parents[2] / "docs" / "checks.md").read_text(encoding="utf-8")
    assert page() == written


def test_the_variables_that_mend_are_those_of_the_roles() -> None:
    """Each that a fix names is read by a role or stands in the README's table."""
    root = Path(__file__).parents[2]
    files = [*root.glob("roles/*/*/*.yml"), *root.glob("roles/*/README.md"), root / "README.md"]
    known = set(re.findall(r"mailseal_\w+", " ".join(f.read_text("utf-8") for f in files)))
    named = {v for c in CATALOGUE.values() for v in re.findall(r"mailseal_\w+", c.fix)}
    assert len(named) > 10
    assert named <= known


def test_the_roles_that_mend_exist() -> None:
    """Each that a fix names is a directory of roles/."""
    root = Path(__file__).parents[2]
    named = {r for c in CATALOGUE.values() for r in re.findall(r"role (\w+)", c.fix)}
    assert {"deploy", "exim", "tls_certificate"} <= named
    assert all((root / "roles" / name).is_dir() for name in named)
