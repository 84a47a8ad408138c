"""How a connection may end without an answer; the message says it in words."""


class ProbeError(Exception):
    """A connection that told nothing about TLS; the message says why in words."""


class PortClosed(ProbeError):
    """The connection was refused."""


class NoRoute(ProbeError):
    """This machine has no way to the address."""


class NoAnswer(ProbeError):
    """Nothing, or not enough, came in time."""


class Closed(NoAnswer):
    """The server closed instead of answering."""


class Reset(ProbeError):
    """The connection was reset."""


class Throttled(ProbeError):
    """The server is busy and says so (RFC 5321, reply 421; IMAP BYE)."""


class Late(ProbeError):
    """The time for the whole run was over; nothing is said of the server."""


class NotTheService(ProbeError):
    """Something else answers there."""
