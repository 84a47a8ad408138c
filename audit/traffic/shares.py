"""Shares of mails with TLS over the days of a log, by days, weeks or months. Pure."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal

from msgspec import Struct

from audit.traffic.tally import UNLOGGED, Tally, secure, text

By = Literal["day", "week", "month"]

# What is told by days, and by weeks; the rest by months. About as many rows each, at most.
_BY: tuple[tuple[timedelta, By], ...] = (
    (timedelta(days=31), "day"),
    (timedelta(weeks=26), "week"),
)


class Period(Struct, frozen=True):
    """Mails of which the log says it; shares in per cent, None of none.

    Attributes:
        period: a day, 2026-11-29; a week, 2026-W48; or a month, 2026-11.
        incoming_tls, outgoing_tls: with TLS, of `incoming` and of `outgoing`.
        outgoing_judged: of those that went out, what is known to be verified or not: in clear, or
            with CV= in the log. None of them where no mail with TLS has it.
        outgoing_verified, outgoing_dane: of these, verified (CV=yes or CV=dane), and by DANE.
    """

    period: str
    incoming_tls: int
    incoming: int
    incoming_share: float | None
    outgoing_tls: int
    outgoing: int
    outgoing_share: float | None
    outgoing_judged: int
    outgoing_verified: int
    outgoing_verified_share: float | None
    outgoing_dane: int
    outgoing_dane_share: float | None


class Trend(Struct, frozen=True):
    """Shares over time, the first first."""

    by: By
    periods: list[Period]


def share(part: int, whole: int) -> float | None:
    """Per cent with one decimal, half to even; None of nothing."""
    if not whole:
        return None
    exact = Decimal(100 * part) / Decimal(whole)
    return float(exact.quantize(Decimal("0.1"), ROUND_HALF_EVEN))


def trend(tally: Tally, by: By | None = None) -> Trend:
    """The shares, of mails whose log says whether it was with TLS.

    Args:
        tally: the counts.
        by: what they are told by; None for what suits the days of the mails: days of a month,
            weeks of half a year, otherwise months.
    """
    incoming = [((d, x), n) for (d, use, x, _), n in tally.incoming.items() if use == "mx"]
    outgoing = [((d, x), n) for (d, x, _), n in tally.outgoing.items()]
    by = by or _suiting(day for (day, _), _ in (*incoming, *outgoing))
    came, went = _counted(incoming, by), _counted(outgoing, by)
    vouched = _vouched(tally, by)
    return Trend(
        by,
        [
            Period(
                name,
                came[name, True],
                came[name, True] + came[name, False],
                share(came[name, True], came[name, True] + came[name, False]),
                went[name, True],
                went[name, True] + went[name, False],
                share(went[name, True], went[name, True] + went[name, False]),
                *_verified(went[name, False], vouched.get(name, Counter())),
            )
            for name in sorted({name for name, _ in (*came, *went)})
        ],
    )


def _counted(mails: Iterable[tuple[tuple[bytes, bytes], int]], by: By) -> Counter[tuple[str, bool]]:
    """Mails by period, with TLS and without."""
    found: Counter[tuple[str, bool]] = Counter()
    for (day, x), count in mails:
        if x != UNLOGGED:
            found[_period(day, by), secure(x)] += count
    return found


def _vouched(tally: Tally, by: By) -> dict[str, Counter[bytes]]:
    """Mails that went out with TLS, by period and CV=."""
    found: dict[str, Counter[bytes]] = {}
    for (day, x, cv), count in tally.outgoing.items():
        if secure(x):
            found.setdefault(_period(day, by), Counter())[cv] += count
    return found


def _verified(plain: int, by: Counter[bytes]) -> tuple[int, int, float | None, int, float | None]:
    """How many are known to be verified or not, how many are, and by DANE."""
    told = sum(by[cv] for cv in (b"yes", b"no", b"dane"))
    judged = told + plain if told or not by.total() else 0
    verified, dane = by[b"yes"] + by[b"dane"], by[b"dane"]
    return judged, verified, share(verified, judged), dane, share(dane, judged)


def _suiting(days: Iterable[bytes]) -> By:
    known = [day for one in set(days) if (day := _day(one))]
    span = max(known) - min(known) + timedelta(days=1) if known else timedelta()
    return next((by for most, by in _BY if span <= most), "month")


def _period(words: bytes, by: By) -> str:
    """`2026-11-29`, `2026-W48` (ISO 8601) or `2026-11`; what is no day stays as it is."""
    day = _day(words)
    if day is None or by == "day":
        return text(words)
    if by == "month":
        return f"{day:%Y-%m}"
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


def _day(words: bytes) -> date | None:
    try:
        return date.fromisoformat(text(words))
    except ValueError:
        return None
