"""The web server of all MTA-STS policies of the world; some answer as none should.

It runs on a host of the lab, on that host's Python: `python3 -m lab.policy_host ADDRESS FOLDER`.
The folder has `policies.json`, of each name what it answers and the policy, and the certificates in
`tls/NAME.pem`.
"""

import json
import ssl
import sys
import time
from contextlib import suppress
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer

_PORT = 443
_PATIENCE = 120.0
_ENDLESS = "endless"
_PATH = "/.well-known/mta-sts.txt"
_CHUNK = b"x: y\r\n" * 1000


class Sites:
    """The names that are served, and with what."""

    def __init__(self, folder: Path) -> None:
        """Read them; a name that is not known is refused in the handshake."""
        self.answers = json.loads((folder / "policies.json").read_text(encoding="utf-8"))
        self._contexts = {name: _context(folder / "tls" / f"{name}.pem") for name in self.answers}
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.sni_callback = self._named

    def _named(self, link: ssl.SSLObject, name: str, _context: ssl.SSLContext) -> int | None:
        if name not in self._contexts:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        link.context = self._contexts[name]
        return None


def _context(pem: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def answer(site: dict[str, str] | None, path: str) -> bytes:
    """What is said to a request; of an answer without end, its beginning."""
    if site is None or path != _PATH:
        return _said("404 Not Found", "text/plain", "no such thing\n")
    if site["answer"] == "redirect":
        return _said("302 Found", "text/plain", "", "Location: /elsewhere\r\n")
    if site["answer"] == "page":
        return _said("200 OK", "text/html", f"<pre>{site['policy']}</pre>")
    if site["answer"] == _ENDLESS:
        return f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n{site['policy']}".encode()
    return _said("200 OK", "text/plain", site["policy"])


def _said(status: str, media: str, body: str, more: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {media}\r\n{more}Connection: close\r\n"
    return f"{head}Content-Length: {len(body.encode())}\r\n\r\n{body}".encode()


def serve(address: str, folder: Path) -> None:
    """Serve until killed."""
    sites = Sites(folder)

    class Handler(StreamRequestHandler):
        timeout = _PATIENCE

        def handle(self) -> None:
            # A client that misbehaves or leaves ends its own connection only.
            with (
                suppress(OSError),
                sites.context.wrap_socket(self.request, server_side=True) as link,
            ):
                _talk(link, sites.answers)

    class Server(ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with Server((address, _PORT), Handler) as server:
        server.serve_forever()


def _talk(link: ssl.SSLSocket, answers: dict[str, dict[str, str]]) -> None:
    with link.makefile("rb") as reader:
        request = reader.readline(4096).decode("latin-1").split()
        name = ""
        while line := reader.readline(4096).decode("latin-1").strip():
            field, _, value = line.partition(":")
            name = value.strip().lower() if field.lower() == "host" else name
    site = answers.get(name)
    link.sendall(answer(site, request[1] if len(request) > 1 else ""))
    end = time.monotonic() + _PATIENCE
    while site and site["answer"] == _ENDLESS and time.monotonic() < end:
        link.sendall(_CHUNK)


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]))
