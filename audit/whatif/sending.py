"""Whom a stricter rule for outgoing mail would hurt, by the recipients' domains. Pure.

A delivery says what vouched for the server. Whether Exim would have been able to do more is told by
what else the same sender (a transport on a node) has logged: it tries DANE if it was seen to do so,
and logs DNSSEC if it was seen to do so. What a host was last seen with is what a rule will meet.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from audit.traffic.refusal import REFUSALS
from audit.traffic.seen import Seen, see
from audit.traffic.tally import UNLOGGED, Tally, text
from audit.traffic.ways import TLS, family, is_exim, mta_sts, transport, verified
from audit.whatif.document import (
    DomainDocument,
    RefusedDocument,
    Rule,
    SendingDocument,
    SendingEffect,
    SharesDocument,
)
from audit.whatif.verdict import Judged, Verdict

# The worst that becomes of any of its hosts is what becomes of a domain.
_WORST: tuple[Verdict, ...] = ("break", "unknown", "keep")
_ALL = "*"
_UNLOGGED = Judged("unknown", "whether there was TLS is not logged")
_NO_CV = Judged("unknown", "whether its certificate can be verified is not logged")
_BY_DANE = Judged("keep", "delivered by DANE")
_MIXED = Judged("unknown", "on the last day it was seen both so that it would go on, and not")
_VERIFIED: Mapping[bytes, Judged] = {
    b"dane": _BY_DANE,
    b"yes": Judged("keep", "its certificate was verified (CV=yes)"),
    b"no": Judged("break", "its certificate cannot be verified (CV=no)"),
    b"": Judged("unknown", "it went in clear; whether it has TLS was never seen"),
    TLS: _NO_CV,
}

Sight = tuple[bytes, bytes, Seen]  # DS, what vouched for it, how often
Of = tuple[bytes, bytes, Judged, int, bytes]  # sender and host: what becomes of how many, last day


class Habits(Struct, frozen=True):
    """What senders are known to do, each since some day; those for MTA-STS do as their like.

    Attributes:
        tries_dane: those that were seen to deliver by DANE.
        logs_ds: those that were seen to log names that came by DNSSEC.
    """

    tries_dane: Mapping[bytes, bytes]
    logs_ds: Mapping[bytes, bytes]


def sending(tally: Tally, rule: Rule, asked: Collection[str]) -> SendingDocument:
    """What would become of the recipients in the logs.

    Args:
        tally: the counts, settled.
        rule: "dane": mail to them goes by DANE or not at all (`hosts_require_dane` of Exim,
            `dane-only` of Postfix). "verified": with a verified certificate or not at all.
        asked: domains that it would hold for; `*.example.org` is what lies below, `*` all.
    """
    habits = _habits(tally)
    found: defaultdict[bytes, defaultdict[tuple[bytes, bytes], dict[tuple[bytes, bytes], Seen]]]
    found = defaultdict(lambda: defaultdict(dict))
    for (who, domain, host, ds, x, cv, _), seen in tally.ways.items():
        if holds(text(domain), asked) and seen.count:
            see(found[domain][who, host], (ds, verified(x, cv)), seen.last, seen.count)
    rows = [_domain(rule, domain, sights, habits) for domain, sights in found.items()]
    rows.sort(key=lambda one: (_WORST.index(one.verdict), -one.weight, one.domain))
    keep, broken, unknown = (
        sum(row.recipients.keep for row in rows),
        sum(row.recipients.broken for row in rows),
        sum(row.recipients.unknown for row in rows),
    )
    return SendingDocument(
        rule=rule,
        asked=sorted(asked),
        keep=keep,
        broken=broken,
        unknown=unknown,
        lower=broken,
        upper=broken + unknown,
        domains=SharesDocument(*(sum(row.verdict == v for row in rows) for v in _SHARES)),
        rows=rows,
        already=list(_already(tally, asked)),
        not_observed=sorted(_not_observed(asked, [row.domain for row in rows])),
    )


_SHARES: tuple[Verdict, ...] = ("keep", "break", "unknown")  # as in SharesDocument


def holds(domain: str, asked: Iterable[str]) -> bool:
    """Whether a domain is one of those asked for."""
    return any(
        one in (_ALL, domain) or (one.startswith("*.") and domain.endswith(one[1:]))
        for one in asked
    )


def _not_observed(asked: Iterable[str], seen: Sequence[str]) -> Iterator[str]:
    return (one for one in asked if not any(holds(domain, (one,)) for domain in seen))


def _habits(tally: Tally) -> Habits:
    tries: dict[bytes, bytes] = {}
    logs: dict[bytes, bytes] = {}
    for (who, _, _, ds, x, cv, _), seen in tally.ways.items():
        for known, is_so in ((tries, verified(x, cv) == b"dane"), (logs, bool(ds))):
            if is_so:
                known[family(who)] = min(known.get(family(who), seen.last), seen.last)
    return Habits(tries, logs)


def _judge(rule: Rule, who: bytes, sight: Sight, habits: Habits) -> Judged:
    """What would have become of deliveries that went one way."""
    ds, how, seen = sight
    if how == UNLOGGED:
        return _UNLOGGED
    if rule == "verified":
        return _VERIFIED.get(how, _NO_CV)
    if how == b"dane":
        return _BY_DANE
    named = f"transport {text(transport(who))}" if is_exim(who) else text(who)
    since = habits.logs_ds.get(family(who))
    if not ds and since and seen.last >= since:
        return Judged("break", f"its name is not signed: no DS, which {named} logs of others")
    since = habits.tries_dane.get(family(who))
    if since and seen.last >= since:
        why = "it has no TLSA record" if ds else "it has no TLSA record, or none that is signed"
        return Judged("break", f"{why}: it went without DANE, which {named} tries")
    return Judged("unknown", f"whether {named} tries DANE is not known: nothing went by it")


def _host(
    rule: Rule, who: bytes, sights: Sequence[Sight], habits: Habits
) -> tuple[Judged, int, bytes]:
    """What becomes of a host of a domain: by what it was last seen with."""
    last = max(seen.last for *_, seen in sights)
    newest = [one for one in sights if one[2].last == last]
    judged = {_judge(rule, who, one, habits) for one in newest}
    count = sum(seen.count for *_, seen in sights)
    if len({one.verdict for one in judged}) > 1:
        return _MIXED, count, last
    first = min(judged, key=lambda one: one.why)
    why = first.why
    if len(newest) < len(sights):
        why += ", which it was seen with last"
    if first.verdict != "keep" and (mode := mta_sts(who)):
        why += f"; MTA-STS vouches for it now ({text(mode)})"
    return Judged(first.verdict, why), count, last


def _domain(
    rule: Rule,
    domain: bytes,
    by: Mapping[tuple[bytes, bytes], Mapping[tuple[bytes, bytes], Seen]],
    habits: Habits,
) -> DomainDocument:
    judged = [
        (who, host, *_host(rule, who, [(*how, seen) for how, seen in sights.items()], habits))
        for (who, host), sights in by.items()
    ]
    judged = _elsewhere(judged)
    counts = {v: sum(n for *_, one, n, _ in judged if one.verdict == v) for v in _SHARES}
    worst = next(v for v in _WORST if any(one.verdict == v for *_, one, _, _ in judged))
    mine = [one for one in judged if one[2].verdict == worst]
    _, host, main, _, _ = max(mine, key=lambda one: (one[3], one[1], one[0]))
    return DomainDocument(
        domain=text(domain),
        verdict=worst,
        effect=_effect(rule, [who for who, *_ in mine]) if worst == "break" else "",
        evidence=f"{text(host)}: {main.why}",
        hosts=sorted({text(host) for _, host, *_ in judged}),
        senders=sorted({text(who).strip() for who, *_ in judged}),
        last_seen=text(max(last for *_, last in judged)),
        weight=sum(counts.values()),
        recipients=SharesDocument(*counts.values()),
    )


def _elsewhere(judged: Sequence[Of]) -> list[Of]:
    """What would not go to a host may go to another that the domain has, if that goes on.

    Exim alone gives up at the first that has no records, the role goes on to the next.
    """
    good = sorted({text(host) for _, host, one, _, _ in judged if one.verdict == "keep"})
    if not good:
        return list(judged)
    return [
        (who, host, Judged("unknown", f"{one.why}; it may go to {good[0]}"), count, last)
        if one.verdict == "break"
        else (who, host, one, count, last)
        for who, host, one, count, last in judged
    ]


def _effect(rule: Rule, senders: Iterable[bytes]) -> SendingEffect:
    """Exim alone gives up at once where there are no records, the role lets it wait."""
    returned = rule == "dane" and any(is_exim(who) for who in senders)
    return "is deferred or returned" if returned else "is deferred"


def _already(tally: Tally, asked: Collection[str]) -> Iterator[RefusedDocument]:
    found = sorted(tally.put_off.items(), key=lambda item: (-item[1].count, item[0]))
    for (domain, host, why), seen in found:
        if domain and holds(text(domain), asked):
            yield RefusedDocument(
                text(domain), text(host), REFUSALS[why], seen.count, text(seen.last)
            )
