"""A signed zone with TLSA records, right and wrong, served inside a daemon's own root."""

from collections.abc import Mapping
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.tlsrpt.receivers import ADDRESS

# Marks the record that is changed once it is signed, so that its signature is of something else.
_BEFORE, _AFTER = "ab" * 32, "cd" * 32
_NSD = """\
server:
    ip-address: 127.0.0.1
    port: 5353
    database: ""
    username: ""
    zonesdir: /zone
    pidfile: /zone/nsd.pid
zone:
    name: test
    zonefile: test.signed
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
START = f"""
cd /zone
ksk=$(ldns-keygen -a ECDSAP256SHA256 -k test)
zsk=$(ldns-keygen -a ECDSAP256SHA256 test)
cp "$ksk.key" anchor.key
ldns-signzone -f test.signed test "$ksk" "$zsk"
sed -i s/{_BEFORE}/{_AFTER}/ test.signed
nsd -c /zone/nsd.conf
unbound -c /zone/unbound.conf
cd /
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
    lines = ["$ORIGIN test.", "$TTL 300", "@ SOA ns root 1 3600 900 604800 300", "@ NS ns"]
    lines += ["ns A 127.0.0.1"]
    for domain, (port, record) in records.items():
        lines += [f"{domain} MX 10 mx.{domain}", f"mx.{domain} A {ADDRESS}"]
        lines += [f"_{port}._tcp.mx.{domain} TLSA {record}"] if record else []
    return {
        "zone/test": "\n".join(lines) + "\n",
        "zone/nsd.conf": _NSD,
        "zone/unbound.conf": _UNBOUND,
        "etc/resolv.conf": "nameserver 127.0.0.1\noptions edns0 trust-ad\n",
    }
