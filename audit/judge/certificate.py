"""Certificates: chain, name, time, key, signature, each on its own.

The checks do not overlap: an expired certificate fails for its time and not for its chain too, so
that a finding says what is wrong and not what follows from it.
"""

import ipaddress
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import lru_cache

from cryptography import x509
from OpenSSL import crypto
from service_identity import CertificateError, VerificationError
from service_identity.cryptography import extract_patterns
from service_identity.hazmat import (
    DNS_ID,
    CertificatePattern,
    IPAddress_ID,
    ServiceID,
    verify_service_identity,
)

from audit.facts import Certificate, Chain
from audit.judge.case import EndpointCase, Judgement

_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME (openssl/x509_vfy.h)


def chain(case: EndpointCase) -> Judgement:
    """Each chain leads to a trusted root, whatever its dates."""
    store = _store(case.roots)

    def wrong(served: Chain) -> str:
        leaf, *others = [crypto.X509.from_cryptography(_load(c)) for c in served]
        try:
            crypto.X509StoreContext(store, leaf, others).verify_certificate()
        except crypto.X509StoreContextError as error:
            return str(error)
        return ""

    return _each(case, wrong, "a chain to a trusted root")


def name(case: EndpointCase) -> Judgement:
    """Each leaf is for the name clients use."""
    first = case.planned.endpoint.name
    if not first:
        return Judgement("not-applicable", "no name to compare with", "the name clients use")

    wanted = (first, *case.planned.names)

    def wrong(served: Chain) -> str:
        patterns = extract_patterns(_load(served[0]))
        missing = [name for name in wanted if not _covers(patterns, name)]
        names = ", ".join(served[0].names) or "no name"
        return f"is for {names}, not for {', '.join(missing)}" if missing else ""

    return _each(case, wrong, f"for {', '.join(wanted)}")


def time(case: EndpointCase) -> Judgement:
    """Each certificate of each chain is valid now, and the leaf for some days."""
    least = case.rules.certificate.days_left

    def wrong(served: Chain) -> str:
        for certificate in served:
            if case.now < certificate.not_before:
                return (
                    f"{certificate.subject} is not valid before {certificate.not_before:%Y-%m-%d}"
                )
            if case.now > certificate.not_after:
                return f"{certificate.subject} ended on {certificate.not_after:%Y-%m-%d}"
        left = served[0].not_after - case.now
        return f"ends in {left.days} days" if left < timedelta(days=least) else ""

    return _each(case, wrong, f"valid for {least} days or more")


def key(case: EndpointCase) -> Judgement:
    """Each leaf has a key of the policy's strength."""
    rules = case.rules.certificate

    def wrong(served: Chain) -> str:
        leaf = served[0]
        if leaf.key_type == "rsa" and leaf.key_bits < rules.rsa_bits:
            return f"RSA with {leaf.key_bits} bits"
        if leaf.key_type == "ecdsa" and leaf.curve not in rules.curves:
            return f"ECDSA on {leaf.curve}"
        return "" if leaf.key_type in ("rsa", "ecdsa", "ed25519", "ed448") else leaf.key_type

    expected = f"RSA with {rules.rsa_bits} bits or more, ECDSA on {', '.join(rules.curves)}"
    return _each(case, wrong, expected)


def signature(case: EndpointCase) -> Judgement:
    """Each certificate below the root is signed with a hash of the policy."""
    hashes = case.rules.certificate.signature_hashes

    def wrong(served: Chain) -> str:
        signed = [c for c in served if c.subject != c.issuer] or [served[0]]
        weak = [c for c in signed if c.signature_hash and c.signature_hash not in hashes]
        return ", ".join(f"{c.subject} is signed with {c.signature_hash}" for c in weak)

    return _each(case, wrong, f"signed with {', '.join(hashes)}")


def alternative_names(case: EndpointCase) -> Judgement:
    """Each leaf has a subjectAltName."""

    def wrong(served: Chain) -> str:
        return "" if served[0].names else f"only the subject {served[0].subject}"

    return _each(case, wrong, "names as subjectAltName")


def _each(case: EndpointCase, wrong: Callable[[Chain], str], expected: str) -> Judgement:
    chains = [c for c in case.facts.chains if c]
    if not chains:
        words = "no certificate was seen"
        return Judgement("inconclusive", words, expected, "; ".join(case.facts.errors))
    faults = [f"{c[0].key_type}: {fault}" for c in chains if (fault := wrong(c))]
    evidence = "; ".join(_describe(c[0]) for c in chains)
    if faults:
        return Judgement("fail", "; ".join(faults), expected, evidence, "certificate")
    return Judgement("pass", "as expected", expected, evidence, "certificate")


def _describe(leaf: Certificate) -> str:
    until = f"{leaf.not_after:%Y-%m-%d}"
    return f"{leaf.subject} ({leaf.key_type} {leaf.key_bits}, until {until}) {leaf.fingerprint}"


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
