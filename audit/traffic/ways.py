"""The ways that mail goes to a domain: who sends, to which host, and what vouches for it. Pure."""

from audit.traffic.tally import Way, secure

TLS = b"tls"  # with TLS, and what was verified is not logged


def sender(node: bytes, transport: bytes) -> bytes:
    """What has one configuration: a transport of Exim's on a node, `mx1 remote_smtp`."""
    return b"%b %b" % (node, transport)


def is_exim(who: bytes) -> bool:
    """Whether a sender is one of Exim's: those of Postfix are a program, `mx1 postfix/smtp`."""
    return b"/" not in who.rpartition(b" ")[2]


def transport(who: bytes) -> bytes:
    """The transport of a sender of Exim's."""
    return who.rpartition(b" ")[2]


def verified(x: bytes, cv: bytes) -> bytes:
    """What CV= says where there was TLS, or `TLS`; without it, X= as it is."""
    return (cv or TLS) if secure(x) else x


def way(  # noqa: PLR0913 - what a line says of a delivery
    who: bytes, domain: bytes, host: bytes, x: bytes, cv: bytes, *, signed: bool
) -> Way:
    """What deliveries that have all of this in common are counted by."""
    return who, domain.lower(), host.lower(), b"DS" if signed else b"", verified(x, cv)
