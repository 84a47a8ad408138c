"""Endpoint facts in words, and endpoints that show the same told once.

A daemon behaves alike on its ports and addresses, so that a host with fourteen endpoints has two
or three portraits; one that differs stands out.
"""

from collections.abc import Iterable

from msgspec import Struct

from audit.facts import Certificate, EndpointFacts, Plaintext, Preference, Seen
from audit.findings import Run
from audit.iana import VERSIONS, Version
from audit.iana.primes import prime_name
from audit.judge.transport import REACH
from audit.report.summary import moment, utc

_ORDER: dict[Preference, str] = {
    "server": "the server's order",
    "client": "the client's order",
    "unknown": "an order that was not determined",
}

# The heading of a list of behaviours.
BEHAVES: dict[Seen, str] = {"accepted": "Does", "refused": "Does not", "inconclusive": "Unclear"}


class Negotiated(Struct, frozen=True):
    """What one accepted version can lead to."""

    version: Version
    order: str
    suites: tuple[str, ...]
    groups: tuple[str, ...]


class Portrait(Struct, frozen=True):
    """What several endpoints of one host show alike.

    Attributes:
        host: its name.
        ports: "143 imap starttls" and the addresses it was seen on.
        reach: whether anything answered, in words; empty if it did.
        versions: every version, and what came of it.
        negotiated: the accepted versions, newest first.
        certificates: one line for each leaf.
        plaintext: what is possible before TLS; empty in implicit mode.
        extras: compression, renegotiation, Diffie-Hellman.
        behaviours: what else was tried, by what came of it.
        errors: what went wrong on the way.
        connections, seconds: what it took, all endpoints together.
    """

    host: str
    ports: dict[str, list[str]]
    reach: str
    versions: dict[Version, Seen]
    negotiated: tuple[Negotiated, ...]
    certificates: tuple[str, ...]
    plaintext: str
    extras: tuple[str, ...]
    behaviours: dict[Seen, tuple[str, ...]]
    errors: tuple[str, ...]
    connections: int
    seconds: float

    @property
    def endpoints(self) -> int:
        """How many endpoints it stands for."""
        return sum(map(len, self.ports.values()))


def portraits(run: Run) -> list[Portrait]:
    """The endpoints of a run by host, those that show the same in one."""
    alike: dict[tuple[object, ...], list[EndpointFacts]] = {}
    for facts in run.endpoints:
        alike.setdefault(_likeness(facts), []).append(facts)
    return [_portrait(group, run) for group in alike.values()]


def _likeness(facts: EndpointFacts) -> tuple[object, ...]:
    return (
        facts.endpoint.host,
        facts.reach,
        tuple(_versions(facts).items()),
        _negotiated(facts),
        tuple(chain[0].fingerprint for chain in facts.chains if chain),
        _plaintext(facts.plaintext),
        _extras(facts),
        tuple(_behaviours(facts).items()),
        facts.errors,
    )


def _portrait(group: list[EndpointFacts], run: Run) -> Portrait:
    first = group[0]
    ports: dict[str, list[str]] = {}
    for facts in group:
        where = facts.endpoint
        addresses = ports.setdefault(f"{where.port} {where.service} {where.mode}", [])
        addresses.append(where.address)
    return Portrait(
        host=first.endpoint.host,
        ports=ports,
        reach="" if first.reach == "open" else REACH[first.reach],
        versions=_versions(first),
        negotiated=_negotiated(first),
        certificates=tuple(certificate(c[0], len(c), run) for c in first.chains if c),
        plaintext=_plaintext(first.plaintext),
        extras=_extras(first),
        behaviours=_behaviours(first),
        errors=first.errors,
        connections=sum(facts.connections for facts in group),
        seconds=sum(facts.seconds for facts in group),
    )


def _versions(facts: EndpointFacts) -> dict[Version, Seen]:
    return {v: facts.protocols[v].seen for v in VERSIONS if v in facts.protocols}


def _negotiated(facts: EndpointFacts) -> tuple[Negotiated, ...]:
    return tuple(
        Negotiated(
            version=version,
            order=_ORDER[facts.preference.get(version, "unknown")],
            suites=tuple(facts.suites.get(version, ())),
            groups=tuple(facts.groups.get(version, ())),
        )
        for version in reversed(VERSIONS)
        if facts.suites.get(version) or facts.groups.get(version)
    )


def certificate(leaf: Certificate, length: int, run: Run) -> str:
    """One certificate in one line; days are counted to the end of the run, not to today."""
    signed = f" · signed with {leaf.signature_hash}" if leaf.signature_hash else ""
    left = days_left(leaf, run)
    return f"{leaf.subject} · {left} · {key_kind(leaf)}{signed} · chain of {length}"


def key_kind(leaf: Certificate) -> str:
    """ECDSA P-256, RSA 3072."""
    return f"{leaf.key_type.upper()} {leaf.curve or leaf.key_bits or ''}".rstrip()


def days_left(leaf: Certificate, run: Run) -> str:
    """How long a certificate still is valid, counted from the end of the run."""
    end = utc(leaf.not_after)
    now = moment(run.finished)
    if now is None:
        return f"until {end:%Y-%m-%d}"
    if end > now:
        return f"{(end - now).days} days left"
    return f"ended {(now - end).days} days ago"


def _plaintext(plaintext: Plaintext | None) -> str:
    if plaintext is None:
        return ""
    offered = " ".join(plaintext.auth_offered)
    login = {
        "accepted": "a password would be looked at",
        "refused": "a login is refused",
        "inconclusive": "what a login leads to is unclear",
    }
    said = [f"offers {offered}" if offered else "offers no login", login[plaintext.login]]
    if plaintext.preauth:
        said.append("greets with PREAUTH")
    if plaintext.mail is not None:
        said.append(f"mail {plaintext.mail.seen}")
    return ", ".join(said)


def _extras(facts: EndpointFacts) -> tuple[str, ...]:
    renegotiation = {True: "secure", False: "not secure", None: "not tested"}
    if not facts.protocols:
        return ()
    extras = [
        f"compression {facts.compression.seen}",
        f"renegotiation {renegotiation[facts.secure_renegotiation]}",
    ]
    for prime in facts.dh_primes or ():
        name = prime_name(prime)
        extras.append(f"prime of {prime.bit_length()} bits{f' ({name})' if name else ''}")
    return tuple(extras)


def _behaviours(facts: EndpointFacts) -> dict[Seen, tuple[str, ...]]:
    """What it does, does not do, and what could not be told."""
    found = facts.behaviours.items()
    how: tuple[Seen, ...] = ("accepted", "refused", "inconclusive")
    return {one: tuple(name for name, o in found if o.seen == one) for one in how if found}


def accepted(versions: dict[Version, Seen], how: Seen) -> Iterable[Version]:
    """The versions that came to this."""
    return (version for version, seen in versions.items() if seen == how)
