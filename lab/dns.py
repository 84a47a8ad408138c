"""Name service of the lab: knot has the zones and signs lab.test, unbound asks it and validates."""

import ipaddress
from collections.abc import Iterable

from lab import keys
from lab.topology import Host, Topology
from lab.zones import Made

ZONE = "lab.test"
TOP = "test."
# Where knot answers, for every resolver of the lab and for dynamic updates.
PORT = 5300
# Seconds that resolvers keep an absence for: who publishes a record can see it at once.
_NEGATIVE = 1
# Networks of the lab, and the zones that name its addresses. They are not signed: whom they are
# delegated by is not part of the lab.
REVERSE = {"10.80.0.0/24": "0.80.10.in-addr.arpa.", "fd00:80::/64": "0.8.0.0.0.0.d.f.ip6.arpa."}
# What a resolver would answer from its own knowledge of private names and addresses.
_PRIVATE = ("test.", "10.in-addr.arpa.", "d.f.ip6.arpa.")
Files = dict[str, tuple[bytes, int]]

_KNOT = """\
server:
    listen: [{listen}]
    user: knot:knot
    rundir: /run/knot
log:
  - target: syslog
    any: info
key:
  - id: {tsig_name}
    algorithm: {tsig_algorithm}
    secret: {tsig}
acl:
  - id: updates
    key: {tsig_name}
    action: [update, transfer]
policy:
  - id: one-key
    manual: on
    single-type-signing: on
    algorithm: ecdsap256sha256
template:
  - id: default
    storage: /etc/knot/zones
    file: "%s.zone"
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
zone:
  - domain: {zone}
    storage: /var/lib/knot
    zonefile-sync: 0
    journal-content: changes
    dnssec-signing: on
    dnssec-policy: one-key
    acl: updates
"""
# Only what ties the resolver to the lab's zones; how it listens and whom it answers is another
# file, which the role `resolver` replaces.
_UNBOUND = """\
server:
{private}{insecure}    trust-anchor-file: "/etc/unbound/lab-anchor.key"
{stubs}"""
_LISTEN = """\
server:
    interface: 0.0.0.0
    interface: ::0
    access-control: 10.80.0.0/24 allow
    access-control: fd00:80::/64 allow
    chroot: ""
    module-config: "validator iterator"
"""
# Runs at each boot, before the daemons start.
_FIRST = f"""\
#!/bin/sh
set -eu
install -d -o knot -g knot /run/knot
if test -e /etc/knot/{ZONE}.pem; then
    chown -R root:knot /etc/knot
    chown -R knot:knot /var/lib/knot
    keymgr -c /etc/knot/knot.conf {ZONE} import-pem /etc/knot/{ZONE}.pem \\
        algorithm=13 ksk=yes zsk=yes created=-1h publish=-1h ready=-1h active=-1h
    rm /etc/knot/{ZONE}.pem
    update-rc.d knot defaults
    update-rc.d unbound defaults
fi
"""


def zone(topology: Topology) -> str:
    """Return the unsigned zone: every host in both families, mail exchangers, service names."""
    names = topology.group("resolver")
    lines = [
        f"$ORIGIN {ZONE}.",
        "$TTL 300",
        f"@ SOA {names[0].name} hostmaster 1 3600 900 604800 {_NEGATIVE}",
        *(f"@ 0 NS {host.name}" for host in names),
        *(f"@ MX 10 {host.name}" for host in topology.group("mx")),
    ]
    for host in topology.cluster:
        lines += [f"{host.name} A {host.ipv4}", f"{host.name} AAAA {host.ipv6}"]
    for service, group in (("imap", "imap"), ("pop", "imap"), ("smtp", "msa"), ("msa", "msa")):
        for host in topology.group(group):
            lines += [f"{service} A {host.ipv4}", f"{service} AAAA {host.ipv6}"]
    return "\n".join(lines) + "\n"


def addresses(host: Host) -> str:
    """Return the lines that give a host's name its addresses, wherever they stand."""
    return f"{host.server_name}. 60 A {host.ipv4}\n{host.server_name}. 60 AAAA {host.ipv6}\n"


def pointers(named: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return zone → its PTR records, from (address, name)."""
    found = dict.fromkeys(REVERSE.values(), "")
    for address, name in named:
        parsed = ipaddress.ip_address(address)
        for network, zone_name in REVERSE.items():
            if parsed in ipaddress.ip_network(network):
                found[zone_name] += f"{parsed.reverse_pointer}. 60 PTR {name}.\n"
    return found


def files(topology: Topology, made: Iterable[Made], anchor: str, key: bytes, tsig: str) -> Files:
    """Return path → (content, mode) of what the resolver host has beyond the shared root.

    *made* are the zones beside lab.test, which has *key* (PEM); *anchor* is what resolvers trust,
    *tsig* the secret of updates.
    """
    resolvers = topology.group("resolver")
    static = [one for one in made if not one.zone.lame]
    text = _KNOT.format(
        listen=", ".join(f"{a}@{PORT}" for host in resolvers for a in (host.ipv4, host.ipv6)),
        tsig_name=keys.TSIG_NAME,
        tsig_algorithm=keys.TSIG_ALGORITHM,
        tsig=tsig,
        zone=ZONE,
    )
    text += "".join(f"  - domain: {one.zone.name.rstrip('.')}\n" for one in static)
    zones = {f"etc/knot/zones/{one.zone.name}zone": (one.text.encode(), 0o644) for one in static}
    return {
        "etc/knot/knot.conf": (text.encode(), 0o640),
        f"etc/knot/{ZONE}.pem": (key, 0o640),
        f"var/lib/knot/{ZONE}.zone": (zone(topology).encode(), 0o644),
        **zones,
        "etc/unbound/lab-anchor.key": (f"{anchor}\n".encode(), 0o644),
        "etc/unbound/unbound.conf.d/lab.conf": (_unbound(resolvers).encode(), 0o644),
        "etc/unbound/unbound.conf.d/resolver.conf": (_LISTEN.encode(), 0o644),
        "usr/local/sbin/lab-first": (_FIRST.encode(), 0o755),
    }


def _unbound(servers: Iterable[Host]) -> str:
    at = "".join(f"    stub-addr: {host.ipv4}@{PORT}\n" for host in servers)
    return _UNBOUND.format(
        private="".join(f'    local-zone: "{name}" nodefault\n' for name in _PRIVATE),
        insecure="".join(f'    domain-insecure: "{name}"\n' for name in REVERSE.values()),
        stubs="".join(f'stub-zone:\n    name: "{n}"\n{at}' for n in (TOP, *REVERSE.values())),
    )


def resolv_conf(topology: Topology) -> str:
    """Return the resolver configuration of the hub, which trusts the validation of ns1."""
    servers = "".join(f"nameserver {host.ipv4}\n" for host in topology.group("resolver"))
    return f"search {ZONE}\n{servers}options edns0 trust-ad timeout:2 attempts:2\n"
