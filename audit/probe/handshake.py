"""A complete handshake by OpenSSL, in memory: the proof that the server holds its key.

pyOpenSSL is imported on first use: it takes longer to load than all hellos take to be answered.
"""

from typing import TYPE_CHECKING

from msgspec import Struct

from audit.probe.connection import Connection, Reset

if TYPE_CHECKING:
    from OpenSSL import SSL

_TLS10, _TLS13 = 0x0301, 0x0304
_CHUNK = 16384
_MOST_ROUNDS = 64
# The signatures of TLS 1.3 by the kind of key that makes them (RFC 8446, section 4.2.3).
SIGNERS = {
    "ecdsa": b"ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512:ed25519:ed448",
    "rsa": b"rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512"
    b":rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512",
}


class Completed(Struct, frozen=True):
    """How it went.

    Attributes:
        ok: the handshake came to its end.
        words: version and suite, or the reason it failed.
        chain: the certificates, leaf first; also when it failed late.
    """

    ok: bool
    words: str
    chain: tuple[bytes, ...] = ()


def handshake(connection: Connection, name: str, signer: str = "") -> Completed:
    """Shake hands on an open connection; nothing is verified here, only seen.

    With a *signer*, in TLS 1.3 only and with a certificate for this kind of key only.

    Raises:
        ProbeError: the connection did not carry it.
    """
    from OpenSSL import SSL, crypto

    tls = SSL.Connection(_context(signer))
    if name:
        tls.set_tlsext_host_name(name.encode("idna"))
    tls.set_connect_state()
    for _ in range(_MOST_ROUNDS):
        try:
            tls.do_handshake()
        except SSL.WantReadError:
            _pump(tls, connection)
        except SSL.Error as error:
            return Completed(ok=False, words=_reason(error))
        else:
            connection.send(_outgoing(tls))
            chain = tls.get_peer_cert_chain() or []
            words = f"{tls.get_protocol_version_name()} {tls.get_cipher_name()}"
            ders = tuple(crypto.dump_certificate(crypto.FILETYPE_ASN1, c) for c in chain)
            return Completed(ok=True, words=words, chain=ders)
    raise Reset("the handshake does not come to an end")


def _context(signer: str) -> "SSL.Context":
    """Everything this OpenSSL can: the judgement is not its job."""
    from cryptography.hazmat.bindings.openssl.binding import Binding
    from OpenSSL import SSL

    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_verify(SSL.VERIFY_NONE)
    context.set_min_proto_version(_TLS13 if signer else _TLS10)
    if signer:  # a call that pyOpenSSL does not wrap
        chosen = Binding.lib.SSL_CTX_set1_sigalgs_list(context._context, SIGNERS[signer])  # noqa: SLF001
        if chosen != 1:
            raise ValueError(f"this OpenSSL does not know the signatures for {signer}")
    context.set_cipher_list(b"ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    return context


def _pump(tls: "SSL.Connection", connection: Connection) -> None:
    connection.send(_outgoing(tls))
    data = connection.receive()
    if not data:
        raise Reset("the server closed the connection in the middle of a handshake")
    tls.bio_write(data)


def _outgoing(tls: "SSL.Connection") -> bytes:
    from OpenSSL import SSL

    parts = []
    while True:
        try:
            parts.append(tls.bio_read(_CHUNK))
        except SSL.WantReadError:
            return b"".join(parts)


def _reason(error: "SSL.Error") -> str:
    details = error.args[0] if error.args else ()
    return "; ".join(str(item[-1]) for item in details) or "the handshake failed"
