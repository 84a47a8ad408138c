"""Certificates: DER in, facts out.

What reads them is imported on first use: a prober has long said hello before there are any.
"""

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from audit.facts import Certificate, Chain
from audit.iana import group

if TYPE_CHECKING:
    from cryptography import x509

_UNREADABLE = re.compile(r"[\x00-\x1f\x7f]")


@lru_cache(maxsize=4096)
def parse(der: bytes) -> Certificate:
    """The facts of one certificate.

    Raises:
        ValueError: the bytes are no certificate.
    """
    from cryptography import x509
    from OpenSSL import crypto

    try:
        found = x509.load_der_x509_certificate(der)
        # What OpenSSL cannot read no client of it takes, and the judges build chains with OpenSSL.
        crypto.load_certificate(crypto.FILETYPE_ASN1, der)
        key_type, bits, curve = _key(found)
        return Certificate(
            der=der,
            subject=_readable(found.subject.rfc4514_string()),
            issuer=_readable(found.issuer.rfc4514_string()),
            names=_names(found),
            not_before=found.not_valid_before_utc,
            not_after=found.not_valid_after_utc,
            key_type=key_type,
            key_bits=bits,
            curve=curve,
            key=hashlib.sha256(_public(found)).hexdigest(),
            signature_hash=_hash(found),
            fingerprint=hashlib.sha256(der).hexdigest(),
        )
    except Exception as error:  # noqa: BLE001 - hostile certificates raise all there is
        raise ValueError(f"not a certificate: {str(error)[:200]}") from None


def parse_chain(ders: Sequence[bytes]) -> Chain:
    """The facts of a chain, leaf first.

    Raises:
        ValueError: one of them is no certificate.
    """
    return tuple(parse(der) for der in ders)


def public_key(der: bytes) -> bytes:
    """The SubjectPublicKeyInfo of a certificate, as it stands there: what TLSA records name.

    Written anew by a library it may be another one: points of a curve can be compressed, and a key
    for RSA-PSS becomes one for RSA.

    Raises:
        ValueError: the bytes are no certificate.
    """
    fields = _within(_within(der, 0), 0)  # of Certificate, its TBSCertificate (RFC 5280, 4.1)
    at = _end(fields, 0) if fields[:1] == b"\xa0" else 0  # a version, or none
    for _ in range(5):  # serial number, signature, issuer, validity, subject
        at = _end(fields, at)
    return fields[at : _end(fields, at)]


def _within(der: bytes, at: int) -> bytes:
    """The content of the element there."""
    start, end = _span(der, at)
    return der[start:end]


def _end(der: bytes, at: int) -> int:
    """Where the element there ends."""
    return _span(der, at)[1]


def _span(der: bytes, at: int) -> tuple[int, int]:
    """Where the content of the element there begins and ends (X.690, section 8.1.3)."""
    if len(der) < at + 2:
        raise ValueError("not a certificate: it ends too soon")
    length, start = der[at + 1], at + 2
    if length & 0x80:
        octets = length & 0x7F
        length = int.from_bytes(der[start : start + octets], "big")
        start += octets
    if len(der) < start + length:
        raise ValueError("not a certificate: it ends too soon")
    return start, start + length


def rsa_numbers(der: bytes) -> tuple[int, int] | None:
    """Modulus and public exponent of a certificate's RSA key; None if it has no such key."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import rsa

    try:
        key = x509.load_der_x509_certificate(der).public_key()
    except Exception:  # noqa: BLE001 - hostile certificates raise all there is
        return None
    if not isinstance(key, rsa.RSAPublicKey):
        return None
    numbers = key.public_numbers()
    return numbers.n, numbers.e


def _public(found: "x509.Certificate") -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return found.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _key(found: "x509.Certificate") -> tuple[str, int, str]:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    key = found.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return "rsa", key.key_size, ""
    if isinstance(key, ec.EllipticCurvePublicKey):
        try:
            curve = group(key.curve.name).name
        except KeyError:
            curve = key.curve.name
        return "ecdsa", key.key_size, curve
    return type(key).__name__.removesuffix("PublicKey").lower(), 0, ""


def _hash(found: "x509.Certificate") -> str:
    algorithm = found.signature_hash_algorithm
    return algorithm.name if algorithm else ""


def _names(found: "x509.Certificate") -> tuple[str, ...]:
    from cryptography import x509

    try:
        san = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    names = san.get_values_for_type(x509.DNSName)
    addresses = san.get_values_for_type(x509.IPAddress)
    return tuple(_readable(str(name)) for name in (*names, *addresses))


def _readable(text: str) -> str:
    return _UNREADABLE.sub("?", text)
