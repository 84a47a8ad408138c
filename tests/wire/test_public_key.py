"""The public key of a certificate, octet by octet as it stands there."""

import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from audit.wire.certificate import public_key
from lab.issuing import certify


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_an_ordinary_key_is_what_a_library_writes(kind: str) -> None:
    """The same octets, so that the digests are those that everybody publishes."""
    key = (
        rsa.generate_private_key(65537, 2048)
        if kind == "rsa"
        else ec.generate_private_key(ec.SECP256R1())
    )
    der = certify("x", key, key, "x").public_bytes(Encoding.DER)
    written = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert public_key(der) == written


@pytest.mark.parametrize(
    ("make", "form"),
    [
        ("-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048", ""),
        ("-algorithm EC -pkeyopt ec_paramgen_curve:P-256", "-ec_conv_form compressed"),
    ],
    ids=["RSA-PSS", "compressed point"],
)
def test_an_unusual_key_is_not_written_anew(make: str, form: str, tmp_path: Path) -> None:
    """OpenSSL's own octets; a library would give others, and TLSA records would not match."""

    def openssl(words: str, given: bytes = b"") -> bytes:
        command = ["openssl", *words.split()]
        done = subprocess.run(command, cwd=tmp_path, input=given, check=True, capture_output=True)
        return done.stdout

    openssl(f"genpkey {make} -out made")
    openssl(f"pkey -in made {form} -out key")
    openssl("req -new -x509 -key key -subj /CN=x -outform DER -out crt")
    pem = openssl("x509 -inform DER -in crt -noout -pubkey")
    expected = openssl("asn1parse -noout -out /dev/stdout", pem)
    der = (tmp_path / "crt").read_bytes()
    assert public_key(der) == expected
    anew = x509.load_der_x509_certificate(der).public_key()
    assert anew.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != expected


@pytest.mark.parametrize("der", [b"", b"\x30", b"\x30\x82", b"\x30\x05\x30\x84\xff", b"\x30\0"])
def test_what_is_no_certificate_is_told(der: bytes) -> None:
    """It ends too soon."""
    with pytest.raises(ValueError, match="ends too soon"):
        public_key(der)
