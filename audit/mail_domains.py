"""The mail domains that an inventory names: whom to ask about them, and whose they are."""

from collections.abc import Container, Iterable, Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING

from audit import control
from audit.errors import MailsealError
from audit.inventory import Host
from audit.no_domains import NoDomains
from audit.targets import mail_domain, nameserver

if TYPE_CHECKING:
    from audit.domain.nameserver import Nameserver
    from audit.domains import Domains

_PORT = 25
_DOMAINS, _RESOLVER = "mailseal_domains", "mailseal_audit_resolver"


def named(host: Host) -> tuple[str, ...]:
    """The domains of a host, as A-labels.

    Raises:
        MailsealError: one is no mail domain.
    """
    place = f"host {host.name}: {_DOMAINS}"
    return tuple(dict.fromkeys(mail_domain(name, place) for name in host.domains))


def owners(hosts: Iterable[Host], domains: Container[str]) -> list[Host]:
    """The hosts that name one of some domains."""
    return [host for host in hosts if any(name in domains for name in named(host))]


def asked(
    hosts: Iterable[Host], policy: str, *, whole: bool, until: float
) -> "Domains | NoDomains":
    """Ask about them; what asks is loaded only if there are any.

    Args:
        hosts: those that are audited.
        policy: the id that findings have for their measure.
        whole: whether they are all that there are. Of a part, only what its servers show is
            judged, and where it has none that takes mail nothing is asked.
        until: the moment by time.monotonic() after which nothing more is asked.

    Raises:
        MailsealError: a domain or a resolver is none, or there are several resolvers.
    """
    mine = [host for host in hosts if host.domains and (whole or _takes_mail(host))]
    names = dict.fromkeys(name for host in mine for name in named(host))
    if not names:
        return NoDomains()
    at = _nameservers(mine)
    from audit.domain.look import Look
    from audit.domain.resolver import Resolver
    from audit.domain.system import system
    from audit.domains import Domains
    from audit.judge.domain import Part

    def trusted() -> tuple[bytes, ...]:
        return tuple(dict.fromkeys(root for host in mine for root in control.roots_of(host)))

    part = Part(
        frozenset(name for host in mine for name in (host.server_name, *host.certificate_names)),
        frozenset(ip_address(address) for host in mine for address in host.addresses),
    )
    look = Look(Resolver(at or system(_RESOLVER), until), trusted)
    return Domains(names, look, policy, None if whole else part)


def _takes_mail(host: Host) -> bool:
    return any(row.port == _PORT for row in host.endpoints)


def _nameservers(hosts: Iterable[Host]) -> "Sequence[Nameserver]":
    """The resolver that they name; none for the system's."""
    said = {host.audit_resolver: host.name for host in hosts}
    if len(said) > 1:
        words = ", ".join(sorted(one or "none" for one in said))
        raise MailsealError(f"{_RESOLVER} differs between the hosts: {words}")
    ((text, name),) = said.items()
    return [nameserver(text, f"host {name}: {_RESOLVER}")] if text else []
