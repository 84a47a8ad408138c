"""Certificates as hostile or careless people make them."""

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID
from msgspec.structs import replace

from audit.judge import certificate, protocol, strength
from audit.wire.certificate import parse
from lab.issuing import certify
from tests.judge.factories import CHAINS, EC_KEY, ROOT_KEY, chain, changed, good_endpoint

GOOD = good_endpoint()


def _with(*chains: object) -> object:
    return changed(GOOD, chains=chains)


def test_a_certificate_that_cannot_be_read_fails_every_check_of_certificates() -> None:
    """A second certificate must not vanish because it does not parse."""
    case = changed(GOOD, bad_chains=("not a certificate: garbage",))
    judges = (
        certificate.chain, certificate.name, certificate.time, strength.key,
        strength.signature, certificate.alternative_names,
    )  # fmt: skip
    assert {judge(case).verdict for judge in judges} == {"fail"}


def test_a_deployed_certificate_that_was_not_seen_is_inconclusive() -> None:
    """Two were deployed and one was served: nobody knows about the other."""
    planned = replace(GOOD.planned, key_types=("ecdsa", "rsa"))
    case = replace(changed(GOOD, chains=(CHAINS[0],)), planned=planned)
    found = certificate.time(case)
    assert found.verdict == "inconclusive"
    assert "rsa" in found.observed


def test_the_same_leaf_without_its_intermediate_is_another_chain() -> None:
    """Complete once and incomplete the next time is incomplete."""
    middle_key = ec.generate_private_key(ec.SECP256R1())
    middle = certify("middle", middle_key, ROOT_KEY, "root", ca=True)
    leaf = chain(issuer="middle", issuer_key=middle_key)
    whole = (*leaf, parse(middle.public_bytes(serialization.Encoding.DER)))
    assert certificate.chain(changed(GOOD, chains=(whole,))).verdict == "pass"
    assert certificate.chain(changed(GOOD, chains=(whole, leaf))).verdict == "fail"


def test_a_superfluous_certificate_that_ended_hurts_nobody() -> None:
    """Clients build their path without it."""
    other = ec.generate_private_key(ec.SECP256R1())
    ended = certify("old", other, ROOT_KEY, "root", ca=True, days=(-30, -1))
    extra = parse(ended.public_bytes(serialization.Encoding.DER))
    assert certificate.time(changed(GOOD, chains=((*CHAINS[0], extra),))).verdict == "pass"


def test_a_root_that_ended_is_seen() -> None:
    """It is not served, but everybody relies on it."""
    ended = certify("root", ROOT_KEY, ROOT_KEY, "root", ca=True, days=(-30, -1))
    roots = (ended.public_bytes(serialization.Encoding.DER),)
    assert certificate.time(replace(GOOD, roots=roots)).verdict == "fail"


def test_a_certificate_for_clients_is_no_server_certificate() -> None:
    """Its extended key usage says so."""
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    base = certify("m.example", EC_KEY, ROOT_KEY, "root", names=("m.example",))
    builder = x509.CertificateBuilder(
        base.issuer, base.subject, base.public_key(), base.serial_number,
        base.not_valid_before_utc, base.not_valid_after_utc, list(base.extensions),
    )  # fmt: skip
    leaf = builder.add_extension(usage, critical=False).sign(ROOT_KEY, hashes.SHA256())
    case = changed(GOOD, chains=((parse(leaf.public_bytes(serialization.Encoding.DER)),),))
    assert certificate.chain(case).verdict == "fail"


def test_one_impossible_name_does_not_void_the_others() -> None:
    """The right name is still there."""
    odd = chain(names=("*", "*.*.x", "m.example"))
    assert certificate.name(changed(GOOD, chains=(odd,))).verdict == "pass"


def test_edwards_curves_sign_the_ecdsa_suites() -> None:
    """RFC 8422, section 5.10."""
    key = ed25519.Ed25519PrivateKey.generate()
    leaf = chain(key)
    only = changed(GOOD, chains=(leaf,), suites={
        **GOOD.facts.suites, "TLSv1.2": GOOD.facts.suites["TLSv1.2"][:3]})  # fmt: skip
    assert protocol.cipher_set(only).verdict == "pass"
