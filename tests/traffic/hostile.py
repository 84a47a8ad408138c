"""An Exim that accepts mail from whoever lies best, and servers that it sends on to, who lie too.

What was really done is known here, for it is done here: that is the truth that a log is held to.
"""

import smtplib
import socketserver
import ssl
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import cast

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from lab.issuing import certify, pem_key
from tests.daemons.exim import More
from tests.servers import serving

FAKE = "TLS1.3:FAKE:256"
# What is written wherever one may write something; 64 characters, for that is a name's length.
LIES = (
    f"x) [192.0.2.9] P=esmtps X={FAKE} S=1 id=a",
    f"x X={FAKE} CV=yes",
    f'a" X={FAKE} CV=dane DN="b',
    f'a" R=r T=t H=h [192.0.2.9] X={FAKE} CV=dane C="b',
    f'a") [192.0.2.9]:25 P=esmtps X={FAKE} K S=1 T="',
    f"a\n2026-11-29 10:00:00 1xVc0c-00003u-1d => b X={FAKE}",
    f"a\\ X={FAKE} A=plain:boss S=5",
    "a A=plain:boss S=1",
)
HERE, THERE = 2525, 2526  # where mail goes on to: with TLS, and without
_GOOD = 250
_SECONDS = 20.0

SETTINGS = {
    "log_selector": "+tls_peerdn +tls_sni +subject +smtp_no_mail +received_recipients"
    " +received_sender +sender_on_delivery +incoming_port +outgoing_port +smtp_confirmation"
    " +pid +millisec",
    "helo_accept_junk_hosts": "*",
    "smtp_enforce_sync": "false",
    "acl_smtp_rcpt": "rcpt",
    "tls_try_verify_hosts": "*",
    "tls_verify_certificates": "/etc/tls/rsa.crt",
    "qualify_domain": "here.example",
    "queue_run_max": "0",
    "delay_warning": "",
}
SECTIONS = rf"""
begin acl
rcpt:
  deny local_parts = ^no\N.*\N
  accept
begin routers
safe:
  driver = manualroute
  domains = tls.example
  route_list = * 192.0.2.2
  transport = safe
  self = send
clear:
  driver = manualroute
  domains = clear.example
  route_list = * 192.0.2.2
  transport = clear
  self = send
local:
  driver = accept
  transport = nowhere
begin transports
safe:
  driver = smtp
  port = {HERE}
  hosts_try_dane =
  tls_try_verify_hosts = *
clear:
  driver = smtp
  port = {THERE}
  hosts_avoid_tls = *
nowhere:
  driver = appendfile
  file = /dev/null
  user = mail
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = true
  server_set_id = $auth2
"""
MORE = More(SETTINGS, SECTIONS)
Session = tuple[str, str]  # version and suite, in OpenSSL's words; empty without TLS


def session(peer: object) -> Session:
    """What was negotiated at one end of a connection."""
    if not isinstance(peer, ssl.SSLSocket):
        return "", ""
    cipher = peer.cipher()
    assert cipher is not None
    return peer.version() or "", cipher[0]


def named(folder: Path, name: str) -> Path:
    """A certificate with its key whose subject is anything."""
    path = folder / f"{sha256(name.encode()).hexdigest()}.pem"
    key = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(certify(name, key, key, name).public_bytes(Encoding.PEM) + pem_key(key))
    return path


@dataclass
class Truth:
    """What was done: mails that were accepted here and there, by their session."""

    came: Counter[Session] = field(default_factory=Counter)
    certificates: int = 0
    went: Counter[Session] = field(default_factory=Counter)


class Mail:
    """Mails that are handed in, each with something to believe or not."""

    def __init__(self, address: str, folder: Path, truth: Truth) -> None:
        """To a server; *folder* takes certificates."""
        self._address, self._folder, self._truth = address, folder, truth

    def lie(self, lie: str) -> None:
        """One lie in every place there is for one; each is a mail, if it is accepted."""
        line = " ".join(lie.split())
        quoted = line.replace("\\", "\\\\").replace('"', '\\"')
        for tls in (True, False):
            self.send(helo=line, tls=tls)
        self.send(sender=f'"{quoted}"@b.example')
        for domain in ("here", "tls", "clear"):
            self.send(to=f'<"{quoted}"@{domain}.example>')
        self.send(to=f'<"refused{quoted}"@clear.example>')
        self.send(to=f'<"later{quoted}"@tls.example>')
        self.send(to=f'<"no{quoted}"@tls.example>')
        self.send(subject=lie)
        self.send(user=lie)
        self.send(certificate=lie)
        with suppress(ssl.SSLError):  # GnuTLS takes names only
            self.send(asked=line)

    def send(
        self,
        *,
        helo: str = "client.example",
        sender: str = "a@b.example",
        to: str = "<u@here.example>",
        subject: str = "x",
        asked: str = "localhost",
        user: str = "",
        certificate: str | None = None,
        tls: bool = True,
    ) -> None:
        """One connection with one mail."""
        with closing(smtplib.SMTP(self._address, 25, "x", _SECONDS)) as client:
            client.putcmd("EHLO", helo)
            client.getreply()
            if tls:
                client.docmd("STARTTLS")
                client.sock = self._context(certificate).wrap_socket(
                    cast("ssl.SSLSocket", client.sock), server_hostname=asked
                )
                client.file = None
                client.docmd("EHLO", helo)
            if user:
                client.docmd("AUTH PLAIN", b64encode(f"\0{user}\0x".encode()).decode())
            client.docmd("MAIL", f"FROM:<{sender}>")
            if client.docmd("RCPT", f"TO:{to}")[0] == _GOOD and _data(client, subject):
                self._truth.came[session(client.sock)] += 1
                self._truth.certificates += certificate is not None
            client.docmd("QUIT")

    def _context(self, certificate: str | None) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if certificate is not None:
            context.load_cert_chain(named(self._folder, certificate))
        return context


def _data(client: smtplib.SMTP, subject: str) -> bool:
    """A message, and whether it was accepted."""
    client.docmd("DATA")
    word, folded = subject.split(maxsplit=1)[0], subject.replace("\n", "\n ")
    client.send(f"Message-ID: <{word}@x>\r\nSubject: {folded}\r\n\r\nx\r\n.\r\n")
    return client.getreply()[0] == _GOOD


@contextmanager
def server(folder: Path, port: int, lie: str, truth: Truth) -> Iterator[None]:
    """Somebody who takes mail, lies in every answer, and has a certificate that lies.

    Recipients that begin with "refused" are, and those with "later" are asked to come again.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(named(folder, lie))
    lie = " ".join(lie.split())  # more lines would be more answers
    answers = {b"refused": f"550 5.1.1 {lie}", b"later": f"451 4.1.1 {lie}"}

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                self._talk()
            self.request.close()  # the TLS one, of which who called knows nothing

        def _say(self, words: str) -> None:
            self.wfile.write(words.encode() + b"\r\n")

        def _talk(self) -> None:
            self._say(f"220 {lie}")
            recipients = 0
            while line := self.rfile.readline():
                word = line[:4].upper()
                if word == b"EHLO":
                    self._say(f"250-{lie}" + "\r\n250-STARTTLS" * (port == HERE) + "\r\n250 HELP")
                elif word == b"STAR":
                    self._say(f"220 {lie}")
                    self.request = context.wrap_socket(self.request, server_side=True)
                    self.setup()
                elif word == b"RCPT":
                    local = line.partition(b"<")[2].partition(b"@")[0].strip(b'"')
                    answer = next((a for n, a in answers.items() if local.startswith(n)), "")
                    recipients += not answer
                    self._say(answer or f"250 {lie}")
                elif word == b"DATA":
                    self._say("354 go on")
                    while self.rfile.readline() not in {b".\r\n", b""}:
                        pass
                    truth.went[session(self.request)] += recipients
                    recipients = 0
                    self._say(f"250 {lie}")
                else:
                    self._say("250 ok" if word != b"QUIT" else "221 bye")

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address, daemon_threads = True, True

    with serving(Server(("192.0.2.2", port), Handler)):
        yield
