"""The page that a policy is on, fetched once (RFC 8461, section 3.3)."""

import http.client
import ssl
from dataclasses import dataclass

from audit import __version__
from audit.bounded import Bounds
from audit.connect import reason
from audit.web import Client

PATH = "/.well-known/mta-sts.txt"
LARGEST = 64 << 10  # octets that a sender reads, as section 3.3 suggests
PORT = 443


@dataclass(frozen=True)
class Page:
    """What a web server said, once.

    Attributes:
        status: of HTTP; 0 if it did not come to that.
        media: the media type, in lower case and without parameters.
        body: as far as it was read.
        whole: nothing more would have come.
        fault: why there is no answer that counts, and it is the server's doing.
        doubt: why there is none, and it may be ours.
    """

    status: int = 0
    media: str = ""
    body: bytes = b""
    whole: bool = True
    fault: str = ""
    doubt: str = ""


def host_of(domain: str) -> str:
    """The name of a domain's policy host (RFC 8461, section 3.3)."""
    return f"mta-sts.{domain}"


def page(
    host: str,
    trusted: tuple[bytes, ...],
    seconds: float,
    addresses: tuple[str, ...] = (),
    port: int = PORT,
) -> Page:
    """What the policy host says; no redirect is followed. Whatever goes wrong is in it.

    Args:
        host: its name, which its certificate has to have.
        trusted: root certificates, DER.
        seconds: for all of it.
        addresses: where it is, if that is known; otherwise the system is asked.
        port: TCP.
    """
    bounds = Bounds(seconds)
    client = Client(host, port, bounds, addresses=addresses, trusted=trusted)
    try:
        client.request("GET", PATH, headers={"User-Agent": f"mailseal/{__version__}"})
        answer = client.getresponse()
        body = answer.read(LARGEST + 1)
    except (OSError, http.client.HTTPException, ValueError) as error:  # a chunk of -5 octets
        return _unread(error, bounds)
    finally:
        client.close()
    if answer.length and len(body) <= LARGEST:  # what http.client still waits for
        return Page(fault="what it says ends too soon")
    media = answer.headers.get_content_type() if "Content-Type" in answer.headers else ""
    return Page(answer.status, media, body[:LARGEST], len(body) <= LARGEST)


def _unread(error: Exception, bounds: Bounds) -> Page:
    """Why there is no answer; what may be the fault of the way there is a doubt."""
    if isinstance(error, ConnectionRefusedError):
        return Page(fault="nothing listens on its port 443")
    if isinstance(error, http.client.HTTPException) or not isinstance(error, OSError):
        return Page(fault=f"what it says is no HTTP: {reason(error)}")
    words = bounds.broken or reason(error)
    too_much = bounds.broken and not isinstance(error, TimeoutError)
    if too_much or isinstance(error, ssl.SSLError):
        return Page(fault=words)
    return Page(doubt=words)
