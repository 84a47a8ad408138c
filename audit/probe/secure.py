"""A session inside TLS by OpenSSL, in memory: what a client does once the handshake is over."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from cryptography.hazmat.bindings.openssl.binding import Binding
from OpenSSL import SSL, crypto

from audit.probe.connection import BUSY, Connection
from audit.probe.errors import NotTheService, ProbeError, Reset, Throttled
from audit.probe.signers import SIGNERS
from audit.probe.talk import Talk
from audit.wire.dialogue import PROTOCOLS

T = TypeVar("T")

_TLS10, TLS12, _TLS13 = 0x0301, 0x0303, 0x0304
_CHUNK = 16384
_MOST_ROUNDS = 1 << 14  # a byte each may come; the connection bounds the time
_MOST_BYTES = 1 << 18
_PATIENCE = 5.0  # seconds for an answer inside TLS; a server that shook hands is awake
_UNSAFE_RENEGOTIATION = 0x00040000  # SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION
_GROUPS = (
    b"X25519:P-256:X448:P-521:P-384:X25519MLKEM768"
    b":ffdhe2048:ffdhe3072:ffdhe4096:ffdhe6144:ffdhe8192"
)


class TlsFailed(ProbeError):
    """One of the two sides ended TLS with an error."""


class Secure(Talk):
    """TLS over an open connection; nothing is verified here, only seen.

    Attributes:
        words: version and suite.
        chain: the certificates, leaf first.
        protocol: what was chosen of those asked for (ALPN); empty if nothing.
    """

    def __init__(
        self,
        connection: Connection,
        name: str,
        signer: str = "",
        newest: int = 0,
        alpn: Sequence[str] = (),
    ) -> None:
        """Shake hands.

        With a *signer*, in TLS 1.3 only and with a certificate for this kind of key only; with
        *newest*, in no newer version than that; with *alpn*, for these protocols only.

        Raises:
            TlsFailed: the handshake came to an end, but not to a good one.
            ProbeError: the connection did not carry it.
        """
        super().__init__()
        self._connection = connection
        self._bytes = 0
        self._begun = False
        context = _context(signer, newest)
        if alpn:
            context.set_alpn_protos([protocol.encode() for protocol in alpn])
        self._tls = SSL.Connection(context)
        if name:
            self._tls.set_tlsext_host_name(name.encode("idna"))
        self._tls.set_connect_state()
        self._shake()
        connection.farewell = self._goodbye
        self.words = f"{self._tls.get_protocol_version_name()} {self._tls.get_cipher_name()}"
        self.protocol = self._tls.get_alpn_proto_negotiated().decode("ascii", "replace")
        chain = self._tls.get_peer_cert_chain() or []
        self.chain = tuple(crypto.dump_certificate(crypto.FILETYPE_ASN1, c) for c in chain)

    def send(self, data: bytes) -> None:
        """Send all of it inside TLS.

        Raises:
            TlsFailed, NoAnswer, Reset: it could not be sent.
        """
        self._drive(lambda: self._tls.sendall(data))
        self._flush()

    def receive(self, within: float | None = None) -> bytes:
        """What has come inside TLS, *within* some seconds; nothing once the server has closed.

        Raises:
            TlsFailed, NoAnswer, Reset: nothing came, or the session broke.
            NotTheService: there is no end to it.
        """
        within = _PATIENCE if within is None else within
        try:
            data: bytes = self._drive(lambda: self._tls.recv(_CHUNK), within)
        except _Ended:
            return b""
        self._bytes += len(data)
        if self._bytes > _MOST_BYTES:
            raise NotTheService("what the server says inside TLS does not end")
        return data

    def renegotiate(self) -> None:
        """Ask for another handshake and walk it to its end.

        Raises:
            TlsFailed: it was refused.
            NoAnswer, Reset: it was not answered, or with the end of the connection.
        """
        done = self._tls.total_renegotiations()
        self._drive(self._tls.renegotiate)
        self._shake(_PATIENCE)
        if self._tls.total_renegotiations() <= done:
            raise TlsFailed("no other handshake took place")

    def _shake(self, within: float | None = None) -> None:
        try:
            self._drive(self._tls.do_handshake, within)
        except _Ended:
            raise Reset("the server closed the connection in the middle of a handshake") from None
        self._flush()

    def _drive(self, act: Callable[[], T], within: float | None = None) -> T:
        """Carry bytes between OpenSSL and the connection until *act* is done."""
        end = None if within is None else time.monotonic() + within
        for _ in range(_MOST_ROUNDS):
            try:
                return act()
            except SSL.WantReadError:
                self._pump(end)
            except SSL.ZeroReturnError:
                raise _Ended from None
            except SSL.Error as error:
                with suppress(ProbeError):  # the alert that says why, if it can still be sent
                    self._flush()
                raise TlsFailed(_reason(error)) from None
        raise Reset("the handshake does not come to an end")

    def _pump(self, end: float | None) -> None:
        self._flush()
        data = self._connection.receive(None if end is None else end - time.monotonic())
        if not data:
            raise _Ended
        first = not self._begun and self._connection.endpoint.mode == "implicit"
        if first and data.startswith(BUSY):  # in clear, where TLS comes first
            raise Throttled(f"the server refuses for now: {data[:60]!r}")
        self._begun = True
        self._tls.bio_write(data)

    def _flush(self) -> None:
        if data := self._outgoing():
            self._connection.send(data)

    def _outgoing(self) -> bytes:
        parts = []
        while True:
            try:
                parts.append(self._tls.bio_read(_CHUNK))
            except SSL.WantReadError:
                return b"".join(parts)

    def _goodbye(self) -> bytes:
        """The protocol's own last word inside TLS, and close_notify."""
        with suppress(SSL.Error):  # what is broken already needs no farewell
            self._tls.sendall(PROTOCOLS[self._connection.endpoint.service].quit)
            self._tls.shutdown()
        return self._outgoing()


class _Ended(Exception):
    """The server closed, in TLS or below it."""


def _context(signer: str, newest: int) -> SSL.Context:
    """Everything this OpenSSL can: the judgement is not its job."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_verify(SSL.VERIFY_NONE)
    context.set_min_proto_version(_TLS13 if signer else _TLS10)
    if newest:
        context.set_max_proto_version(newest)
        context.set_options(SSL.OP_LEGACY_SERVER_CONNECT | _UNSAFE_RENEGOTIATION)
    if signer:  # a call that pyOpenSSL does not wrap
        chosen = Binding.lib.SSL_CTX_set1_sigalgs_list(context._context, SIGNERS[signer])  # noqa: SLF001
        if chosen != 1:
            raise ValueError(f"this OpenSSL does not know the signatures for {signer}")
    # OpenSSL's own choice leaves most groups of RFC 7919 out; without the call that choice stays.
    Binding.lib.SSL_CTX_set1_curves_list(context._context, _GROUPS)  # noqa: SLF001
    context.set_cipher_list(b"ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    return context


def _reason(error: SSL.Error) -> str:
    details = error.args[0] if error.args else ()
    if not isinstance(details, list):
        return str(error) or "TLS failed"
    return "; ".join(str(item[-1]) for item in details) or "TLS failed"
