"""Host names as they are sent and compared: A-labels (RFC 5890); and what is no name at all."""

import re
from ipaddress import ip_address

from audit.errors import MailsealError

_NAME = re.compile(
    r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*"
)


def to_ascii(name: str, what: str) -> str:
    """The name in the form that goes over the wire; empty stays empty.

    Args:
        name: as people write it.
        what: the option or variable, for the error message.

    Raises:
        MailsealError: it is no host name.
    """
    if not name or ":" in name:
        return name
    try:
        ascii_name = name.removesuffix(".").encode("idna").decode("ascii").lower()
    except UnicodeError:
        ascii_name = ""
    if not _NAME.fullmatch(ascii_name):
        raise MailsealError(f"{what}: {name!r} is no host name")
    return ascii_name


def is_address(text: str) -> bool:
    """Whether this is an IPv4 or IPv6 address, which no certificate name or SNI may hold."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def is_host_name(text: str) -> bool:
    """Whether this can be the name of a host, in the form that goes over the wire."""
    return bool(_NAME.fullmatch(text)) and not is_address(text)
