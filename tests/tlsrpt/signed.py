"""A signed zone with TLSA records, right and wrong, served inside a daemon's own root."""

from collections.abc import Mapping
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lab import zones
from lab.zones import Zone
from tests.tlsrpt.receivers import ADDRESS

# Marks the record that is changed once it is signed, so that its signature is of something else.
_BEFORE, _AFTER = "ab" * 32, "cd" * 32
_KNOT = """\
server:
    listen: 127.0.0.1@5353
    user: root
    rundir: /zone
zone:
  - domain: test
    storage: /zone
    file: test.zone
    zonefile-sync: -1
    journal-content: none
"""
_UNBOUND = """\
server:
    interface: 127.0.0.1
    username: ""
    chroot: ""
    directory: /zone
    pidfile: /zone/unbound.pid
    module-config: "validator iterator"
    do-not-query-localhost: no
    local-zone: "test." nodefault
    trust-anchor-file: /zone/anchor.key
stub-zone:
    name: test
    stub-addr: 127.0.0.1@5353
"""
START = """
knotd -d -c /zone/knot.conf
unbound -c /zone/unbound.conf
"""


def key(leaf: x509.Certificate) -> str:
    """The data of a TLSA record 3 1 1 that fits a certificate."""
    spki = leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"3 1 1 {sha256(spki).hexdigest()}"


WRONG = f"3 1 1 {'00' * 32}"
OF_A_CA = f"2 1 1 {'00' * 32}"
BOGUS = f"3 1 1 {_BEFORE}"


def files(records: Mapping[str, tuple[int, str]]) -> dict[str, str | bytes]:
    """What is laid over a root.

    Args:
        records: for each domain below test, the port of its MX and its TLSA record, or none.
    """
    lines = ["ns A 127.0.0.1"]
    for domain, (port, record) in records.items():
        lines += [f"{domain} MX 10 mx.{domain}", f"mx.{domain} A {ADDRESS}"]
        lines += [f"_{port}._tcp.mx.{domain} TLSA {record}"] if record else []
    text = "$TTL 300\n" + "\n".join(lines) + "\n"
    made = zones.make(Zone("test.", text, forged=lambda t: t.replace(_BEFORE, _AFTER)), "ns.test.")
    return {
        "zone/test.zone": made.text,
        "zone/anchor.key": f"{made.anchor}\n",
        "zone/knot.conf": _KNOT,
        "zone/unbound.conf": _UNBOUND,
        "etc/resolv.conf": "nameserver 127.0.0.1\noptions edns0 trust-ad\n",
    }
