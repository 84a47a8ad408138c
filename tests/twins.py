"""Mail servers in Python that do everything right across STARTTLS, or one thing wrong."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, Literal

from cryptography.hazmat.bindings.openssl.binding import Binding
from OpenSSL import SSL

from audit.facts import Mode, Service
from tests.servers import GOOD, LOOPBACK, Pki, listening

Fault = Literal[
    "arguments",  # STARTTLS foo is taken
    "taken-twice",  # STARTTLS is taken inside TLS
    "offered-inside",  # and offered there
    "list-kept",  # the capabilities are those from before TLS
    "list-pushed",  # the old capabilities are sent unasked inside TLS
    "envelope-kept",  # MAIL before TLS is remembered
    "extra",  # something follows the go-ahead at once
    "extra-later",  # something follows the go-ahead a moment later
    "buffer-kept",  # what came with STARTTLS is read inside TLS
    "buffer-kept-behind",  # and the server is then always one answer behind
    "reads-on",  # what comes after STARTTLS is read inside TLS
    "patient",  # it puts up with any number of errors
    "http",  # it speaks HTTP
    "renegotiates",
    "no-starttls",  # it has no STARTTLS at all
    # What is no fault of what is tested, but another way of doing it right.
    "drops-injection",  # it hangs up on whoever pipelines STARTTLS
    "mail-after-tls",  # MAIL is refused in clear
    "no-tags",  # NOOP in ManageSieve is unknown
    "pushes-list",  # IMAP capabilities come unasked inside TLS
    "slow-errors",  # errors are answered late
    "careless",  # RCPT is refused without a look at the order
]
_ALLOW_RENEGOTIATION = 1 << 8  # SSL_OP_ALLOW_CLIENT_RENEGOTIATION
_HELLO = b"\x16"
_ERRORS = 3


@dataclass(frozen=True)
class Speech:
    """How a protocol says things; {tag} is the client's."""

    greeting: bytes
    go: bytes
    ok: bytes
    bye: bytes
    no: bytes
    starttls: bytes
    pushed: bytes
    listing: Callable[[list[bytes]], bytes]


def _smtp_list(words: list[bytes]) -> bytes:
    return b"".join(b"250-%s\r\n" % word for word in (b"twin", *words)) + b"250 SIZE 1000\r\n"


_SMTP = Speech(
    b"220 twin\r\n",
    b"220 go\r\n",
    b"250 ok\r\n",
    b"221 bye\r\n",
    b"500 what?\r\n",
    b"STARTTLS",
    b"",
    _smtp_list,
)
SPEECHES: dict[Service, Speech] = {
    "smtp": _SMTP,
    "lmtp": _SMTP,
    "imap": Speech(
        b"* OK twin\r\n", b"{tag} OK go\r\n", b"{tag} OK done\r\n", b"{tag} OK bye\r\n",
        b"{tag} BAD what?\r\n", b"STARTTLS", b"* CAPABILITY IMAP4rev1 %s\r\n",
        lambda words: b"* CAPABILITY IMAP4rev1 %s\r\n{tag} OK done\r\n" % b" ".join(words),
    ),
    "pop3": Speech(
        b"+OK twin\r\n", b"+OK go\r\n", b"+OK\r\n", b"+OK bye\r\n", b"-ERR what?\r\n", b"STLS", b"",
        lambda words: b"+OK\r\n%s\r\n.\r\n" % b"\r\n".join((b"UIDL", *words)),
    ),
    "sieve": Speech(
        b"", b'OK "go"\r\n', b'OK "done"\r\n', b'OK "bye"\r\n', b'NO "what?"\r\n',
        b'"STARTTLS"', b"",
        lambda words: b'"IMPLEMENTATION" "twin"\r\n%sOK\r\n'
        % b"".join(word + b"\r\n" for word in words),
    ),
}  # fmt: skip
_AUTH: dict[Service, bytes] = {
    "smtp": b"AUTH PLAIN", "lmtp": b"AUTH PLAIN", "imap": b"AUTH=PLAIN", "pop3": b"SASL PLAIN",
    "sieve": b'"SASL" "PLAIN"',
}  # fmt: skip


class Session:
    """One client."""

    def __init__(
        self,
        client: socket.socket,
        pki: Pki,
        service: Service,
        mode: Mode,
        faults: set[str],
        wrap: Callable[[socket.socket], Any] | None = None,
        greeting: bytes = b"",
    ) -> None:
        """Wait for it; *wrap* begins TLS, as the policy wants it or otherwise."""
        self.client: Any = client
        self.service, self.faults, self.wrap = service, faults, wrap or self._wrap
        self.speech = replace(SPEECHES[service], greeting=greeting or SPEECHES[service].greeting)
        self.buffer = b""
        self.inside = self.envelope = False
        self.errors = 0
        self.late: list[bytes] = []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*pki.rsa)
        if "renegotiates" in faults:
            self.context.options |= _ALLOW_RENEGOTIATION
            self.context.maximum_version = ssl.TLSVersion.TLSv1_2
        if mode == "implicit":
            self.secure(first=True)

    def serve(self) -> None:
        """Talk until one side has enough."""
        self.say(self.speech.greeting or self.listing())
        while line := self.line():
            if not self.answer(line.strip()):
                return

    def line(self) -> bytes:
        while b"\n" not in self.buffer:
            data = self.client.recv(4096)
            if not data:
                return b""
            self.buffer += data
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line + b"\n"

    def say(self, data: bytes, tag: bytes = b"*") -> None:
        self.late.append(data.replace(b"{tag}", tag))
        if self.inside and "buffer-kept-behind" in self.faults:
            self.client.sendall(self.late.pop(0) if len(self.late) > 1 else b"")
        else:
            self.client.sendall(self.late.pop(0))

    def listing(self) -> bytes:
        if self.inside and "list-kept" not in self.faults:
            words = [_AUTH[self.service]]
            words += [self.speech.starttls] if "offered-inside" in self.faults else []
        else:
            words = [] if "no-starttls" in self.faults else [self.speech.starttls]
        return self.speech.listing(words)

    def answer(self, line: bytes) -> bool:
        """One command; whether to go on."""
        tag = b""
        if self.service == "imap":
            tag, _, line = line.partition(b" ")
        verb, _, rest = line.partition(b" ")
        known = COMMANDS.get(verb.upper())
        if verb.upper() in (b"QUIT", b"LOGOUT"):
            self.say(self.speech.bye, tag)
            return False
        if verb == b"GET" and "http" in self.faults:
            self.say(b"HTTP/1.1 200 OK\r\n\r\n")
            return False
        if known:
            return known(self, tag, rest)
        self.errors += 1
        self.refuse(tag)
        return self.errors < _ERRORS or "patient" in self.faults

    def refuse(self, tag: bytes) -> None:
        if "slow-errors" in self.faults:
            time.sleep(0.6)
        self.say(self.speech.no, tag)

    def list_(self, tag: bytes, _rest: bytes) -> bool:
        self.say(self.listing(), tag)
        return True

    def noop(self, tag: bytes, rest: bytes) -> bool:
        if self.service == "sieve":
            if "no-tags" in self.faults:
                self.refuse(tag)
            else:
                self.say(b'OK (TAG %s) "done"\r\n' % rest if rest else self.speech.ok)
            return True
        known = self.service != "pop3"
        self.say(self.speech.ok if known else self.speech.no, tag)
        return True

    def mail(self, tag: bytes, _rest: bytes) -> bool:
        refused = "mail-after-tls" in self.faults and not self.inside
        self.envelope = not refused
        self.say(b"530 STARTTLS first\r\n" if refused else self.speech.ok, tag)
        return True

    def recipient(self, tag: bytes, _rest: bytes) -> bool:
        known = self.envelope or "careless" in self.faults
        self.say(b"550 no relaying\r\n" if known else b"503 MAIL first\r\n", tag)
        return True

    def starttls(self, tag: bytes, rest: bytes) -> bool:
        if (
            "no-starttls" in self.faults
            or (rest and "arguments" not in self.faults)
            or (self.inside and "taken-twice" not in self.faults)
        ):
            self.say(self.speech.no, tag)
            return True
        if self.buffer and "drops-injection" in self.faults:
            return False
        extra = self.speech.ok if "extra" in self.faults else b""
        self.say(self.speech.go + extra, tag)
        if "extra-later" in self.faults:
            time.sleep(0.1)
            self.say(self.speech.ok, tag)
        self.secure()
        return True

    def secure(self, *, first: bool = False) -> None:
        if "reads-on" in self.faults:
            self.read_on()
        elif not self.faults & {"buffer-kept", "buffer-kept-behind"}:
            self.buffer = b""
        self.client = self.wrap(self.client)
        self.inside = True
        self.envelope = self.envelope and "envelope-kept" in self.faults
        if self.service == "sieve" and not first:
            self.say(self.listing())
        pushed = {"list-pushed": self.speech.starttls, "pushes-list": _AUTH[self.service]}
        for fault in pushed.keys() & self.faults:
            self.say(self.speech.pushed % pushed[fault])

    def _wrap(self, client: socket.socket) -> ssl.SSLSocket:
        return self.context.wrap_socket(client, server_side=True)

    def read_on(self) -> None:
        while True:
            waiting = self.client.recv(4096, socket.MSG_PEEK)
            clear = waiting.partition(_HELLO)[0]
            self.buffer += self.client.recv(len(clear)) if clear else b""
            if not waiting or len(clear) < len(waiting):
                return


COMMANDS: dict[bytes, Callable[[Session, bytes, bytes], bool]] = {
    b"EHLO": Session.list_, b"LHLO": Session.list_, b"CAPABILITY": Session.list_,
    b"CAPA": Session.list_, b"NOOP": Session.noop, b"RSET": Session.noop, b"MAIL": Session.mail,
    b"RCPT": Session.recipient, b"STARTTLS": Session.starttls, b"STLS": Session.starttls,
}  # fmt: skip


class Strict:
    """TLS exactly as `GOOD` has it; by pyOpenSSL, which can set a list of groups."""

    def __init__(self, client: socket.socket, pki: Pki) -> None:
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.set_min_proto_version(SSL.TLS1_2_VERSION)
        context.set_options(SSL.OP_CIPHER_SERVER_PREFERENCE | SSL.OP_NO_RENEGOTIATION)
        for certificate, key in (pki.rsa, pki.ecdsa):
            context.use_certificate_chain_file(str(certificate))
            context.use_privatekey_file(str(key))
        context.set_cipher_list(GOOD[GOOD.index("-cipher") + 1].encode())
        groups = GOOD[GOOD.index("-groups") + 1].encode()
        assert Binding.lib.SSL_CTX_set1_curves_list(context._context, groups) == 1
        client.setblocking(True)  # pyOpenSSL does not wait on others
        self._raw, self._tls = client, SSL.Connection(context, client)
        self._tls.set_accept_state()
        try:
            self._tls.do_handshake()
        except SSL.Error:
            client.shutdown(socket.SHUT_WR)
            while client.recv(4096):  # with bytes unread the kernel would reset the connection
                pass
            raise

    def recv(self, size: int) -> bytes:
        try:
            data: bytes = self._tls.recv(size)
        except SSL.ZeroReturnError:
            return b""
        return data

    def sendall(self, data: bytes) -> None:
        if data:
            self._tls.sendall(data)

    def close(self) -> None:
        self._raw.close()


@contextmanager
def twin(
    pki: Pki,
    service: Service,
    *faults: Fault,
    mode: Mode = "starttls",
    strict: bool = False,
    at: tuple[str, int] = LOOPBACK,
    greeting: bytes = b"",
) -> Iterator[int]:
    """A server with these faults, its TLS as the policy wants it or as Python has it."""

    def wrap(client: socket.socket) -> Strict:
        return Strict(client, pki)

    def one(client: socket.socket) -> None:
        session = None
        with suppress(OSError, SSL.Error):
            begin = wrap if strict else None
            session = Session(client, pki, service, mode, set(faults), begin, greeting)
            session.serve()
        if session:
            session.client.close()

    with listening(one, at) as port:
        yield port
