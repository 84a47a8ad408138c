"""The proof that the prober sees what must be absent, made at the start of every run.

A small listener on loopback speaks SSLv2, SSLv3 to TLS 1.2 with weak suites, DEFLATE and the
client's order: everything that a pass means the absence of. A prober that does not see all of it
there must not report that anything is off elsewhere.
"""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from audit.errors import UNDETERMINED, MailsealError
from audit.facts import Endpoint, EndpointFacts
from audit.iana import VERSIONS
from audit.probe.plan import Task
from audit.probe.run import probe_all

# 3DES, RC4 and AES-CBC with static RSA; the same for every version.
_SUITES = (0x000A, 0x0005, 0x002F)
_NAMES = {
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_RSA_WITH_RC4_128_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
}
_SUPPORTED_VERSIONS = 43
_DEFLATE = 1
_PROTOCOL_VERSION, _HANDSHAKE_FAILURE = 70, 40
_SECONDS = 5.0


def calibrate() -> None:
    """Look at the listener.

    Raises:
        MailsealError: something that is there was not seen; then no run may go on.
    """
    with listener() as port:  # it has no key, so no handshake with it comes to an end
        endpoint = Endpoint("calibration", "127.0.0.1", port, "imap", "implicit")
        facts = probe_all([endpoint], lambda _: Task(quick=True, complete=False))[0]
    if missed := unseen(facts):
        raise MailsealError(
            f"the prober is blind and nothing it says can be trusted: {'; '.join(missed)}",
            UNDETERMINED,
        )


def unseen(facts: EndpointFacts) -> list[str]:
    """What the listener does and these facts do not show."""
    versions = [v for v in VERSIONS if v != "TLSv1.3"]
    missed = [
        f"it does not see {version} where it is served"
        for version in versions
        if version not in facts.protocols or facts.protocols[version].seen != "accepted"
    ]
    for version in versions[1:]:
        if set(facts.suites.get(version, ())) != _NAMES:
            missed.append(f"it does not see the suites of {version}")
        if facts.preference.get(version) != "client":
            missed.append(f"it does not see that {version} follows the client's order")
    if facts.compression.seen != "accepted":
        missed.append("it does not see compression")
    return missed


@contextmanager
def listener() -> Iterator[int]:
    """Listen on loopback; gives the port."""
    try:
        server = socket.create_server(("127.0.0.1", 0), backlog=64)
    except OSError as error:
        why = error.strerror or str(error)
        raise MailsealError(
            f"calibration needs the loopback interface: {why}", UNDETERMINED
        ) from None
    thread = threading.Thread(target=_serve, args=(server,), daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        # A blocked accept does not notice that its socket is closed; a shutdown it does.
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(_SECONDS)


def _serve(server: socket.socket) -> None:
    while True:
        try:
            client, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_answer, args=(client,), daemon=True).start()


def _answer(client: socket.socket) -> None:
    with client, suppress(OSError, struct.error, IndexError):
        client.settimeout(_SECONDS)
        client.sendall(reply(client.recv(8192)))


def reply(hello: bytes) -> bytes:
    """The listener's answer to a ClientHello of any kind."""
    if hello[0] & 0x80 and hello[2] == 1:
        body = struct.pack("!BBBHHHH", 4, 0, 1, 2, 0, 3, 16) + b"\x01\x00\x80" + bytes(16)
        return struct.pack("!H", 0x8000 | len(body)) + body
    version, suites, compressions, extensions = _read(hello)
    if _SUPPORTED_VERSIONS in extensions:
        return _alert(version, _PROTOCOL_VERSION)
    chosen = next((s for s in suites if s in _SUITES), None)
    if chosen is None:
        return _alert(version, _HANDSHAKE_FAILURE)
    compression = _DEFLATE if _DEFLATE in compressions else 0
    server_hello = struct.pack("!H32sBHB", version, bytes(32), 0, chosen, compression)
    messages = _message(2, server_hello) + _message(11, bytes(3)) + _message(14, b"")
    return struct.pack("!BHH", 22, version, len(messages)) + messages


def _read(hello: bytes) -> tuple[int, list[int], bytes, set[int]]:
    """Version, suites, compressions and kinds of extension of a ClientHello record."""
    version = struct.unpack_from("!H", hello, 9)[0]
    at = 43 + 1 + hello[43]
    size = struct.unpack_from("!H", hello, at)[0]
    suites = [code for (code,) in struct.iter_unpack("!H", hello[at + 2 : at + 2 + size])]
    at += 2 + size
    compressions = hello[at + 1 : at + 1 + hello[at]]
    at += 1 + hello[at] + 2
    kinds = set()
    while at + 4 <= len(hello):
        kind, length = struct.unpack_from("!HH", hello, at)
        kinds.add(kind)
        at += 4 + length
    return version, suites, compressions, kinds


def _alert(version: int, code: int) -> bytes:
    return struct.pack("!BHHBB", 21, version, 2, 2, code)


def _message(kind: int, body: bytes) -> bytes:
    return bytes((kind,)) + len(body).to_bytes(3) + body
