"""The connection to an endpoint, and in which words there is none."""

import errno
import socket
from typing import TYPE_CHECKING

from audit.bounded import Bounds, Plain
from audit.passage.outcome import Stopped

if TYPE_CHECKING:
    from audit.facts import Endpoint

_CONNECT = 5.0  # seconds
_NO_WAY = (errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPERM, errno.EACCES)


def connect(endpoint: "Endpoint", bounds: Bounds) -> Plain:
    """A connection to an endpoint.

    Raises:
        Stopped: there is none.
    """
    made = Plain(socket.AF_INET6 if endpoint.family == "ipv6" else socket.AF_INET, bounds)
    try:
        made.settimeout(min(_CONNECT, bounds.left()))
        made.connect((endpoint.address, endpoint.port))
    except OSError as error:
        made.close()
        raise _unreached(error) from None
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def _unreached(error: OSError) -> Stopped:
    if isinstance(error, TimeoutError):
        return Stopped("broken", f"no answer in {_CONNECT:g} s")
    return Stopped("no-way" if error.errno in _NO_WAY else "broken", error.strerror or str(error))
