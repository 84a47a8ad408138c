"""The MTA-STS policy of a domain, fetched as a sender fetches it (RFC 8461, section 3.3)."""

from collections.abc import Callable
from dataclasses import asdict

from audit.facts import Fetched
from audit.mta_sts.page import LARGEST, PATH, PORT, host_of, page

__all__ = ["LARGEST", "PATH", "fetch", "host_of"]
_SECONDS = 30.0
_PORT = PORT


def fetch(
    host: str, addresses: tuple[str, ...], trusted: Callable[[], tuple[bytes, ...]]
) -> Fetched:
    """What the policy host says; no redirect is followed. Whatever goes wrong is in it."""
    found = page(host, trusted(), _SECONDS, addresses, _PORT)
    return Fetched(f"https://{host}{PATH}", **asdict(found))
