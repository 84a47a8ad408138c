"""Waivers: what they cover, when they end, and what is said about them."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from audit.errors import MailsealError
from audit.findings import COMPLIANT, FAILED, Finding, Verdict, Waiver, exit_code
from audit.judge.catalogue import CATALOGUE
from audit.waivers import MOST_DAYS, checked, notices, waived

TODAY = date(2026, 11, 28)
WAIVER = Waiver(
    check="MT-LIB-SUPPORTED",
    reason="EL6 goes in spring",
    owner="postmaster",
    expires=date(2027, 3, 31),
    hosts="mx*",
    ticket="OPS-7",
)


def finding(verdict: Verdict = "fail", **more: Any) -> Finding:
    fields: dict[str, Any] = {
        "check": "MT-LIB-SUPPORTED",
        "host": "mx1",
        "address": "",
        "port": 0,
        "service": "",
        "severity": "high",
        "observed": "OpenSSL 1.0.2u",
        "expected": "a maintained series",
        **more,
    }
    return Finding(verdict=verdict, **fields)


def with_end(day: date) -> Waiver:
    return Waiver(check="MT-LIB-SUPPORTED", reason="r", owner="o", expires=day)


@pytest.mark.parametrize(
    ("found", "waiver", "is_waived"),
    [
        (finding(), WAIVER, True),
        (finding(host="imap1"), WAIVER, False),
        (finding(check="MT-SSL3"), WAIVER, False),
        (finding("inconclusive"), WAIVER, False),
        (finding("pass"), WAIVER, False),
        (finding(), with_end(TODAY), True),
        (finding(), with_end(TODAY - timedelta(days=1)), False),
    ],
)
def test_a_failure_is_waived_and_nothing_else(
    found: Finding, waiver: Waiver, is_waived: bool
) -> None:
    """By check, host and day; the last day still counts."""
    told = waived(found, [waiver], TODAY)
    assert told == (replace(found, verdict="waived", waiver=waiver) if is_waived else found)


@pytest.mark.parametrize(("port", "is_waived"), [(25, True), (587, False), (0, False)])
def test_ports_narrow_it(port: int, is_waived: bool) -> None:
    """Named ports only; the host itself is none of them."""
    one = Waiver(check="MT-SSL3", reason="r", owner="o", expires=TODAY, ports=(25,))
    found = finding(check="MT-SSL3", port=port)
    assert (waived(found, [one], TODAY).verdict == "waived") == is_waived


def test_who_accepted_it_is_said() -> None:
    """Until when, who, why, and where it was decided."""
    assert WAIVER.accepted == "until 2027-03-31 by postmaster: EL6 goes in spring (OPS-7)"


@pytest.mark.parametrize(
    ("waiver", "named"),
    [
        (Waiver(check="MT-SSL33", reason="r", owner="o", expires=TODAY), "no check 'MT-SSL33'"),
        (with_end(TODAY + timedelta(days=MOST_DAYS + 1)), "more than 366 days away"),
    ],
)
def test_what_is_no_waiver(waiver: Waiver, named: str) -> None:
    """One sentence, with the place."""
    with pytest.raises(MailsealError, match=f"^here: .*{named}"):
        checked([waiver], CATALOGUE, TODAY, "here")
    checked([WAIVER, with_end(TODAY + timedelta(days=MOST_DAYS))], CATALOGUE, TODAY, "here")


def _by(waiver: Waiver) -> Finding:
    return finding("waived", waiver=waiver)


OLD, LAST, LATER = (with_end(TODAY + timedelta(days=days)) for days in (-1, 14, 15))


@pytest.mark.parametrize(
    ("waiver", "found", "whole", "said"),
    [
        (WAIVER, [_by(WAIVER)], True, ""),
        (WAIVER, [finding("pass")], False, "not used: .* nothing that it covers failed"),
        (WAIVER, [finding(host="imap1")], True, "not used: .* it covers nothing"),
        (WAIVER, [finding(host="imap1")], False, ""),
        (OLD, [finding()], True, "expired on 2026-11-27"),
        (OLD, [_by(WAIVER)], True, "not used: .* another one is in force"),
        (OLD, [finding("pass")], True, "not used: .* nothing that it covers failed"),
        (with_end(TODAY), [_by(with_end(TODAY))], True, "expires today"),
        (LAST, [_by(LAST)], True, "expires on 2026-12-12"),
        (LATER, [_by(LATER)], True, ""),
        (LATER, [_by(WAIVER)], True, "not used: .* another one is in force"),
        # What could not be told may fail: then it is needed, and nobody is to take it away.
        (LATER, [finding("inconclusive"), finding("pass")], True, ""),
        (OLD, [finding("inconclusive")], True, ""),
        (OLD, [finding("inconclusive"), finding()], True, "expired"),
    ],
)
def test_what_their_owners_should_know(
    waiver: Waiver, found: list[Finding], whole: bool, said: str
) -> None:
    """Expired, soon to expire, not used; alike ones once."""
    judged = [(one, [waiver, waiver]) for one in found]
    told = list(notices([waiver, waiver], judged, TODAY, whole=whole))
    assert len(told) == bool(said)
    assert re.search(said, "".join(told))


@pytest.mark.parametrize(("waiver", "said"), [(LATER, "not used: .* nothing"), (OLD, "not used")])
def test_a_waiver_is_for_the_hosts_that_have_it(waiver: Waiver, said: str) -> None:
    """It is mx1's alone, and would cover what fails on mx2."""
    judged = [(finding("pass"), [waiver]), (finding(host="mx2"), [])]
    (told,) = notices([waiver], judged, TODAY, whole=True)
    assert re.search(said, told)


def test_a_waived_failure_is_compliant_and_an_expired_one_is_not() -> None:
    """The exit code."""
    assert exit_code([finding("waived"), finding("pass")]) == COMPLIANT
    assert exit_code([finding("waived"), finding("fail")]) == FAILED
