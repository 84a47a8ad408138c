"""The figures of a tally, each with its unit and what it is a share of. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from audit.iana import VERSIONS
from audit.traffic.domains import domains
from audit.traffic.figures import (
    Access,
    Certificates,
    Failing,
    Incoming,
    Lines,
    Outgoing,
    Parted,
    Sessions,
    Somebody,
    Traffic,
)
from audit.traffic.hosts import hosts, pairs, providers, validated_by_domain
from audit.traffic.seen import Seen
from audit.traffic.session import Session, session
from audit.traffic.shares import By, trend
from audit.traffic.tally import UNLOGGED, UNNAMED, Kind, Tally, Use, secure, text

_LINES: dict[Kind, str] = {
    "arrival": "arrivals",
    "delivery": "deliveries",
    "deferral": "deferrals",
    "failure": "failures",
    "reject": "rejects",
    "login": "logins",
    "no-mail": "no_mail",
    "session": "sessions",
    "tls-error": "tls_errors",
    "completed": "completed",
    "other": "other",
    "ambiguous": "ambiguous",
}
_VERIFIED = ("yes", "no", "dane", "unknown")
_OLD = "old-version"

K = TypeVar("K", bound=Any)


def traffic(tally: Tally, by: By | None = None) -> Traffic:
    """All figures; the tally must be finished. *by* is what shares are told by (see `trend`)."""
    days = sorted(filter(None, (day for day, count in tally.days.items() if count)))
    found = _lines(tally)
    return Traffic(
        from_=text(days[0]) if days else "",
        to=text(days[-1]) if days else "",
        lines=found,
        whole=found.with_tls == found.classified,
        incoming=_incoming(tally, "mx"),
        submission=_incoming(tally, "submission"),
        own=_incoming(tally, "own"),
        outgoing=_outgoing(tally),
        access=_access(tally),
        errors=dict(_summed((r, seen.count) for (_, _, r), seen in tally.errors.items())),
        failing=_failing(tally),
        trend=trend(tally, by),
        ambiguous=[text(line) for line in tally.strange],
        silent=sorted(map(text, tally.silent)),
    )


def _summed(counts: Iterable[tuple[K, int]]) -> "Counter[K]":
    found: Counter[K] = Counter()
    for key, count in counts:
        found[key] += count
    return found


def _lines(tally: Tally) -> Lines:
    kinds = _summed((kind, count) for (kind, _), count in tally.lines.items())
    return Lines(
        total=kinds.total(),
        with_tls=tally.named,
        classified=sum(count for (_, named), count in tally.lines.items() if named),
        **{name: kinds[kind] for kind, name in _LINES.items()},
    )


def _sessions(counts: Mapping[bytes, int]) -> Sessions:
    """The tables of mails or logins by X=."""
    versions: Counter[str] = Counter()
    suites: Counter[str] = Counter()
    parts: dict[str, Counter[bool | None]] = {name: Counter() for name in ("fs", "aead", "gcm")}
    for x, count in counts.items():
        if not secure(x):
            continue
        one = session("" if x == UNNAMED else x.decode("ascii", "replace"))
        versions[one.version or "unknown"] += count
        suites[one.suite or "unknown"] += count
        for name, answer in _answers(one):
            parts[name][answer] += count
    return Sessions(
        tls=versions.total(),
        plain=counts.get(b"", 0),
        not_logged=counts.get(UNLOGGED, 0),
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


def _incoming(tally: Tally, use: Use) -> Incoming:
    mails = _summed((x, n) for (_, which, x, _), n in tally.incoming.items() if which == use)
    return Incoming(
        **_fields(_sessions(mails)),
        mails=mails.total(),
        client_certificates=_certificates(tally, use),
    )


def _fields(sessions: Sessions) -> dict[str, Any]:
    return {name: getattr(sessions, name) for name in sessions.__struct_fields__}


def _certificates(tally: Tally, use: Use) -> Certificates | None:
    """None where no subject of anybody is in the log: then none is logged."""
    if not tally.certificates and not any(dn for *_, dn in tally.ways):
        return None
    mine = {(dn, cv): n for (which, dn, cv), n in tally.certificates.items() if which == use}
    unverified = {dn: count for (dn, cv), count in mine.items() if cv == b"no"}
    return Certificates(
        mails=sum(mine.values()),
        distinct=len({dn for dn, _ in mine}),
        unverified=sum(unverified.values()),
        domain_validated=sum(n for dn, n in unverified.items() if validated_by_domain(dn)),
    )


def _outgoing(tally: Tally) -> Outgoing:
    mails = _summed((x, count) for (_, x, _), count in tally.outgoing.items())
    verified = _summed((text(cv), n) for (_, x, cv), n in tally.outgoing.items() if secure(x))
    known = {name: verified.pop(name, 0) for name in _VERIFIED}
    return Outgoing(
        **_fields(_sessions(mails)),
        mails=mails.total(),
        deliveries=sum(tally.deliveries.values()),
        mixed=tally.mixed,
        verified=known | {"unknown": known["unknown"] + verified.total()},
        providers=providers(tally),
        pairs=pairs(tally),
        hosts=hosts(tally),
        domains=domains(tally),
    )


def _access(tally: Tally) -> Access | None:
    if not tally.logins:
        return None
    outcomes = _summed((outcome, n) for (_, outcome, _), n in tally.logins.items())
    good = _summed((x, n) for (_, outcome, x), n in tally.logins.items() if outcome == "good")
    return Access(
        **_fields(_sessions(good)),
        logins=outcomes["good"],
        failed=outcomes["bad"],
        refused_plain=outcomes["refused"],
        users=[_somebody(*key, seen) for key, seen in _ordered(tally.refused)],
    )


def _somebody(ip: bytes, user: bytes, seen: Seen) -> Somebody:
    return Somebody(text(ip), text(user), seen.count, text(seen.last))


def _ordered(seen: Mapping[K, Seen]) -> list[tuple[K, Seen]]:
    """The most often first, then by name."""
    return sorted(seen.items(), key=lambda item: (-item[1].count, item[0]))


def _failing(tally: Tally) -> list[Failing]:
    """Hosts that have no version in common with this one, as far as the log says."""
    fine = {ip for _, ip, _, x in tally.clients if x}
    return [
        Failing(text(ip), reason, seen.count, text(seen.last))
        for (use, ip, reason), seen in _ordered(tally.errors)
        if reason == _OLD and use != "own" and ip not in fine
    ]
