"""Shares over time: by what suits the days, or as asked for."""

from datetime import date, timedelta

import pytest

from audit.traffic.shares import trend
from audit.traffic.tally import Tally

X = b"TLS1.3:TLS_AES_256_GCM_SHA384:256"


def _tally(*days: str, x: bytes = X) -> Tally:
    """A mail that came with TLS and one without, and one that went, on each day."""
    found = Tally()
    for day in days:
        for session in (x, b""):
            found.arrived(day.encode(), "mx", b"192.0.2.1", b"", session, b"", b"")
        found.copies(day.encode(), x, b"", 1)
    return found


@pytest.mark.parametrize(
    ("days", "by"),
    [(1, "day"), (31, "day"), (32, "week"), (26 * 7, "week"), (26 * 7 + 1, "month")],
)
def test_what_suits_the_days(days: int, by: str) -> None:
    """Days of a month, weeks of half a year, otherwise months; gaps or none."""
    last = date(2026, 1, 1) + timedelta(days=days - 1)
    assert trend(_tally("2026-01-01", last.isoformat())).by == by


def test_weeks_are_those_of_iso() -> None:
    """They begin on Monday, and the first of January may be in the last week of the year before."""
    found = trend(_tally("2026-12-31", "2027-01-03", "2027-01-04"), "week")
    assert [one.period for one in found.periods] == ["2026-W53", "2027-W01"]
    first = found.periods[0]
    assert (first.incoming_tls, first.incoming, first.incoming_share) == (2, 4, 50.0)
    assert (first.outgoing_tls, first.outgoing, first.outgoing_share) == (2, 2, 100.0)


def test_months_are_sums_of_their_days() -> None:
    """And no means of shares."""
    counted = _tally("2026-11-01", "2026-11-02", "2026-12-01")
    counted.mails(b"2026-11-02", "mx", b"", b"", b"", 2)
    november, december = trend(counted, "month").periods
    assert (november.period, november.incoming_share) == ("2026-11", 33.3)
    assert (december.period, december.incoming_share) == ("2026-12", 50.0)


def test_what_is_not_logged_is_in_no_share() -> None:
    """Of nothing there is none, and there is no period of nothing."""
    counted = _tally("2026-11-01")
    counted.arrived(b"2026-11-02", "mx", b"192.0.2.1", b"", b"!", b"", b"")
    (one,) = trend(counted).periods
    assert (one.period, one.incoming) == ("2026-11-01", 2)


@pytest.mark.parametrize("by", ["day", "week", "month"])
def test_what_is_no_day_stays_what_it_is(by: str) -> None:
    """A log may say anything."""
    found = trend(_tally("2026-99-99", "2026-11-01"), by)  # type: ignore[arg-type]
    assert "2026-99-99" in {one.period for one in found.periods}


def test_what_is_verified_is_a_share_of_what_is_known() -> None:
    """In clear is known; with TLS and without CV= is not."""
    found = Tally()
    for x, cv, count in (
        (X, b"dane", 1),
        (X, b"yes", 2),
        (X, b"no", 1),
        (X, b"", 7),
        (b"", b"", 1),
    ):
        found.copies(b"2026-11-01", x, cv, count)
    (one,) = trend(found).periods
    assert (one.outgoing, one.outgoing_judged) == (12, 5)
    assert (one.outgoing_verified, one.outgoing_verified_share) == (3, 60.0)
    assert (one.outgoing_dane, one.outgoing_dane_share) == (1, 20.0)


def test_where_nothing_of_certificates_is_logged_nothing_is_verified_or_not() -> None:
    """Mails in clear do not make it 0%."""
    found = Tally()
    for x, count in ((X, 7), (b"", 1)):
        found.copies(b"2026-11-01", x, b"", count)
    (one,) = trend(found).periods
    assert (one.outgoing_judged, one.outgoing_verified_share) == (0, None)
    assert one.outgoing_dane_share is None
