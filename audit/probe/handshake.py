"""A complete handshake: the proof that the server holds its key."""

from msgspec import Struct

from audit.probe.connection import Connection
from audit.probe.secure import Secure, TlsFailed


class Completed(Struct, frozen=True):
    """How it went.

    Attributes:
        ok: the handshake came to its end.
        words: version and suite, or the reason it failed.
        chain: the certificates, leaf first; empty if it failed.
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
    try:
        session = Secure(connection, name, signer)
    except TlsFailed as error:
        return Completed(ok=False, words=str(error))
    return Completed(ok=True, words=session.words, chain=session.chain)
