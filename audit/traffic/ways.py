"""The ways that mail goes to a domain: who sends, to which host, and what vouches for it. Pure."""

import re

from audit.traffic.tally import Way, secure

# Transports that follow MTA-STS, by their name; the role exim has one for policies to be enforced.
_MTA_STS = re.compile(rb"(.* .*?)_?mta_sts(?:_(enforce|testing))?")
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


def mta_sts(who: bytes) -> bytes:
    """The mode of MTA-STS that a sender's name says it is for; empty if it says nothing of it."""
    found = _MTA_STS.fullmatch(who)
    return (found[2] or b"enforce") if found else b""


def family(who: bytes) -> bytes:
    """A sender without MTA-STS in its name: what that does otherwise, it does as well."""
    found = _MTA_STS.fullmatch(who)
    return found[1] if found else who


def verified(x: bytes, cv: bytes) -> bytes:
    """What CV= says where there was TLS, or `TLS`; without it, X= as it is."""
    return (cv or TLS) if secure(x) else x


def way(  # noqa: PLR0913, PLR0917 - what a log says of a delivery
    who: bytes, domain: bytes, host: bytes, signed: object, x: bytes, cv: bytes, dn: bytes
) -> Way:
    """What copies that have all of this in common are counted by."""
    return who, domain.lower(), host, b"DS" if signed else b"", x, cv, dn
