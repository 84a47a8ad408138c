"""The names in a certificate against the names clients use (RFC 9525)."""

import contextlib
import ipaddress
from collections.abc import Iterable, Iterator

from service_identity import CertificateError, VerificationError
from service_identity.hazmat import (
    DNS_ID,
    CertificatePattern,
    DNSPattern,
    IPAddress_ID,
    IPAddressPattern,
    ServiceID,
    verify_service_identity,
)

from audit.names import is_address


def missing(names: Iterable[str], wanted: Iterable[str]) -> list[str]:
    """The wanted names that a certificate with these is not for."""
    patterns = list(_patterns(names))
    return [name for name in wanted if not _covers(patterns, name)]


def _patterns(names: Iterable[str]) -> Iterator[CertificatePattern]:
    """Each name on its own: one that no RFC allows must not void the others."""
    for name in names:
        with contextlib.suppress(CertificateError, ValueError):
            if is_address(name):
                yield IPAddressPattern(ipaddress.ip_address(name))
            else:
                yield DNSPattern.from_bytes(name.encode())


def _covers(patterns: list[CertificatePattern], name: str) -> bool:
    try:
        verify_service_identity(patterns, [_identity(name)], [])
    except (VerificationError, CertificateError):
        return False
    return True


def _identity(wanted: str) -> ServiceID:
    try:
        return IPAddress_ID(str(ipaddress.ip_address(wanted)))
    except ValueError:
        return DNS_ID(wanted)
