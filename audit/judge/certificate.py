"""Certificates: chain, name, time, key, signature, each on its own.

The checks do not overlap: an expired certificate fails for its time and not for its chain too, so
that a finding says what is wrong and not what follows from it.
"""

import contextlib
import ipaddress
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import lru_cache

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from OpenSSL import crypto
from service_identity import CertificateError, VerificationError
from service_identity.hazmat import (
    DNS_ID,
    CertificatePattern,
    DNSPattern,
    IPAddress_ID,
    IPAddressPattern,
    ServiceID,
    verify_service_identity,
)

from audit.facts import Certificate, Chain
from audit.iana import suite
from audit.judge.case import EndpointCase, EndpointJudge, Judgement
from audit.names import is_address
from audit.wire.certificate import parse

_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME (openssl/x509_vfy.h)


def chain(case: EndpointCase) -> Judgement:
    """Each chain leads to a trusted root, whatever its dates."""
    store = _store(case.roots)

    def wrong(served: Chain) -> str:
        try:
            _path(store, served)
        except crypto.X509StoreContextError as error:
            return str(error)
        return "" if _for_servers(served[0]) else "its extended key usage is not for servers"

    return each(case, wrong, "a chain to a trusted root, for servers")


def name(case: EndpointCase) -> Judgement:
    """Each leaf is for the name clients use."""
    first = case.planned.endpoint.name
    if not first:
        return Judgement("not-applicable", "no name to compare with", "the name clients use")

    wanted = (first, *case.planned.names)

    def wrong(served: Chain) -> str:
        patterns = _patterns(served[0])
        missing = [name for name in wanted if not _covers(patterns, name)]
        names = ", ".join(served[0].names) or "no name"
        return f"is for {names}, not for {', '.join(missing)}" if missing else ""

    return each(case, wrong, f"for {', '.join(wanted)}")


def time(case: EndpointCase) -> Judgement:
    """Each certificate of each chain is valid now, and the leaf for some days."""
    least = case.rules.certificate.days_left

    def wrong(served: Chain) -> str:
        for certificate in relevant(case, served):
            if case.now < certificate.not_before:
                return (
                    f"{certificate.subject} is not valid before {certificate.not_before:%Y-%m-%d}"
                )
            if case.now > certificate.not_after:
                return f"{certificate.subject} ended on {certificate.not_after:%Y-%m-%d}"
        leaf, most = served[0], case.rules.certificate.lifetime_days
        lifetime = leaf.not_after - leaf.not_before
        if most is not None and lifetime > timedelta(days=most):
            return f"lasts {lifetime.days} days, more than {most}"
        left = leaf.not_after - case.now
        return f"ends in {left.days} days" if left < timedelta(days=least) else ""

    most = case.rules.certificate.lifetime_days
    longest = f", and for {most} at most in all" if most else ""
    return each(case, wrong, f"valid for {least} days or more{longest}")


def alternative_names(case: EndpointCase) -> Judgement:
    """Each leaf has a subjectAltName."""

    def wrong(served: Chain) -> str:
        return "" if served[0].names else f"only the subject {served[0].subject}"

    return each(case, wrong, "names as subjectAltName")


def each(case: EndpointCase, wrong: Callable[[Chain], str], expected: str) -> Judgement:
    """The judgement on every chain; *wrong* says what is wrong with one, or nothing."""
    chains = [c for c in case.facts.chains if c]
    if case.facts.bad_chains:
        words = f"a certificate cannot be read: {case.facts.bad_chains[0]}"
        return Judgement("fail", words, expected, "; ".join(case.facts.bad_chains), "certificate")
    if not chains:
        words = "no certificate was seen"
        return Judgement("inconclusive", words, expected, "; ".join(case.facts.errors))
    faults = [f"{c[0].key_type}: {fault}" for c in chains if (fault := wrong(c))]
    evidence = "; ".join(_describe(c[0]) for c in chains)
    if faults:
        return Judgement("fail", "; ".join(faults), expected, evidence, "certificate")
    unseen = _in_use(case) - {c[0].key_type for c in chains}
    if unseen:
        words = f"the {' and '.join(sorted(unseen))} certificate was not seen"
        return Judgement("inconclusive", words, expected, evidence, "certificate")
    return Judgement("pass", "as expected", expected, evidence, "certificate")


def _in_use(case: EndpointCase) -> set[str]:
    """The deployed types of certificate that the accepted suites can show."""
    deployed: set[str] = {*(case.planned.key_types or ())}
    accepted = {suite(name) for names in case.facts.suites.values() for name in names}
    signers = {s.authentication.lower() for s in accepted if not s.tls13}
    return deployed & signers if signers else deployed


def _describe(leaf: Certificate) -> str:
    until = f"{leaf.not_after:%Y-%m-%d}"
    return f"{leaf.subject} ({leaf.key_type} {leaf.key_bits}, until {until}) {leaf.fingerprint}"


def relevant(case: EndpointCase, served: Chain) -> Chain:
    """The certificates that clients rely on: the verified path, or what was served without one.

    A superfluous certificate in the chain hurts nobody, and a root that ended does.
    """
    try:
        return _path(_store(case.roots), served)
    except crypto.X509StoreContextError:
        return served


def _path(store: crypto.X509Store, served: Chain) -> Chain:
    leaf, *others = [crypto.X509.from_cryptography(_load(c)) for c in served]
    path = crypto.X509StoreContext(store, leaf, others).get_verified_chain()
    return tuple(parse(crypto.dump_certificate(crypto.FILETYPE_ASN1, c)) for c in path)


def _for_servers(leaf: Certificate) -> bool:
    """RFC 5280, section 4.2.1.12: without the extension a certificate is for everything."""
    try:
        found = _load(leaf).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return bool(
        {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & {*found}
    )


def _patterns(leaf: Certificate) -> list[CertificatePattern]:
    """Each name on its own: one that no RFC allows must not void the others."""
    patterns: list[CertificatePattern] = []
    for name in leaf.names:
        with contextlib.suppress(CertificateError, ValueError):
            if is_address(name):
                patterns.append(IPAddressPattern(ipaddress.ip_address(name)))
            else:
                patterns.append(DNSPattern.from_bytes(name.encode()))
    return patterns


def _covers(patterns: Sequence[CertificatePattern], name: str) -> bool:
    try:
        verify_service_identity(patterns, [_identity(name)], [])
    except (VerificationError, CertificateError):
        return False
    return True


def _identity(wanted: str) -> ServiceID:
    try:
        return IPAddress_ID(str(ipaddress.ip_address(wanted)))
    except ValueError:
        return DNS_ID(wanted)


@lru_cache(maxsize=4096)
def _load(certificate: Certificate) -> x509.Certificate:
    return x509.load_der_x509_certificate(certificate.der)


@lru_cache(maxsize=4)
def _store(roots: tuple[bytes, ...]) -> crypto.X509Store:
    store = crypto.X509Store()
    store.set_flags(_NO_CHECK_TIME)
    for root in roots:
        # Not through `cryptography`: it warns of roots that are older than its own rules.
        store.add_cert(crypto.load_certificate(crypto.FILETYPE_ASN1, root))
    return store


JUDGES: dict[str, EndpointJudge] = {
    "MT-CERT-CHAIN": chain,
    "MT-CERT-NAME": name,
    "MT-CERT-TIME": time,
    "MT-CERT-SANS": alternative_names,
}
