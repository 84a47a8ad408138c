"""A complete handshake by OpenSSL, in memory: the proof that the server holds its key."""

from dataclasses import dataclass

from OpenSSL import SSL, crypto

from audit.probe.connection import Connection, Reset

_TLS10 = 0x0301
_CHUNK = 16384
_MOST_ROUNDS = 64


@dataclass(frozen=True, slots=True)
class Completed:
    """How it went.

    Attributes:
        ok: the handshake came to its end.
        words: version and suite, or the reason it failed.
        chain: the certificates, leaf first; also when it failed late.
    """

    ok: bool
    words: str
    chain: tuple[bytes, ...] = ()


def handshake(connection: Connection, name: str) -> Completed:
    """Shake hands on an open connection; nothing is verified here, only seen.

    Raises:
        ProbeError: the connection did not carry it.
    """
    tls = SSL.Connection(_context())
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


def _context() -> SSL.Context:
    """Everything this OpenSSL can: the judgement is not its job."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_verify(SSL.VERIFY_NONE)
    context.set_min_proto_version(_TLS10)
    context.set_cipher_list(b"ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    return context


def _pump(tls: SSL.Connection, connection: Connection) -> None:
    connection.send(_outgoing(tls))
    data = connection.receive()
    if not data:
        raise Reset("the server closed the connection in the middle of a handshake")
    tls.bio_write(data)


def _outgoing(tls: SSL.Connection) -> bytes:
    parts = []
    while True:
        try:
            parts.append(tls.bio_read(_CHUNK))
        except SSL.WantReadError:
            return b"".join(parts)


def _reason(error: SSL.Error) -> str:
    details = error.args[0] if error.args else ()
    return "; ".join(str(item[-1]) for item in details) or "the handshake failed"
