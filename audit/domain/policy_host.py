"""The MTA-STS policy of a domain, fetched as a sender fetches it (RFC 8461, section 3.3)."""

import http.client
import ssl
from collections.abc import Callable

from audit import __version__
from audit.bounded import Bounds
from audit.connect import reason
from audit.facts import Fetched
from audit.web import Client

PATH = "/.well-known/mta-sts.txt"
LARGEST = 64 << 10  # octets that a sender reads, as section 3.3 suggests
_SECONDS = 30.0
_PORT = 443


def fetch(
    host: str, addresses: tuple[str, ...], trusted: Callable[[], tuple[bytes, ...]]
) -> Fetched:
    """What the policy host says; no redirect is followed. Whatever goes wrong is in it."""
    bounds = Bounds(_SECONDS)
    client = Client(host, _PORT, bounds, addresses=addresses, trusted=trusted())
    url = f"https://{host}{PATH}"
    try:
        client.request("GET", PATH, headers={"User-Agent": f"mailseal/{__version__}"})
        answer = client.getresponse()
        body = answer.read(LARGEST + 1)
    except (OSError, http.client.HTTPException) as error:
        return _unread(url, error, bounds)
    finally:
        client.close()
    if answer.length and len(body) <= LARGEST:  # what http.client still waits for
        return Fetched(url, fault="what it says ends too soon")
    return Fetched(
        url,
        answer.status,
        answer.headers.get_content_type() if "Content-Type" in answer.headers else "",
        body[:LARGEST],
        len(body) <= LARGEST,
    )


def _unread(url: str, error: Exception, bounds: Bounds) -> Fetched:
    """Why there is no answer; what may be the fault of the way there is a doubt."""
    if isinstance(error, ConnectionRefusedError):
        return Fetched(url, fault="nothing listens on its port 443")
    if isinstance(error, http.client.HTTPException):
        return Fetched(url, fault=f"what it says is no HTTP: {reason(error)}")
    words = bounds.broken or reason(error)
    too_much = bounds.broken and not isinstance(error, TimeoutError)
    if too_much or isinstance(error, ssl.SSLError):
        return Fetched(url, fault=words)
    return Fetched(url, doubt=words)
