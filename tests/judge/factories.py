"""Facts of servers and hosts that pass every check, to be broken one by one."""

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from msgspec.structs import replace

from audit.facts import (
    Behaviour,
    Chain,
    Endpoint,
    EndpointFacts,
    File,
    HostFacts,
    Mode,
    Observation,
    Package,
    Plaintext,
    Process,
    Service,
)
from audit.iana import VERSIONS
from audit.judge.case import EndpointCase, HostCase, PlannedEndpoint, PlannedHost
from audit.manifest import Manifest
from audit.policy.compile import DEFAULTS, compile_policy
from audit.policy.load import load
from audit.policy.model import Traffic
from audit.wire.certificate import parse
from lab.issuing import certify

NOW = datetime.now(tz=UTC)
# The day on which hosts are looked at: what is maintained is a matter of the calendar.
DAY = datetime(2026, 11, 28, tzinfo=UTC)
POLICY = load("mailseal-2026")
ROOT_KEY = ec.generate_private_key(ec.SECP256R1())
ROOT = certify("root", ROOT_KEY, ROOT_KEY, "root", ca=True)
RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())


def chain(key: Any = None, **options: Any) -> Chain:  # a chain of one leaf
    """A leaf for m.example, signed by the root."""
    options = {"names": ("m.example",), "issuer": "root", "issuer_key": ROOT_KEY, **options}
    leaf = certify(options.pop("subject", "m.example"), key or EC_KEY, **options)
    return (parse(leaf.public_bytes(serialization.Encoding.DER)),)


CHAINS = (chain(EC_KEY), chain(RSA_KEY))
PLAIN = Plaintext(
    greeting="* OK ready",
    preauth=False,
    starttls="accepted",
    auth_offered=(),
    login="refused",
    login_reply="NO Login only available under a layer",
    mail=Observation("refused", "530 5.7.0 Must issue a STARTTLS command first"),
)


# What a server that is as it should be does, and what it does not.
_DOES: tuple[Behaviour, ...] = (
    "extended-master-secret",
    "encrypt-then-mac",
    "fallback-scsv",
    "ocsp-stapling",
    "alpn-own",
    "sni-none",
)
BEHAVIOURS = {
    behaviour: Observation("accepted" if behaviour in _DOES else "refused", "as it should be")
    for behaviour in get_args(Behaviour)
}


def good_endpoint(
    service: Service = "imap", port: int = 143, mode: Mode = "starttls", traffic: Traffic = "access"
) -> EndpointCase:
    """An endpoint exactly as the policy wants it."""
    profile = POLICY.profiles[traffic]
    day = NOW.date()
    served = profile.allowed_versions(day)
    groups = ("X25519", "P-256", "P-384")
    facts = EndpointFacts(
        endpoint=Endpoint("h", "192.0.2.1", port, service, mode, "m.example"),
        reach="open",
        protocols={
            v: Observation("accepted" if v in served else "refused", "alert 70") for v in VERSIONS
        },
        suites={v: tuple(s.name for s in profile.allowed_suites(v, day)) for v in served},
        rest=dict.fromkeys(served, Observation("refused", "alert 40")),
        preference=dict.fromkeys(served, "server"),
        groups=dict.fromkeys(served, groups),
        compression=Observation("refused", "null"),
        secure_renegotiation=True,
        chains=CHAINS,
        handshake=Observation("accepted", "TLSv1.3"),
        behaviours=BEHAVIOURS,
        plaintext=PLAIN if mode == "starttls" else None,
    )
    planned = PlannedEndpoint(facts.endpoint, traffic)
    roots = (ROOT.public_bytes(serialization.Encoding.DER),)
    return EndpointCase(planned, facts, profile, NOW, roots)


def changed(case: EndpointCase, **facts: Any) -> EndpointCase:
    """The same case with other facts."""
    return replace(case, facts=replace(case.facts, **facts))


def good_host(daemon: str = "cyrus") -> HostCase:
    """A host exactly as it was rolled out."""
    target = DEFAULTS["cyrus" if daemon == "cyrus" else "exim-gnutls"]
    compiled = compile_policy(POLICY, target, NOW.date())
    where = "/usr/lib/x86_64-linux-gnu"
    program = "/usr/lib/cyrus/bin/imapd" if daemon == "cyrus" else "/usr/sbin/exim4"
    library = f"{where}/libssl.so.3" if daemon == "cyrus" else f"{where}/libgnutls.so.30"
    tells = f"{where}/libcrypto.so.3" if daemon == "cyrus" else library
    mapped = {library: False, tells: False}
    started = NOW.timestamp()
    config = "/etc/imapd.conf" if daemon == "cyrus" else "/etc/exim4/exim4.conf"
    options = {
        daemon: {**compiled.options, "log_selector": "+tls_cipher +tls_sni"},
        "syslog": {"1": "mail.* -/var/log/mail.log", "2": "kern.* /var/log/kern.log"},
    }
    if daemon == "cyrus":
        options["cyrus"]["service:imaps"] = "imapd -s -U 30"
    else:
        options["resolver"] = {"org": "validated"}
    facts = HostFacts(
        host="h",
        reached=True,
        processes=(
            Process(10, daemon, "imapd", started, mapped, program, ports=(143, 993)),
            Process(9, daemon, "cyrmaster", started, {}, "/usr/sbin/cyrmaster"),
        ),
        files=(
            File(config, 0o644, "root", "root", started - 60),
            File("/etc/mailseal/tls/rsa.key", 0o640, "root", "mail", started - 60),
        ),
        options=options,
        library_settings={daemon: compiled.openssl_cnf or ""},
        system="debian 12",
        services={"imap": 143, "imaps": 993} if daemon == "cyrus" else {},
        versions={tells: "OpenSSL 3.0.22" if daemon == "cyrus" else "GnuTLS 3.7.9"},
        owners={**dict.fromkeys([program, "/usr/sbin/cyrmaster"], "the-daemon"),
                **dict.fromkeys(mapped, "the-library")},
        packages=(Package("the-daemon", verified=True), Package("the-library", verified=True)),
    )  # fmt: skip
    built = "3.0.20" if daemon == "cyrus" else "3.7.9"
    planned = PlannedHost("h", daemon)  # type: ignore[arg-type]
    return HostCase(planned, facts, DAY, target.kind, compiled, built=built)


OWN = "/opt/mailseal/openssl-3.5"
MANIFEST = Manifest(
    package="mailseal-openssl-3.5",
    version="3.5.9-1",
    series="3.5",
    prefix=OWN,
    files={f"{OWN}/lib/libssl.so.3": "ab" * 32, f"{OWN}/lib/libcrypto.so.3": "cd" * 32},
)


def own_library() -> HostCase:
    """A host whose Cyrus was built on a library of ours."""
    case = good_host()
    imapd, master = case.facts.processes
    mapped = dict.fromkeys(MANIFEST.files, False)
    facts = replace(
        case.facts,
        processes=(replace(imapd, libraries=mapped, digests=MANIFEST.files), master),
        versions={f"{OWN}/lib/libcrypto.so.3": "OpenSSL 3.5.9"},
        owners={**case.facts.owners, **dict.fromkeys(mapped, "mailseal-openssl-3.5")},
    )
    planned = replace(case.planned, library_prefix=(OWN,))
    return replace(case, planned=planned, facts=facts, built="3.5.9", manifest=MANIFEST)


__all__ = [
    "CHAINS", "DAY", "EC_KEY", "MANIFEST", "NOW", "OWN", "PLAIN", "POLICY", "ROOT_KEY", "RSA_KEY",
    "chain", "changed", "good_endpoint", "good_host", "hashes", "own_library", "timedelta",
]  # fmt: skip
