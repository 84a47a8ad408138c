#!/usr/bin/python
"""A certificate authority on the control host: made once, signs what the inventory names."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mailseal_ca
short_description: Sign certificate requests with an authority of one's own
description:
  - Makes the authority if there is none, under a lock, so that hosts may ask side by side.
  - Only the public key is taken from a request; the names come from the caller.
options:
  directory:
    description: Where the authority is, or will be.
    type: path
    required: true
  name:
    description: The authority's name in its certificate.
    type: str
    default: mailseal CA
  requests:
    description: Certificate signing requests by key type, as PEM.
    type: dict
    default: {}
  names:
    description: The host names for the certificates, the first one is the subject.
    type: list
    elements: str
    required: true
  days:
    description: How long the certificates are valid.
    type: int
    default: 90
"""

EXAMPLES = r"""
- name: Sign the requests
  mailseal_ca:
    directory: /var/lib/mailseal-lab/ca
    requests: {ecdsa: "-----BEGIN CERTIFICATE REQUEST-----..."}
    names: [mx1.lab.test]
  delegate_to: localhost
"""

RETURN = r"""
authority:
  description: The certificate of the authority, as PEM.
  returned: success
  type: str
certificates:
  description: The chain for each request, the authority itself left out, as PEM.
  returned: success
  type: dict
"""

import datetime as dt
import fcntl
import os
from typing import TYPE_CHECKING

from ansible.module_utils.basic import AnsibleModule

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    MISSING = None
except ImportError as error:
    MISSING = str(error)

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

# Clocks of hosts differ; a certificate must not be "not yet valid" on the next one.
SKEW = dt.timedelta(hours=1)


def common_name(text: str) -> x509.Name:
    """A subject with nothing but a common name."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def builder(
    subject: x509.Name, issuer: x509.Name, public_key: CertificatePublicKeyTypes, days: int
) -> x509.CertificateBuilder:
    """What every certificate has: names, key, number, dates."""
    now = dt.datetime.now(tz=dt.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + dt.timedelta(days=days))
    )


def usage(*, ca: bool) -> x509.KeyUsage:
    """An authority signs certificates, a server handshakes."""
    return x509.KeyUsage(
        digital_signature=not ca,
        key_encipherment=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def make_authority(name: str) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    """A key and its certificate. RSA: clients that know no ECDSA must be able to verify it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    subject = common_name(name)
    certificate = (
        builder(subject, subject, key.public_key(), 3650)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage(ca=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return key, certificate


def write(path: str, data: bytes, mode: int) -> None:
    """Write a file that from its first moment has its mode."""
    with open(os.open(path + ".new", os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode), "wb") as stream:
        stream.write(data)
    os.rename(path + ".new", path)


def authority(directory: str, name: str) -> tuple[rsa.RSAPrivateKey, x509.Certificate, bool]:
    """The authority in this directory, made first if there is none; and whether it was made."""
    key_file = os.path.join(directory, "ca.key")
    certificate_file = os.path.join(directory, "ca.crt")
    if os.path.exists(key_file) and os.path.exists(certificate_file):
        with open(key_file, "rb") as stream:
            key = serialization.load_pem_private_key(stream.read(), None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError("ca.key is no RSA key")
        with open(certificate_file, "rb") as stream:
            return key, x509.load_pem_x509_certificate(stream.read()), False
    key, certificate = make_authority(name)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write(key_file, private, 0o600)
    write(certificate_file, pem(certificate), 0o644)
    return key, certificate, True


def pem(certificate: x509.Certificate) -> bytes:
    """A certificate as files have it."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def sign(
    request: str, names: list[str], days: int, key: rsa.RSAPrivateKey, issuer: x509.Certificate
) -> str:
    """The certificate for a request, whose key is used and nothing else."""
    asked = x509.load_pem_x509_csr(request.encode())
    if not asked.is_signature_valid:
        raise ValueError("a request is not signed by its own key")
    public_key = asked.public_key()
    certificate = (
        builder(common_name(names[0]), issuer.subject, public_key, days)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage(ca=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage(
                [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
            ),
            critical=False,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    return pem(certificate).decode()


def main() -> None:
    """Do what the task says."""
    module = AnsibleModule(
        argument_spec={
            "directory": {"type": "path", "required": True},
            "name": {"type": "str", "default": "mailseal CA"},
            "requests": {"type": "dict", "default": {}},
            "names": {"type": "list", "elements": "str", "required": True},
            "days": {"type": "int", "default": 90},
        },
    )
    if MISSING:
        module.fail_json(msg=f"the control host's Python has no cryptography: {MISSING}")
    directory, names = module.params["directory"], module.params["names"]
    try:
        os.makedirs(directory, mode=0o700, exist_ok=True)
        with open(os.path.join(directory, "lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            key, issuer, made = authority(directory, module.params["name"])
        certificates = {
            kind: sign(request, names, module.params["days"], key, issuer)
            for kind, request in module.params["requests"].items()
        }
    except (OSError, ValueError, TypeError) as error:
        module.fail_json(msg=f"the authority in {directory} cannot sign: {error}")
    module.exit_json(
        changed=made or bool(certificates),
        authority=pem(issuer).decode(),
        certificates=certificates,
    )


if __name__ == "__main__":
    main()
