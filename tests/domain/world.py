"""Real servers for mail domains: knot and unbound in a cell, SMTP and HTTPS beside it."""

import hashlib
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from lab.issuing import certify, pem_key
from lab.zones import Zone
from tests.daemons.cell import Ports, inside
from tests.daemons.cell import cell as daemon_cell
from tests.domain.zones import NAMESERVER, served
from tests.servers import Pki, listening
from tests.twins import Fault, twin

RESOLVER = "192.0.2.1"
_DNS: Ports = {
    53: ("smtp", "starttls")
}  # a cell waits for the port; what it speaks is nothing to it
_KNOT = f"""\
server:
    listen: {NAMESERVER}@53
    user: root
    rundir: /run
template:
  - id: default
    storage: /etc/zones
    zonefile-sync: -1
    journal-content: none
zone:
"""
_UNBOUND = f"""\
server:
    interface: {RESOLVER}
    interface: 127.0.0.1
    access-control: 192.0.2.0/24 allow
    do-not-query-localhost: no
    do-ip6: no
    local-zone: "test." nodefault
    local-zone: "2.0.192.in-addr.arpa." nodefault
    module-config: "validator iterator"
    trust-anchor-file: /etc/unbound/anchor
    chroot: ""
    username: ""
    pidfile: /run/unbound.pid
    use-syslog: no
    val-clean-additional: yes
    ede: yes
stub-zone:
    name: "."
    stub-addr: {NAMESERVER}
"""
# On another port one that does not validate.
CARELESS = f"{RESOLVER}:5300"
_CARELESS = (
    _UNBOUND.replace(f"interface: {RESOLVER}", f"interface: {RESOLVER}@5300")
    .replace("    interface: 127.0.0.1\n", "")
    .replace("validator iterator", "iterator")
    .replace("unbound.pid", "careless.pid")
)
_START = """
knotd -d -c /etc/knot/knot.conf
unbound -c /etc/unbound/careless.conf
exec unbound -d -c /etc/unbound/unbound.conf
"""


@dataclass(frozen=True)
class Keys:
    """What a server has.

    Attributes:
        pki: its files; each holds the leaf, and the authority behind it.
        rsa, ecdsa, authority: SHA-256 of the public keys, hexadecimal.
    """

    pki: Pki
    rsa: str
    ecdsa: str
    authority: str

    @property
    def tlsa(self) -> tuple[str, str]:
        """Records for both keys."""
        return f"3 1 1 {self.rsa}", f"3 1 1 {self.ecdsa}"


class Authority:
    """Issues certificates."""

    def __init__(self, folder: Path, name: str = "test authority") -> None:
        self._folder, self._name = folder, name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._root = certify(name, self._key, self._key, name, ca=True)
        self.file = folder / f"{name.replace(' ', '-')}.pem"
        self.file.write_bytes(_pem(self._root))

    def keys(self, name: str, days: tuple[int, int] = (-1, 60)) -> Keys:
        """Both kinds of key for a name."""
        kinds: dict[str, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey] = {
            "rsa": rsa.generate_private_key(65537, 2048),
            "ecdsa": ec.generate_private_key(ec.SECP256R1()),
        }
        files = {}
        for kind, key in kinds.items():
            leaf = certify(name, key, self._key, self._name, names=(name,), days=days)
            files[kind] = (self._folder / f"{name}-{kind}.crt", self._folder / f"{name}-{kind}.key")
            files[kind][0].write_bytes(_pem(leaf) + _pem(self._root))
            files[kind][1].write_bytes(pem_key(key))
        pki = Pki(self.file, files["rsa"], files["ecdsa"])
        return Keys(pki, *(_digest(key) for key in (*kinds.values(), self._key)))


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _digest(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    spki = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(spki).hexdigest()


@dataclass
class World:
    """Where the resolver is, and what else is begun in its clients' namespace."""

    netns: Path
    stack: ExitStack

    def address(self, number: int) -> str:
        """One more address of the clients' host."""
        found = f"192.0.2.{number}"
        with inside(self.netns):
            subprocess.run(["ip", "address", "add", f"{found}/24", "dev", "eth0"], check=True)
        return found

    def mail(self, number: int, name: str, keys: Keys, *faults: Fault, strict: bool = True) -> None:
        """A mail server on port 25 of an address."""
        at, greeting = (self.address(number), 25), f"220 {name} ESMTP\r\n".encode()
        with inside(self.netns):
            self.stack.enter_context(
                twin(keys.pki, "smtp", *faults, strict=strict, at=at, greeting=greeting)
            )

    def web(self, number: int, keys: Keys, answer: bytes) -> None:
        """A web server that says always the same."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*keys.pki.ecdsa)
        at = (self.address(number), 443)

        def one(client: "ssl.SSLSocket") -> None:
            with context.wrap_socket(client, server_side=True) as link:
                link.recv(4096)
                link.sendall(answer)

        with inside(self.netns):
            self.stack.enter_context(listening(one, at))  # type: ignore[arg-type]


@contextmanager
def world(folder: Path, zones: list[Zone]) -> Iterator[World]:
    """The zones behind a validating resolver at RESOLVER."""
    masters, anchor = served(zones)
    files = {f"etc/zones/{name}zone": text for name, text in masters.items()}
    listed = "".join(f'  - domain: "{name}"\n    file: "{name}zone"\n' for name in masters)
    files |= {
        "etc/knot/knot.conf": _KNOT + listed,
        "etc/unbound/unbound.conf": _UNBOUND,
        "etc/unbound/careless.conf": _CARELESS,
        "etc/unbound/anchor": anchor + "\n",
    }
    with daemon_cell("lab", folder, files, _START, _DNS) as server, ExitStack() as stack:
        yield World(server.netns, stack)
