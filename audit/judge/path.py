"""The path from a leaf to a trusted root, as OpenSSL builds it."""

from functools import lru_cache

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from OpenSSL import crypto

from audit.facts import Certificate, Chain
from audit.wire.certificate import parse

# openssl/x509_vfy.h
_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME
_PARTIAL_CHAIN = 0x80000  # X509_V_FLAG_PARTIAL_CHAIN


class NoPathError(ValueError):
    """No trusted root is reached; the message is OpenSSL's."""


def find(roots: tuple[bytes, ...], served: Chain, *, partial: bool = False) -> Chain:
    """The verified path, leaf first, whatever its dates; if *partial*, roots may be any authority.

    Raises:
        NoPathError: there is none.
    """
    leaf, *others = [crypto.X509.from_cryptography(_load(c)) for c in served]
    try:
        path = crypto.X509StoreContext(_store(roots, partial), leaf, others).get_verified_chain()
    except crypto.X509StoreContextError as error:
        raise NoPathError(str(error)) from None
    return tuple(parse(crypto.dump_certificate(crypto.FILETYPE_ASN1, c)) for c in path)


def for_servers(leaf: Certificate) -> bool:
    """RFC 5280, section 4.2.1.12: without the extension a certificate is for everything."""
    try:
        found = _load(leaf).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return bool(
        {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & {*found}
    )


@lru_cache(maxsize=4096)
def _load(certificate: Certificate) -> x509.Certificate:
    return x509.load_der_x509_certificate(certificate.der)


@lru_cache(maxsize=16)
def _store(roots: tuple[bytes, ...], partial: bool) -> crypto.X509Store:  # noqa: FBT001 - of `find`
    store = crypto.X509Store()
    store.set_flags(_NO_CHECK_TIME | (_PARTIAL_CHAIN if partial else 0))
    for root in roots:
        # Not through `cryptography`: it warns of roots that are older than its own rules.
        store.add_cert(crypto.load_certificate(crypto.FILETYPE_ASN1, root))
    return store
