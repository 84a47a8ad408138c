"""Servers that a real Exim sends to, each with one thing wrong, and what became of each mail."""

import socketserver
import ssl
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from lab.issuing import certify, pem_key
from tests.servers import serving

ADDRESS = "192.0.2.2"
CA = "mailseal test root"
Fault = Literal["good", "expired", "untrusted", "misnamed", "plain", "refusing", "broken"]
PORTS: Mapping[Fault, int] = {fault: 2600 + n for n, fault in enumerate(get_args(Fault))}


@dataclass(frozen=True)
class Identities:
    """The certificates of all of them, and of the root that issued those that are right.

    Attributes:
        root: PEM.
        contexts: each one's side of TLS.
        leaves: each one's certificate.
    """

    root: bytes
    contexts: Mapping[Fault, ssl.SSLContext]
    leaves: Mapping[Fault, x509.Certificate]


def identities(folder: Path, names: Mapping[Fault, tuple[str, ...]]) -> Identities:
    """Make them.

    Args:
        folder: takes certificates.
        names: the names that each is called.
    """
    root = ec.generate_private_key(ec.SECP256R1())
    made = {fault: _leaf(folder, fault, names[fault], root) for fault in PORTS}
    return Identities(
        certify(CA, root, root, CA, ca=True).public_bytes(Encoding.PEM),
        {fault: context for fault, (context, _) in made.items()},
        {fault: leaf for fault, (_, leaf) in made.items()},
    )


@contextmanager
def receivers(who: Identities) -> Iterator[None]:
    """All of them, on the ports above."""
    with ExitStack() as stack:
        for fault, port in PORTS.items():
            stack.enter_context(receiver(fault, who.contexts[fault], port=port))
        yield


def _leaf(
    folder: Path, fault: Fault, names: tuple[str, ...], root: ec.EllipticCurvePrivateKey
) -> tuple[ssl.SSLContext, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    mine = ("other.example",) if fault == "misnamed" else names
    issuer = (mine[0], key) if fault == "untrusted" else (CA, root)
    days = (-60, -1) if fault == "expired" else (-1, 60)
    leaf = certify(mine[0], key, issuer[1], issuer[0], names=mine, days=days)
    path = folder / f"{fault}.pem"
    path.write_bytes(leaf.public_bytes(Encoding.PEM) + pem_key(key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context, leaf


class _Handler(socketserver.StreamRequestHandler):
    """One connection; what it is to do wrong, and its side of TLS, are its server's."""

    server: "Receiver"
    secured = False

    def handle(self) -> None:
        with suppress(OSError):
            self._say("220 here")
            while line := self.rfile.readline():
                self._answer(line[:4].upper())
        self.request.close()  # the TLS one, of which who called knows nothing

    def _say(self, words: str) -> None:
        self.wfile.write(words.encode() + b"\r\n")

    def _answer(self, word: bytes) -> None:
        if word == b"EHLO":
            offer = "\r\n250-STARTTLS" * (self.server.fault != "plain")
            self._say(f"250-here{offer}\r\n250 HELP")
        elif word == b"STAR":
            self._secure()
        elif word == b"DATA":
            self._say("354 go on")
            self.server.taken.append(self.secured)
            while self.rfile.readline() not in {b".\r\n", b""}:
                pass
            self._say("250 taken")
        else:
            self._say("250 ok" if word != b"QUIT" else "221 bye")

    def _secure(self) -> None:
        if self.server.fault == "refusing":
            self._say("454 not now")
            return
        self._say("220 go on")
        if self.server.fault == "broken":
            raise ConnectionError
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        self.secured = True
        self.setup()


class Receiver(socketserver.ThreadingTCPServer):
    """One server.

    Attributes:
        connections: how many there were.
        taken: for each mail, whether it came through TLS.
    """

    allow_reuse_address, daemon_threads = True, True

    def __init__(self, fault: Fault, context: ssl.SSLContext, address: str, port: int) -> None:
        """Listen."""
        self.fault, self.context = fault, context
        self.connections = 0
        self.taken: list[bool] = []
        super().__init__((address, port), _Handler)

    def verify_request(self, request: object, client_address: object) -> bool:
        """Count it, and take it."""
        self.connections += 1
        return True


@contextmanager
def receiver(
    fault: Fault, context: ssl.SSLContext, address: str = ADDRESS, port: int = 25
) -> Iterator[Receiver]:
    """One of them."""
    found = Receiver(fault, context, address, port)
    with serving(found):
        yield found
