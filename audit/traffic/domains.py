"""Figures about the domains that mail was sent to: what vouched for their servers. Pure."""

from collections import Counter
from typing import Literal

from msgspec import Struct

from audit.traffic.refusal import Refusal
from audit.traffic.tally import UNLOGGED, Tally, text
from audit.traffic.ways import TLS, mta_sts, verified

Vouched = Literal["dane", "yes", "no", "unknown", "plain", "not-logged"]
# What `verified` says, and what that is called here.
_VOUCHED: dict[bytes, Vouched] = {
    b"dane": "dane",
    b"yes": "yes",
    b"no": "no",
    TLS: "unknown",
    b"": "plain",
    UNLOGGED: "not-logged",
}


class Signed(Struct, frozen=True):
    """Recipients whose server had its name and address by DNSSEC (DS), or not, or nobody knows."""

    yes: int = 0
    no: int = 0
    unknown: int = 0


class PutOff(Struct, frozen=True):
    """What failed for want of TLS, or of what is to be verified.

    Attributes:
        domain: of the recipients; empty for a connection, of which Exim does not say it.
        host: the server; empty where no line names it.
        reason: why, in the words of RFC 8460, section 4.3, where it has one.
        count: lines, one for each recipient and attempt; one for each connection that failed by
            DANE.
        last_seen: the day.
    """

    domain: str
    host: str
    reason: Refusal
    count: int
    last_seen: str


class Domains(Struct, frozen=True, kw_only=True):
    """Recipients at other servers, one for each line of a delivery, and their domains.

    Attributes:
        total: domains that are named.
        recipients: all of them, also where no domain is named; shares are of these.
        vouched: by what vouched for the server: DANE, a certificate that is verified (yes) or not
            (no), that is not logged (unknown), nothing (plain); or not even TLS is logged.
        signed: by whether its name came by DNSSEC; unknown where a sender never logs it.
        mta_sts: by mode; None where no transport's name says that it follows MTA-STS.
        dane: by domain, those that got some by DANE, and how many recipients.
        put_off: recipients that Exim could not send to at an attempt, the most often first.
        dane_failed: connections of Exim's on which DANE failed, by host.
    """

    total: int
    recipients: int
    vouched: dict[Vouched, int]
    signed: Signed
    mta_sts: dict[str, int] | None
    dane: dict[str, int]
    put_off: list[PutOff]
    dane_failed: list[PutOff]


def domains(tally: Tally) -> Domains:
    """All of them; the tally must be settled."""
    vouched: Counter[Vouched] = Counter()
    signed: Counter[bool | None] = Counter()
    modes: Counter[str] = Counter()
    dane: Counter[str] = Counter()
    by: dict[tuple[bytes, bytes, bytes], int] = {}
    named: set[bytes] = set()
    for (who, domain, _, ds, x, cv, _), seen in tally.ways.items():
        how = verified(x, cv)
        key = who, ds, how
        by[key] = by.get(key, 0) + seen.count
        named.add(domain)
        if how == b"dane":
            dane[text(domain)] += seen.count
    tells = {who for who, ds, _ in by if ds}
    for (who, ds, how), count in by.items():
        vouched[_VOUCHED.get(how, "unknown")] += count
        signed[bool(ds) if who in tells else None] += count
        if mode := mta_sts(who):
            modes[text(mode)] += count
    failed = _put_off(tally)
    return Domains(
        total=len(named - {b""}),
        recipients=vouched.total(),
        vouched={name: vouched[name] for name in _VOUCHED.values()},
        signed=Signed(signed[True], signed[False], signed[None]),
        mta_sts=dict(sorted(modes.items())) or None,
        dane=dict(sorted(dane.items(), key=lambda item: (-item[1], item[0]))),
        put_off=[one for one in failed if one.domain],
        dane_failed=[one for one in failed if not one.domain],
    )


def _put_off(tally: Tally) -> list[PutOff]:
    found = (
        PutOff(text(domain), text(host), reason, seen.count, text(seen.last))
        for (domain, host, reason), seen in tally.put_off.items()
    )
    return sorted(found, key=lambda one: (-one.count, one.domain, one.host, one.reason))
