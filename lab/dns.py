"""The zone lab.test and the files that make the resolver host serve it, signed, to the lab."""

from lab.topology import Topology

ZONE = "lab.test"
# The outside world's DNS, as far as the lab is concerned: nsd on loopback serves the signed zone.
_NSD = """\
server:
    ip-address: 127.0.0.1
    port: 5353
    database: ""
zone:
    name: lab.test
    zonefile: /var/lib/lab-zone/lab.test.signed
"""
# Only what ties the resolver to that outside world; how it listens and whom it answers is another
# file, which the role `resolver` replaces.
_UNBOUND = """\
server:
    do-not-query-localhost: no
    local-zone: "test." nodefault
    trust-anchor-file: "/etc/unbound/lab-anchor.key"
stub-zone:
    name: lab.test
    stub-addr: 127.0.0.1@5353
"""
_LISTEN = """\
server:
    interface: 0.0.0.0
    interface: ::0
    access-control: 10.80.0.0/24 allow
    access-control: fd00:80::/64 allow
    chroot: ""
    module-config: "validator iterator"
"""
# Runs at boot, before the daemons start.
_FIRST = """\
#!/bin/sh
set -eu
cd /var/lib/lab-zone
if ! test -e lab.test.signed; then
    ksk=$(ldns-keygen -a ECDSAP256SHA256 -k lab.test)
    zsk=$(ldns-keygen -a ECDSAP256SHA256 lab.test)
    cp "$ksk.key" /etc/unbound/lab-anchor.key
    ldns-signzone -n -p -f lab.test.signed lab.test "$ksk" "$zsk"
    update-rc.d nsd defaults
    update-rc.d unbound defaults
fi
"""


def zone(topology: Topology) -> str:
    """Return the unsigned zone: every host in both families, mail exchangers, service names."""
    names = topology.group("resolver")
    lines = [
        f"$ORIGIN {ZONE}.",
        "$TTL 300",
        f"@ SOA {names[0].name} hostmaster 1 3600 900 604800 300",
        *(f"@ NS {host.name}" for host in names),
        *(f"@ MX 10 {host.name}" for host in topology.group("mx")),
    ]
    for host in topology.hosts:
        lines += [f"{host.name} A {host.ipv4}", f"{host.name} AAAA {host.ipv6}"]
    for service, group in (("imap", "imap"), ("pop", "imap"), ("smtp", "msa"), ("msa", "msa")):
        for host in topology.group(group):
            lines += [f"{service} A {host.ipv4}", f"{service} AAAA {host.ipv6}"]
    return "\n".join(lines) + "\n"


def files(topology: Topology) -> dict[str, tuple[str, int]]:
    """Return path → (content, mode) of what the resolver host has beyond the shared root."""
    return {
        "var/lib/lab-zone/lab.test": (zone(topology), 0o644),
        "etc/nsd/nsd.conf.d/lab.conf": (_NSD, 0o644),
        "etc/unbound/unbound.conf.d/lab.conf": (_UNBOUND, 0o644),
        "etc/unbound/unbound.conf.d/resolver.conf": (_LISTEN, 0o644),
        "usr/local/sbin/lab-first": (_FIRST, 0o755),
    }


def resolv_conf(topology: Topology) -> str:
    """Return the resolver configuration of the hub, which trusts the validation of ns1."""
    servers = "".join(f"nameserver {host.ipv4}\n" for host in topology.group("resolver"))
    return f"search {ZONE}\n{servers}options edns0 trust-ad timeout:2 attempts:2\n"
