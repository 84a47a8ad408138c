"""The resolvers that this system asks."""

import dns.exception
import dns.resolver

from audit.domain.nameserver import Nameserver
from audit.errors import UNDETERMINED, MailsealError


def system(option: str) -> list[Nameserver]:
    """Them, in their order; *option* is what names another one.

    Raises:
        MailsealError: it does not say.
    """
    try:
        found = dns.resolver.Resolver()
    except (dns.exception.DNSException, OSError):
        words = f"this system names no resolver (/etc/resolv.conf): name one with {option}"
        raise MailsealError(words, UNDETERMINED) from None
    return [Nameserver(str(address), found.port) for address in found.nameservers]
