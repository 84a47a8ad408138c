"""What is made for a new lab: zones and certificates of the world, and the files that have them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec

from lab import dns, far, keys, paths, world, zones
from lab.dns import Files
from lab.issuing import certify, digest, pem, pem_key
from lab.topology import Topology
from lab.world import Case, Kind, Place
from lab.zones import Made, Zone

_CA_NAME = "authority of the world"
_OTHER = "authority that nobody knows"
_CA_DAYS = (-1, 365)
_NS = f"ns1.{dns.ZONE}."
_NOBODY = f"nobody.{dns.TOP}"


class Authority:
    """An authority that issues certificates of every kind; *other* is one that nobody knows."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, other: ec.EllipticCurvePrivateKey) -> None:
        """Take the keys of both."""
        self._roots = {
            name: (signer, pem(certify(name, signer, signer, name, ca=True, days=_CA_DAYS)))
            for name, signer in ((_CA_NAME, key), (_OTHER, other))
        }
        self.pem = self._roots[_CA_NAME][1]
        self.digest = digest(key)

    def issue(self, name: str, kind: Kind, key: ec.EllipticCurvePrivateKey) -> bytes:
        """Return key, certificate and chain for a name, PEM."""
        issuer = _OTHER if kind == "untrusted" else _CA_NAME
        signer, root = self._roots[issuer]
        names = (f"elsewhere.{world.TOP}",) if kind == "misnamed" else (name,)
        days = (-90, -1) if kind == "expired" else (-1, 60)
        leaf = certify(names[0], key, signer, issuer, names=names, days=days)
        return pem_key(key) + pem(leaf) + root


@dataclass(frozen=True)
class Served:
    """What a server serves, and the data of records for it by the words of the table."""

    pem: bytes
    data: Mapping[str, str]


def files(topology: Topology) -> dict[str, Files]:
    """Return host → its files, of the hosts that have some.

    Keys that last are kept in the lab's state, and so is what others trust: the key of the zone
    `test.`, and the authority of the world.
    """
    known = world.load()
    authority = Authority(keys.private(paths.world() / "ca.key"), _new())
    paths.world_ca().write_bytes(authority.pem)
    places = known.places()
    served = {place.name: _served(authority, place) for row in places.values() for place in row}
    key = keys.private(paths.dns() / f"{dns.ZONE}.key")
    own = Made(Zone(f"{dns.ZONE}."), "", zones.public(key))  # which knot signs
    domains = [_zone(known.cases[name], name, row, served) for name, row in places.items()]
    top = _top(topology, [own, *domains])
    paths.anchor().write_text(f"{top.anchor}\n", encoding="ascii")
    made = [*domains, top, *_reverse(topology, places)]
    secret = keys.tsig(paths.tsig())
    certificates = {name: one.pem for name, one in served.items()}
    for name, case in known.cases.items():
        if case.policy:
            site = world.policy_host(name)
            certificates[site] = authority.issue(site, case.policy.certificate, _new())
    far_files = far.files(topology.outside.server_name, places, known.cases, certificates)
    dns_files = dns.files(topology, made, top.anchor, pem_key(key), secret)
    resolvers = {host.name: dns_files for host in topology.group("resolver")}
    return resolvers | {topology.outside.name: far_files}


def _reverse(topology: Topology, places: Mapping[str, Iterable[Place]]) -> Iterator[Made]:
    named = [(a, host.server_name) for host in topology.hosts for a in (host.ipv4, host.ipv6)]
    named += [(place.address, place.name) for row in places.values() for place in row]
    for name, lines in dns.pointers(named).items():
        yield zones.make(Zone(name, lines, signing="no"), _NS)


def _new() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _served(authority: Authority, place: Place) -> Served:
    key = _new()
    data = {
        "leaf": digest(key),
        "previous": digest(_new()),
        "authority": authority.digest,
        "nothing": "ab" * 32,
    }
    return Served(authority.issue(place.name, place.server.certificate, key), data)


def _zone(case: Case, name: str, places: Iterable[Place], served: Mapping[str, Served]) -> Made:
    lines = f'_smtp._tls 60 TXT "v=TLSRPTv1; rua=mailto:tls@{world.domain(name)}"\n'
    for preference, place in enumerate(places, 1):
        kind = "AAAA" if ":" in place.address else "A"
        lines += f"@ 60 MX {10 * preference} {place.name}.\n"
        lines += f"{place.name}. 60 {kind} {place.address}\n"
        for record in place.server.tlsa:
            *numbers, word = record.split()
            data = served[place.name].data[word]
            lines += f"_25._tcp.{place.name}. 60 TLSA {' '.join(numbers)} {data}\n"
    if case.policy:
        lines += '_mta-sts 60 TXT "v=STSv1; id=1"\n'
        lines += f"mta-sts 60 A {world.POLICY_IPV4}\n"
    forged = case.forged
    return zones.make(
        Zone(
            f"{world.domain(name)}.",
            lines,
            signing=case.signing,
            forged=(lambda text: text.replace(forged.before, forged.after)) if forged else str,
            lame=case.lame,
        ),
        _NS,
    )


def _top(topology: Topology, children: Iterable[Made]) -> Made:
    """The zone `test.`, whose key is all that the lab's resolvers trust."""
    lines = "".join(dns.addresses(h) for h in (*topology.group("resolver"), topology.outside))
    lines += f"{_NOBODY} 60 A {topology.outside.ipv4}\n" + zones.delegations(children, _NS, _NOBODY)
    return zones.make(Zone(dns.TOP, lines), _NS, keys.private(paths.dns() / "test.key"))
