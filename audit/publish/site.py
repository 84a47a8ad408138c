"""The hosts of an inventory as publishing needs them: their names, and who has their zones."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import dns.tsig
import msgspec
from msgspec import Struct

from audit.domain.nameserver import Nameserver
from audit.domain.resolver import Resolver
from audit.errors import UNDETERMINED, MailsealError
from audit.facts import Endpoint
from audit.inventory import Host
from audit.names import is_address, is_host_name, to_ascii
from audit.own_domains import DomainVariables
from audit.publish import ask, tsig
from audit.targets import nameserver


class Site(Struct, frozen=True):
    """What the inventory says.

    Attributes:
        hosts: all of them: those that share a name share its records.
        owners: of TLSA records, by each the endpoints that are reached by its name.
        settings: what is published and where; the same for all hosts.
    """

    hosts: tuple[Host, ...]
    owners: Mapping[str, tuple[Endpoint, ...]]
    settings: DomainVariables

    def narrowed(self, hosts: Sequence[Host]) -> "Site":
        """The same with only those names that some hosts are reached by."""
        names = {host.name for host in hosts}
        kept = {o: e for o, e in self.owners.items() if names & {one.host for one in e}}
        if not kept:
            raise MailsealError(f"{', '.join(sorted(names))}: no endpoint of service smtp")
        return Site(self.hosts, kept, self.settings)


def site(hosts: Sequence[Host]) -> Site:
    """Every SMTP endpoint by every name that it is reached by.

    Raises:
        MailsealError: there is none, one cannot be seen or named, or the hosts differ in what has
            to be the same.
    """
    serving = [h for h in hosts if any(row.service == "smtp" for row in h.endpoints)]
    if not serving:
        raise MailsealError("no host of the inventory has an endpoint of service smtp")
    found: dict[str, list[Endpoint]] = defaultdict(list)
    for host in serving:
        if not host.addresses:  # nothing seen is no reason to remove a record
            words = "has no mailseal_addresses, so what it serves cannot be seen"
            raise MailsealError(f"host {host.name}: {words}")
        for name in dict.fromkeys((host.server_name or host.name, *host.certificate_names)):
            what = f"host {host.name}: a name of it"
            ascii_name = to_ascii(name, what)
            if is_address(ascii_name):
                continue
            if not is_host_name(ascii_name):
                raise MailsealError(f"{what}: {name!r} is no host name")
            for row in (row for row in host.endpoints if row.service == "smtp"):
                found[to_ascii(f"_{row.port}._tcp.{ascii_name}", what)] += [
                    Endpoint(host.name, a, row.port, row.service, row.mode, ascii_name)
                    for a in host.addresses
                ]
    owners = {owner: tuple(places) for owner, places in sorted(found.items())}
    return Site(tuple(hosts), owners, _settings(serving))


def _settings(hosts: Sequence[Host]) -> DomainVariables:
    """What all of them say; of mail domains each may have others.

    Raises:
        MailsealError: another variable differs.
    """
    said = {}
    for field in msgspec.structs.fields(DomainVariables):
        values = list(dict.fromkeys(getattr(host, field.name) for host in hosts))
        if field.name == "domains":
            values = [tuple(dict.fromkeys(one for value in values for one in value))]
        if len(values) > 1:
            raise MailsealError(f"{field.encode_name} differs between the hosts")
        said[field.name] = values[0]
    return DomainVariables(**said)


def primary(chosen: Site) -> Nameserver:
    """Where changes go.

    Raises:
        MailsealError: the inventory does not say.
    """
    if not chosen.settings.dns_server:
        raise MailsealError(
            "the inventory names no mailseal_dns_server, the primary that takes changes"
        )
    return nameserver(chosen.settings.dns_server, "mailseal_dns_server")


def key(chosen: Site) -> dns.tsig.Key:
    """What changes are signed with.

    Raises:
        MailsealError: the inventory names none, or it cannot be read.
    """
    if not chosen.settings.tsig_key_file:
        raise MailsealError("the inventory names no mailseal_tsig_key_file to sign changes with")
    return tsig.read(Path(chosen.settings.tsig_key_file))


def servers(
    chosen: Site, zone: ask.Authority, at: Nameserver, resolver: Resolver
) -> dict[str, list[Nameserver]]:
    """Every name server of a zone by its name, with its addresses; the primary under its own.

    Raises:
        MailsealError: one of them has no address.
    """
    found = {str(at): [at]}
    if secondaries := chosen.settings.dns_secondaries:
        told = [nameserver(one, "mailseal_dns_secondaries") for one in secondaries]
        return found | {str(one): [one] for one in told}
    return found | {
        name: [Nameserver(one) for one in _addresses(name, at, resolver)]
        for name in ask.names(zone, at)
    }


def _addresses(name: str, at: Nameserver, resolver: Resolver) -> list[str]:
    """Those of a name server: by the primary where it knows, or else by the resolver."""
    try:
        if found := ask.addresses(name, at):
            return found
    except MailsealError:
        pass  # it is in somebody else's zone
    resolver.begin()
    answers = (resolver.ask(name, "A"), resolver.ask(name, "AAAA"))
    doubts = [a.why for a in answers if a.outcome == "failed" or a.security == "bogus"]
    found = [one for a in answers if a.security != "bogus" for one in a.records]
    if found:
        return found
    why = next(iter(doubts), "it has none")
    words = f"name server {name}: no address of it is known: {why}"
    raise MailsealError(words, UNDETERMINED)
