"""Bad certificates from the lab's own authority: like the host's good ones but for one thing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from lab.errors import LabError

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_WEEK = timedelta(days=7)
_WRONG_NAME = "elsewhere.lab.test"
# The signature algorithms, as DER writes them into a certificate.
_RSA_SHA256 = bytes.fromhex("300d06092a864886f70d01010b0500")
_RSA_SHA1 = bytes.fromhex("300d06092a864886f70d0101050500")
_ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
_ECDSA_SHA1 = bytes.fromhex("300906072a8648ce3d0401")
_END = b"-----END CERTIFICATE-----\n"


@dataclass(frozen=True)
class Pair:
    """A certificate file (its chain included) and its private key, both PEM."""

    certificate: bytes
    key: bytes


@dataclass(frozen=True)
class Authority:
    """The lab's certificate authority."""

    certificate: x509.Certificate
    key: Key


def authority(directory: Path) -> Authority:
    """Read the authority; raises LabError when the roles have not made it yet."""
    try:
        certificate = x509.load_pem_x509_certificate((directory / "ca.crt").read_bytes())
        key = _private((directory / "ca.key").read_bytes())
    except FileNotFoundError as error:
        raise LabError(
            f"{error.filename} is missing: the lab's authority is made by the first rollout"
        ) from None
    except (ValueError, TypeError) as error:
        raise LabError(f"the authority in {directory} cannot be read: {error}") from None
    return Authority(certificate, key)


def spoil(kind: str, good: Pair, signer: Authority) -> Pair:
    """Return a pair like the good one, spoilt in one way; raises LabError on unreadable input."""
    try:
        leaf = x509.load_pem_x509_certificate(good.certificate)
        key = _private(good.key)
    except (ValueError, TypeError) as error:
        raise LabError(f"the host's certificate or key cannot be read: {error}") from None
    return KINDS[kind](good, leaf, key, signer)


def _private(pem: bytes) -> Key:
    key = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise TypeError("neither an RSA nor an EC key")
    return key


def _expired(good: Pair, leaf: x509.Certificate, key: Key, signer: Authority) -> Pair:
    now = datetime.now(UTC)
    builder = _like(leaf, key).not_valid_before(now - 10 * _WEEK).not_valid_after(now - _WEEK)
    return _chained(good, _issued(builder, signer))


def _self_signed(good: Pair, leaf: x509.Certificate, key: Key, _signer: Authority) -> Pair:
    builder = _timed(_like(leaf, key), leaf).issuer_name(leaf.subject)
    return Pair(_pem(builder.sign(key, hashes.SHA256())), good.key)


def _wrong_name(good: Pair, leaf: x509.Certificate, key: Key, signer: Authority) -> Pair:
    builder = _timed(_like(leaf, key, name=_WRONG_NAME), leaf)
    return _chained(good, _issued(builder, signer))


def _weak_key(good: Pair, leaf: x509.Certificate, key: Key, signer: Authority) -> Pair:
    if not isinstance(key, rsa.RSAPrivateKey):
        return good
    # A key nobody should make any more, which is the point.
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505
    spoilt = _chained(good, _issued(_timed(_like(leaf, weak), leaf), signer))
    pem = weak.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return Pair(spoilt.certificate, pem)


def _sha1(good: Pair, leaf: x509.Certificate, key: Key, signer: Authority) -> Pair:
    """Sign anew with SHA-1, by hand: the library refuses to, and is right."""
    strong = _issued(_timed(_like(leaf, key), leaf), signer)
    if isinstance(signer.key, rsa.RSAPrivateKey):
        old, new = _RSA_SHA256, _RSA_SHA1
    else:
        old, new = _ECDSA_SHA256, _ECDSA_SHA1
    body = _content(strong.tbs_certificate_bytes).replace(old, new, 1)
    signed = _sequence(body)
    if isinstance(signer.key, rsa.RSAPrivateKey):
        signature = signer.key.sign(signed, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303
    else:
        signature = signer.key.sign(signed, ec.ECDSA(hashes.SHA1()))  # noqa: S303
    bits = b"\x03" + _length(len(signature) + 1) + b"\0" + signature
    weak = x509.load_der_x509_certificate(_sequence(signed + new + bits))
    return _chained(good, weak)


def _content(sequence: bytes) -> bytes:
    """Return what is inside a DER value: its length takes one byte, or says how many follow."""
    first = sequence[1]
    return sequence[2 + (first & 0x7F if first & 0x80 else 0) :]


def _sequence(content: bytes) -> bytes:
    return b"\x30" + _length(len(content)) + content


def _length(number: int) -> bytes:
    if number < 0x80:  # noqa: PLR2004
        return bytes([number])
    digits = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(digits)]) + digits


KINDS: dict[str, Callable[[Pair, x509.Certificate, Key, Authority], Pair]] = {
    "expired": _expired,
    "self-signed": _self_signed,
    "wrong-name": _wrong_name,
    "weak-key": _weak_key,
    "sha1": _sha1,
}


def _like(leaf: x509.Certificate, key: Key, *, name: str | None = None) -> x509.CertificateBuilder:
    """Begin a certificate with the good one's extensions and, unless named, its subject."""
    subject = leaf.subject
    if name:
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
    )
    for extension in leaf.extensions:
        value = extension.value
        if isinstance(value, x509.AuthorityKeyIdentifier | x509.SubjectKeyIdentifier):
            continue
        if name and isinstance(value, x509.SubjectAlternativeName):
            value = x509.SubjectAlternativeName([x509.DNSName(name)])
        builder = builder.add_extension(value, critical=extension.critical)
    return builder


def _timed(builder: x509.CertificateBuilder, leaf: x509.Certificate) -> x509.CertificateBuilder:
    return builder.not_valid_before(leaf.not_valid_before_utc).not_valid_after(
        leaf.not_valid_after_utc
    )


def _issued(builder: x509.CertificateBuilder, signer: Authority) -> x509.Certificate:
    return builder.issuer_name(signer.certificate.subject).sign(signer.key, hashes.SHA256())


def _chained(good: Pair, certificate: x509.Certificate) -> Pair:
    """Put a new leaf before whatever chain the good file has."""
    _, _, chain = good.certificate.partition(_END)
    return Pair(_pem(certificate) + chain, good.key)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
