"""Knot DNS in a cell: a primary that signs and takes signed updates, and a secondary of it."""

import base64
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.daemons.cell import Ports, Server, cell

ADDRESS = "192.0.2.1"  # as the cell has it
SECONDARY = f"{ADDRESS}:5301"
LAME = f"{ADDRESS}:5302"  # a server without the zone
ZONE = "example.test"
# What the SOA record says that an absence may be cached for, in seconds.
NEGATIVE = 3
_PORTS: Ports = {53: ("smtp", "starttls"), 5301: ("smtp", "starttls"), 5302: ("smtp", "starttls")}
_MASTER = f"""\
$ORIGIN {ZONE}.
@ {NEGATIVE} SOA ns root 1 3600 900 604800 {NEGATIVE}
@ 60 NS ns
ns 60 A {ADDRESS}
@ 60 MX 10 mx
mx 60 A 192.0.2.10
"""
_SERVER = """\
server:
    listen: {listen}
    rundir: /run/{name}
    user: root
database:
    storage: /var/lib/{name}
"""
_PRIMARY = (
    _SERVER.format(listen="192.0.2.1@53", name="primary")
    + """\
key:
  - id: mailseal
    algorithm: hmac-sha256
    secret: {mailseal}
  - id: reader
    algorithm: hmac-sha256
    secret: {reader}
remote:
  - id: secondary
    address: 192.0.2.1@5301
acl:
  - id: changes
    key: mailseal
    action: update
  - id: copies
    address: 192.0.2.0/24
    action: transfer
  - id: readers
    key: reader
    action: transfer
zone:
  - domain: example.test
    file: /etc/zones/example.test.zone
    acl: [changes, readers, copies]
    notify: secondary
    dnssec-signing: on
    zonefile-sync: -1
    zonefile-load: difference-no-serial
    journal-content: all
"""
)
_SECONDARY = (
    _SERVER.format(listen="192.0.2.1@5301", name="secondary")
    + """\
remote:
  - id: primary
    address: 192.0.2.1@53
acl:
  - id: told
    address: 192.0.2.0/24
    action: notify
zone:
  - domain: example.test
    master: primary
    acl: told
"""
)
_LAME = _SERVER.format(listen="192.0.2.1@5302", name="lame")
_START = """
for one in primary secondary lame; do mkdir -p /run/$one /var/lib/$one; done
knotd -d -c /etc/knot/primary.conf
knotd -d -c /etc/knot/secondary.conf
exec knotd -c /etc/knot/lame.conf
"""


@dataclass(frozen=True)
class Knot:
    """Where it is asked from, and the keys that it knows.

    Attributes:
        server: the cell.
        key: the file of the key that may change the zone.
        reader: that of one that may not.
        secret: of the first, in Base64.
    """

    server: Server
    key: Path
    reader: Path
    secret: str


def key_file(path: Path, name: str, secret: str) -> Path:
    """A key as BIND has it, for its owner alone."""
    path.write_text(f'key "{name}" {{\n\talgorithm hmac-sha256;\n\tsecret "{secret}";\n}};\n')
    path.chmod(0o600)
    return path


@contextmanager
def knot(folder: Path) -> Iterator[Knot]:
    """The zone ZONE at ADDRESS, signed; a secondary at SECONDARY; a lame server at LAME."""
    names = ("mailseal", "reader")
    made = {name: base64.b64encode(secrets.token_bytes(32)).decode() for name in names}
    files = {
        "etc/zones/example.test.zone": _MASTER,
        "etc/knot/primary.conf": _PRIMARY.format(**made),
        "etc/knot/secondary.conf": _SECONDARY,
        "etc/knot/lame.conf": _LAME,
    }
    key, reader = (key_file(folder / f"{name}.key", name, made[name]) for name in names)
    with cell("lab", folder / "cell", files, _START, _PORTS) as server:
        yield Knot(server, key, reader, made["mailseal"])
