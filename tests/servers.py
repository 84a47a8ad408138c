"""Servers on loopback that the wire tests look at: real ones, old ones, hostile ones."""

import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from audit.probe import secure
from lab.issuing import certify, pem_key

_SECONDS = 10.0


@dataclass(frozen=True)
class Pki:
    """A root and the leaves it issued, as PEM files.

    Attributes:
        root: the root certificate.
        rsa, ecdsa: (certificate, key) of each leaf, for the name localhost.
    """

    root: Path
    rsa: tuple[Path, Path]
    ecdsa: tuple[Path, Path]


def make_pki(folder: Path) -> Pki:
    """Mint a root and two leaves."""
    root_key = ec.generate_private_key(ec.SECP256R1())
    root = certify("mailseal test root", root_key, root_key, "mailseal test root", ca=True)
    paths = {}
    for kind, key in (
        ("rsa", rsa.generate_private_key(65537, 2048)),
        ("ecdsa", ec.generate_private_key(ec.SECP256R1())),
    ):
        leaf = certify("localhost", key, root_key, "mailseal test root", names=("localhost",))
        paths[kind] = (folder / f"{kind}.crt", folder / f"{kind}.key")
        paths[kind][0].write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
        paths[kind][1].write_bytes(pem_key(key))
    (folder / "root.crt").write_bytes(root.public_bytes(serialization.Encoding.PEM))
    return Pki(folder / "root.crt", paths["rsa"], paths["ecdsa"])


@contextmanager
def openssl_server(pki: Pki, *options: str, certificates: str = "both") -> Iterator[int]:
    """`openssl s_server` with these options; gives the port.

    It never greets, so nobody waits for it to.
    """
    files = []
    if certificates in ("both", "rsa"):
        files += ["-cert", str(pki.rsa[0]), "-key", str(pki.rsa[1])]
    if certificates in ("both", "ecdsa"):
        prefix = "-d" if certificates == "both" else "-"
        files += [f"{prefix}cert", str(pki.ecdsa[0]), f"{prefix}key", str(pki.ecdsa[1])]
    port = free_port()
    command = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-quiet", *files, *options]
    with (
        patch.object(secure, "_PATIENCE", 0.3),
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as process,
    ):
        try:
            _wait(port, process)
            yield port
        finally:
            process.kill()


GOOD = (
    "-serverpref",
    "-min_protocol", "TLSv1.2",
    "-cipher", ":".join(
        f"ECDHE-{key}-{cipher}"
        for key in ("ECDSA", "RSA")
        for cipher in ("AES256-GCM-SHA384", "CHACHA20-POLY1305", "AES128-GCM-SHA256")
    ),
    "-groups", "X25519:P-256:P-384",
)  # fmt: skip


LOOPBACK = ("127.0.0.1", 0)


@contextmanager
def listening(
    answer: Callable[[socket.socket], None], at: tuple[str, int] = LOOPBACK
) -> Iterator[int]:
    """A server that treats each connection as *answer* does; gives the port."""
    server = socket.create_server(at, backlog=64)

    def one(client: socket.socket) -> None:
        with client, suppress(OSError):
            client.settimeout(_SECONDS)
            answer(client)

    def serve() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(client,), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(_SECONDS)


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[None]:
    """Have it serve, and end with its test: it would spin on whatever gets its socket's number."""
    with server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()


def free_port() -> int:
    """A port that nothing listens on at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            words = process.stderr.read().decode() if process.stderr else ""
            raise RuntimeError(f"the server ended: {words}")
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise RuntimeError("the server does not listen")
