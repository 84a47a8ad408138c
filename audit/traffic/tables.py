"""The figures of a tally, each with its unit and what it is a share of. Pure."""

from collections import Counter
from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from audit.iana import VERSIONS
from audit.traffic.exim import Kind
from audit.traffic.session import Session, session
from audit.traffic.tally import UNNAMED, Tally, Use

KINDS: dict[Kind, str] = {
    "arrival": "arrivals",
    "delivery": "deliveries",
    "deferral": "deferrals",
    "failure": "failures",
    "reject": "rejects",
    "no-mail": "no_mail",
    "tls-error": "tls_errors",
    "completed": "completed",
    "other": "other",
    "ambiguous": "ambiguous",
}


class Lines(Struct, frozen=True, kw_only=True):
    """What lines there were; all kinds add up to the total.

    Attributes:
        total: lines read.
        with_tls: those with " X=", counted apart from their meaning.
        classified: those with " X=" among the lines by kind; as many, or something was lost.
    """

    total: int
    with_tls: int
    classified: int
    arrivals: int
    deliveries: int
    deferrals: int
    failures: int
    rejects: int
    no_mail: int
    tls_errors: int
    completed: int
    other: int
    ambiguous: int


class Parted(Struct, frozen=True):
    """A set in two parts, and what cannot be told."""

    yes: int = 0
    no: int = 0
    unknown: int = 0


class Sessions(Struct, frozen=True, kw_only=True):
    """Mails with TLS, by what was negotiated; each table adds up to their number."""

    versions: dict[str, int]
    suites: dict[str, int]
    forward_secrecy: Parted
    aead: Parted
    gcm: Parted


class Certificates(Struct, frozen=True):
    """Mails that came with a certificate of the client's."""

    mails: int
    distinct: int
    unverified: int


class Incoming(Struct, frozen=True, kw_only=True):
    """Mails from other hosts, by what port they are for: servers or people."""

    mails: int
    tls: int
    plain: int
    sessions: Sessions
    client_certificates: Certificates | None


class Outgoing(Struct, frozen=True, kw_only=True):
    """Mails to other hosts: one for each message and host.

    Attributes:
        deliveries: recipients, for comparison.
        mixed: mails that a host got both with TLS and without; in both rows.
    """

    mails: int
    deliveries: int
    tls: int
    plain: int
    mixed: int
    sessions: Sessions
    verified: dict[Literal["yes", "no", "dane", "unknown"], int]


def lines(tally: Tally) -> Lines:
    """The lines of a tally."""
    kinds: Counter[str] = Counter()
    for (kind, _), count in tally.lines.items():
        kinds[kind] += count
    return Lines(
        total=kinds.total(),
        with_tls=tally.plain,
        classified=sum(count for (_, has_x), count in tally.lines.items() if has_x),
        **{name: kinds[kind] for kind, name in KINDS.items()},
    )


def sessions(mails: Iterable[tuple[bytes, int]]) -> Sessions:
    """The tables of mails by X=; those without are left out."""
    versions: Counter[str] = Counter()
    suites: Counter[str] = Counter()
    parts: dict[str, Counter[bool | None]] = {name: Counter() for name in ("fs", "aead", "gcm")}
    for x, count in mails:
        if not x:
            continue
        one = session("" if x == UNNAMED else x.decode("ascii", "replace"))
        versions[one.version or "unknown"] += count
        suites[one.suite or "unknown"] += count
        for name, answer in _answers(one):
            parts[name][answer] += count
    return Sessions(
        versions={name: versions[name] for name in (*VERSIONS, "unknown") if versions[name]},
        suites=dict(suites.most_common()),
        forward_secrecy=_parted(parts["fs"]),
        aead=_parted(parts["aead"]),
        gcm=_parted(parts["gcm"]),
    )


def _answers(one: Session) -> tuple[tuple[str, bool | None], ...]:
    return ("fs", one.forward_secrecy), ("aead", one.aead), ("gcm", one.gcm)


def _parted(counts: Counter[bool | None]) -> Parted:
    return Parted(counts[True], counts[False], counts[None])


def incoming(tally: Tally, use: Use) -> Incoming:
    """What came to a kind of port."""
    mails: Counter[bytes] = Counter()
    for (_, which, x, _), count in tally.incoming.items():
        if which == use:
            mails[x] += count
    tls = sum(count for x, count in mails.items() if x)
    return Incoming(
        mails=mails.total(),
        tls=tls,
        plain=mails[b""],
        sessions=sessions(mails.items()),
        client_certificates=_certificates(tally),
    )


def _certificates(tally: Tally) -> Certificates | None:
    """None where the log has no DN at all: then nobody knows."""
    if not tally.certificates:
        return None
    return Certificates(
        mails=tally.certificates.total(),
        distinct=len({dn for dn, _ in tally.certificates}),
        unverified=sum(n for (_, cv), n in tally.certificates.items() if cv == b"no"),
    )


def outgoing(tally: Tally) -> Outgoing:
    """What was sent; the tally must be finished."""
    mails: Counter[bytes] = Counter()
    verified: Counter[str] = Counter()
    for (_, x, cv), count in tally.outgoing.items():
        mails[x] += count
        if x:
            verified[_VERIFIED.get(cv, "unknown")] += count
    plain = mails[b""]
    return Outgoing(
        mails=mails.total(),
        deliveries=tally.deliveries.total(),
        tls=mails.total() - plain,
        plain=plain,
        mixed=tally.mixed,
        sessions=sessions(mails.items()),
        verified={name: verified[name] for name in ("yes", "no", "dane", "unknown")},
    )


_VERIFIED = {b"yes": "yes", b"no": "no", b"dane": "dane"}
