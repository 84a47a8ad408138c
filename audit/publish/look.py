"""What is served under each name, from the wire: it is what senders compare records with."""

from collections.abc import Mapping, Sequence

from audit.facts import EndpointFacts
from audit.inventory import Host
from audit.probe.address import Manners
from audit.probe.plan import Task
from audit.probe.run import probe_all
from audit.publish.model import Served
from audit.publish.site import Site
from audit.publish.tlsa import vouching

Seen = Mapping[str, Sequence[EndpointFacts]]  # by owner
# Exim on GnuTLS keeps the process of a handshake that came to nothing for half a second
# (tls-gnu.c), and looks follow each other: at full speed they would use up its smtp_accept_max.
_MANNERS = Manners(spacing=0.1)


def look(chosen: Site) -> dict[str, tuple[EndpointFacts, ...]]:
    """What is served under every name, from the wire: it is what senders compare with."""
    every = [one for places in chosen.owners.values() for one in places]
    seen = probe_all(every, lambda _: Task(quick=True, kinds=True), manners=_MANNERS)
    by_endpoint = {facts.endpoint: facts for facts in seen}
    return {o: tuple(by_endpoint[one] for one in places) for o, places in chosen.owners.items()}


def served(chosen: Site, seen: Seen) -> dict[str, tuple[Served, ...]]:
    """The same, as records see it."""
    hosts = {host.name: host for host in chosen.hosts}
    return {o: tuple(_served(hosts[f.endpoint.host], f) for f in all_) for o, all_ in seen.items()}


def _served(host: Host, facts: EndpointFacts) -> Served:
    at = facts.endpoint
    where = f"{host.name} [{at.address}]:{at.port}"
    kinds = [chain[0].key_type for chain in facts.chains if chain]
    missing = [kind for kind in host.certificate_types if kind not in kinds]
    if facts.reach != "open" or not kinds or facts.bad_chains:
        said = facts.bad_chains or facts.errors or (f"it is {facts.reach}",)
        return Served(host.name, where, unseen=said[0])
    if missing:
        words = f"no certificate of type {' or '.join(missing)} was seen"
        return Served(host.name, where, unseen=words)
    ders = [[one.der for one in chain] for chain in facts.chains if chain]
    return Served(host.name, where, tuple(vouching(chain) for chain in ders))
