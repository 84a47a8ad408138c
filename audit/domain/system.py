"""The resolvers that this system asks."""

import dns.exception
import dns.resolver

from audit.domain.nameserver import Nameserver
from audit.errors import UNDETERMINED, MailsealError


def system() -> list[Nameserver]:
    """Them, in their order.

    Raises:
        MailsealError: it does not say.
    """
    try:
        found = dns.resolver.Resolver()
    except (dns.exception.DNSException, OSError):
        words = "this system names no resolver (/etc/resolv.conf): name one with --resolver"
        raise MailsealError(words, UNDETERMINED) from None
    return [Nameserver(str(address), found.port) for address in found.nameservers]
