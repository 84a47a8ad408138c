"""One DNS message there and one back, by UDP and by TCP where that is too small.

Not by dnspython's own transport, which takes a message with one malformed record for none: what is
malformed is what an audit has to tell. Bounded by time; by bytes both are by themselves.
"""

import socket
import time
from collections.abc import Iterator

import dns.exception
import dns.flags
import dns.message

from audit.bounded import Bounds
from audit.connect import connect

_LARGEST = 65535
_LENGTH = 2  # octets that say how long a message by TCP is


def udp(
    query: dns.message.Message, address: str, port: int, seconds: float
) -> dns.message.Message | None:
    """The answer; None if it is too large for UDP. What is no answer to this is passed over.

    Raises:
        OSError: none came, in time.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    end = time.monotonic() + seconds
    with socket.socket(family, socket.SOCK_DGRAM) as link:
        link.settimeout(seconds)
        link.connect((address, port))  # so that the kernel passes over what others send
        link.send(query.to_wire())
        for wire in _received(link, end):
            answer = parsed(wire)
            if answer is not None and query.is_response(answer):
                return None if answer.flags & dns.flags.TC else answer
    raise TimeoutError("no answer in time")


def tcp(query: dns.message.Message, address: str, port: int, seconds: float) -> dns.message.Message:
    """The answer.

    Raises:
        OSError: none came, in time, or something else did.
    """
    bounds = Bounds(seconds)
    with connect(address, port, bounds) as link, link.makefile("rb") as stream:
        link.sendall(query.to_wire(prepend_length=True))
        length = int.from_bytes(stream.read(_LENGTH), "big")
        answer = parsed(stream.read(length))
    if answer is None or not query.is_response(answer):
        raise OSError("what came is no answer to what was asked")
    return answer


def _received(link: socket.socket, end: float) -> Iterator[bytes]:
    while (left := end - time.monotonic()) > 0:
        link.settimeout(left)
        yield link.recv(_LARGEST)


def parsed(wire: bytes) -> dns.message.Message | None:
    """What can be read of a message; what cannot is in its errors. None if nothing can."""
    try:
        return dns.message.from_wire(wire, ignore_trailing=True, continue_on_error=True)
    except (dns.exception.DNSException, ValueError):
        return None
