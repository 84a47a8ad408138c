"""A connection of its own bounds to a relay or a web server."""

import socket
import ssl

from audit import roots
from audit.bounded import Bounds, Context, Plain, Secured, context

SECONDS = 30.0  # for all that is said on one connection
_CONNECT = 10.0  # for each address


def connect(host: str, port: int, bounds: Bounds, addresses: tuple[str, ...] = ()) -> Plain:
    """The first address of a name that takes a connection.

    The system is asked for them, unless *addresses* are given.

    Raises:
        OSError: there is none; the last reason.
    """
    try:
        found = [
            entry
            for place in addresses or (host,)
            for entry in socket.getaddrinfo(place, port, type=socket.SOCK_STREAM)
        ]
    except UnicodeError:  # a label that is empty or too long
        raise OSError(f"{host} is no name of a host") from None
    reason = OSError(f"{host} has no address")
    for family, _, _, _, address in found:
        link = Plain(family, bounds)
        try:
            link.settimeout(min(_CONNECT, bounds.left()))
            link.connect(address)
        except OSError as error:
            link.close()
            reason = error
        else:
            return link
    raise reason


def secure(
    link: Plain, host: str, bounds: Bounds, trusted: tuple[bytes, ...] | None = None
) -> Secured:
    """TLS for this name, as `verified` has it."""
    return verified(bounds, trusted).wrap_socket(link, server_hostname=host)


def verified(bounds: Bounds, trusted: tuple[bytes, ...] | None = None) -> Context:
    """TLS that wants a certificate that these roots vouch for; None for the system's."""
    return context(roots.read() if trusted is None else trusted, bounds)


def unverified(bounds: Bounds) -> Context:
    """TLS against who only listens (RFC 7435)."""
    made = context((), bounds)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    return made


def reason(error: Exception) -> str:
    """An error in a few words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate does not verify: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return str(error) if str(error).startswith("not done") else "no answer in time"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or error}"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return " ".join(str(error).split()) or type(error).__name__
