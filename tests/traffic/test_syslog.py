"""What syslog writes before a line, in every usual spelling."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.traffic.syslog import Calendar, prefix
from tests.traffic.counted import CHANGED

# The day of these is the 29th of November 2026, unless said.
SPELLINGS = [
    ("Nov 29 10:07:46 mx1 postfix/smtpd[12]: connect", b"mx1", b"postfix/smtpd", b"12"),
    (
        "Nov 29 10:07:46 mx1 postfix/submission/smtpd[12]: a",
        *(b"mx1", b"postfix/submission/smtpd"),
        b"12",
    ),
    ("<22>Nov 29 10:07:46 mx1 exim[1]: a", b"mx1", b"exim", b"1"),
    ("Nov 29 10:07:46.123456 mx1 cyrus/imaps[7]: a", b"mx1", b"cyrus/imaps", b"7"),
    ("Nov 29 10:07:46 mx1 dovecot: imap-login: a", b"mx1", b"dovecot", b""),
    ("Nov 29 10:07:46 imap-login: Info: a", b"", b"imap-login", b""),
    ("Nov 29 10:07:46 2001:db8::1 exim[1]: a", b"2001:db8::1", b"exim", b"1"),
    ("2026-11-29T10:07:46.961513+00:00 mx1 exim[1]: a", b"mx1", b"exim", b"1"),
    ("2026-11-29T10:07:46Z mx1 exim[1]: a", b"mx1", b"exim", b"1"),
    ("2026-11-29T10:07:46+0100 mx1 exim[1]: a", b"mx1", b"exim", b"1"),
    ("2026-11-29 10:07:46 info exim[8001]: [8001] a", b"info", b"exim", b"8001"),
    ("2026-11-29T10:07:46Z Nov 29 10:07:45 mx1 exim[1]: a", b"mx1", b"exim", b"1"),
    # 2^62 + 10 + the seconds since 1970
    ("@400000006a2a1e9c0bebc200 exim[1]: a", b"", b"exim", b"1"),
]


@pytest.mark.parametrize(
    ("line", "host", "tag", "pid"), SPELLINGS, ids=[s[0][:44] for s in SPELLINGS]
)
def test_every_spelling_is_read(line: str, host: bytes, tag: bytes, pid: bytes) -> None:
    """Day, host, tag and number of the process; the message is what follows the first colon."""
    found = prefix(line.encode(), Calendar(CHANGED))
    assert found is not None
    assert (found.host, found.tag, found.pid) == (host, tag, pid)
    assert line[found.end :] == line.partition("]: " if pid else ": ")[2].removeprefix("")
    if not line.startswith("@"):
        assert (found.day, found.time[:8]) == (b"2026-11-29", b"10:07:46")


@pytest.mark.parametrize(
    "line",
    [
        *(
            "",
            " Suggested action: none",
            "Nov 29 10:07:46",
            "Nov 29 10:07:46 mx1",
            "Nov 31 1:1:1 a b: c",
        ),
        *("Foo 29 10:07:46 mx1 a: b", "Feb 30 10:07:46 mx1 a: b", "@400000006a2a1e9c exim: a"),
        *("@ffffffffffffffff00000000 exim: a", "2026-11-29 10:07:46 1avnaa-0004aa-5V Completed"),
    ],
)
def test_what_has_no_prefix_is_no_line_of_syslog(line: str) -> None:
    """It is not guessed who wrote it."""
    assert prefix(line.encode(), Calendar(CHANGED)) is None


def test_tai_is_translated() -> None:
    """Multilog's seconds are those of 1970 and ten."""
    label = f"@{(1 << 62) + 10 + int(CHANGED.timestamp()):x}00000001 exim[1]: a"
    found = prefix(label.encode(), Calendar(datetime.now(UTC)))
    assert found is not None
    assert (found.day, found.time) == (b"2026-11-29", b"12:00:00.00000001")


@pytest.mark.parametrize(
    ("changed", "stamp", "day"),
    [
        ("2026-01-02", "Dec 31", b"2025-12-31"),
        ("2026-01-02", "Jan  1", b"2026-01-01"),
        ("2026-01-02", "Jan 1", b"2026-01-01"),
        ("2026-01-02", "Jan  3", b"2026-01-03"),  # their clock may be ahead of ours
        ("2026-01-02", "Jan  4", b"2025-01-04"),
        ("2026-03-01", "Feb 29", b"2024-02-29"),
    ],
)
def test_the_year_follows_from_when_the_file_was_changed(
    changed: str, stamp: str, day: bytes
) -> None:
    """It goes on over New Year, and no line is later than the file."""
    calendar = Calendar(datetime.fromisoformat(changed).replace(tzinfo=UTC))
    found = prefix(f"{stamp} 10:07:46 mx1 exim[1]: a".encode(), calendar)
    assert found is not None
    assert found.day == day


@given(st.binary(max_size=200))
def test_no_bytes_are_too_strange(line: bytes) -> None:
    """Whatever a line is, it is read or it is not."""
    for begin in (b"", b"Nov 29 10:07:46 ", b"2026-11-29T10:07:46Z mx1 ", b"@4000000"):
        found = prefix(begin + line, Calendar(CHANGED))
        assert found is None or found.tag
