"""Groups and primes of the key exchange. Pure."""

from collections.abc import Sequence

from audit.iana import GROUPS, Group, Suite, Version, group
from audit.probe.discover import ELLIPTIC, Discovery, Script, read
from audit.wire.hello import Hello
from audit.wire.server_hello import Accepted

_FINITE = tuple(g for g in GROUPS if g.finite_field)


def named_primes(
    version: Version, found: Discovery, offered: Sequence[Suite], name: str
) -> Script[tuple[tuple[Accepted, ...], str]]:
    """The answers to a client that names the groups of RFC 7919; and why there are none.

    A server may take one of those groups where it is offered and its own prime where none is, or
    do the one and not the other.
    """
    usable = tuple(s for s in offered if s.finite_field)
    if any(s in usable for s in found.suites):
        heard = yield Hello(version, usable, _FINITE, name)
        if read(heard, version).seen == "inconclusive":
            return (), f"Diffie-Hellman: {heard}"
        return ((heard,), "") if isinstance(heard, Accepted) else ((), "")
    left, picks = list(usable), list[Accepted]()
    while left:
        heard = yield Hello(version, tuple(left), _FINITE, name)
        seen = read(heard, version)
        if seen.seen == "inconclusive":
            return tuple(picks), f"Diffie-Hellman: {heard}"
        if seen.seen == "refused" or not isinstance(heard, Accepted) or heard.suite not in left:
            break
        picks.append(heard)
        left.remove(heard.suite)
    return tuple(picks), ""


def groups(
    version: Version, usable: Sequence[Suite], offered: Sequence[Group], name: str
) -> Script[tuple[str, ...] | None]:
    """The groups the server uses with *usable*, in its order; None if that cannot be told."""
    left, picked = list(offered), list[Group]()
    while usable and left:
        heard = yield Hello(version, tuple(usable), tuple(left), name)
        seen = read(heard, version)
        if seen.seen == "inconclusive":
            return None
        if seen.seen == "refused" or not isinstance(heard, Accepted):
            break
        if heard.group is None or (chosen := group(heard.group)) not in left:
            return None  # explicit parameters instead of a named group, or one not offered
        picked.append(chosen)
        left.remove(chosen)
    return tuple(g.name for g in picked) if usable else None


def classic_groups(version: Version, found: Discovery, name: str) -> Script[tuple[str, ...] | None]:
    """The groups up to TLS 1.2.

    Only suites with an RSA certificate tell: with an ECDSA certificate OpenSSL insists on the
    certificate's own curve being offered, and then may choose it.
    """
    usable = [s for s in found.suites if (s.key_exchange, s.authentication) == ("ECDHE", "RSA")]
    return (yield from groups(version, usable, ELLIPTIC, name))
