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
    except ssl.SSLError as error:
        return Fetched(url, fault=reason(error))
    except ConnectionRefusedError:
        return Fetched(url, fault="nothing listens on its port 443")
    except http.client.HTTPException as error:
        return Fetched(url, fault=f"what it says is no HTTP: {reason(error)}")
    except OSError as error:  # no way there, or no answer: it may be the way
        return Fetched(url, doubt=bounds.broken or reason(error))
    finally:
        client.close()
    return Fetched(
        url,
        answer.status,
        answer.headers.get_content_type() if "Content-Type" in answer.headers else "",
        body[:LARGEST],
        len(body) <= LARGEST,
    )
