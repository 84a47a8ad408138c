"""A signed zone with TLSA records, right and wrong, served inside a daemon's own root."""

from collections.abc import Iterable, Mapping
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lab import zones
from lab.zones import Made, Zone
from tests.tlsrpt.receivers import ADDRESS

# Marks the record that is changed once it is signed, so that its signature is of something else.
_BEFORE, _AFTER = "ab" * 32, "cd" * 32
_KNOT = """\
server:
    listen: 127.0.0.1@5353
    user: root
    rundir: /zone
zone:
"""
_SERVED = """\
  - domain: {name}
    storage: /zone
    file: {name}.zone
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
    # Milliseconds for an answer: those of a name server near by, on a machine that has much to do.
    infra-cache-min-rtt: 3000
    unknown-server-time-limit: 3000
"""
_STUB = """\
stub-zone:
    name: {name}
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


def files(records: Mapping[str, tuple[int, str]], *more: str) -> dict[str, str | bytes]:
    """What is laid over a root.

    Args:
        records: for each domain below test, the port of its MX and its TLSA record, or none.
        more: further lines of the zone.
    """
    lines = ["ns A 127.0.0.1", *more]
    for domain, (port, record) in records.items():
        lines += [f"{domain} MX 10 mx.{domain}", f"mx.{domain} A {ADDRESS}"]
        lines += [f"_{port}._tcp.mx.{domain} TLSA {record}"] if record else []
    text = "$TTL 300\n" + "\n".join(lines) + "\n"
    made = zones.make(Zone("test.", text, forged=lambda t: t.replace(_BEFORE, _AFTER)), "ns.test.")
    return served([made])


def served(made: Iterable[Made]) -> dict[str, str | bytes]:
    """The files of name servers for these zones, each of which is trusted by its own key."""
    by_name = {one.zone.name.rstrip("."): one for one in made}
    anchors = [f"{one.anchor}\n" for one in by_name.values() if one.zone.signing != "no"]
    return {
        **{f"zone/{name}.zone": one.text for name, one in by_name.items()},
        "zone/anchor.key": "".join(anchors),
        "zone/knot.conf": _KNOT + "".join(_SERVED.format(name=name) for name in by_name),
        "zone/unbound.conf": _UNBOUND + "".join(_STUB.format(name=name) for name in by_name),
        "etc/resolv.conf": "nameserver 127.0.0.1\noptions edns0 trust-ad\n",
    }
