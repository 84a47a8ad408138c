"""MTA-STS and TLS reports as they are written: what senders take, and what they do not."""

import pytest

from audit.wire import mta_sts, tls_rpt

GOOD = b"version: STSv1\nmode: enforce\nmx: mail.example.com\nmx: *.example.net\nmax_age: 604800\n"


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b" \t\r\n"])
def test_lines_end_as_they_like(end: bytes) -> None:
    """RFC 8461, section 3.2: LF or CRLF, blanks before it; the last may end with nothing."""
    for body in (GOOD.replace(b"\n", end), GOOD.replace(b"\n", end).removesuffix(end)):
        found = mta_sts.policy(body)
        assert (found.mode, found.max_age) == ("enforce", 604800)
        assert found.mx == ("mail.example.com", "*.example.net")


def test_unknown_fields_are_passed_over_and_second_ones_ignored() -> None:
    """So that there can be others one day."""
    found = mta_sts.policy(GOOD + b"new-field: anything at all: here\nmode: none\nmax_age: 1\n")
    assert (found.mode, found.max_age) == ("enforce", 604800)


WRONG: list[tuple[bytes, str]] = [
    (b"", "its version is ''"),
    (GOOD.replace(b"STSv1", b"STSv2"), "its version is 'STSv2'"),
    (GOOD.replace(b"enforce", b"Enforce"), "its mode is 'Enforce'"),
    (GOOD.replace(b"mode: enforce\n", b""), "its mode is ''"),
    (GOOD.replace(b"604800", b"31557601"), "its max_age is '31557601'"),
    (GOOD.replace(b"604800", b"-1"), "its max_age is '-1'"),
    (GOOD.replace(b"604800", "٣".encode()), "its max_age is"),
    (GOOD.replace(b"*.example.net", b"*.*.net"), "'*.*.net' is no pattern"),
    (GOOD.replace(b"mail.example.com", b"mail*.example.com"), "is no pattern"),
    (GOOD.replace(b"mail.example.com", b""), "'' is no pattern"),
    (b"version: STSv1\nmode: testing\nmax_age: 1\n", "it has no mx line"),
    (GOOD + b"<html>", "is no field and its value"),
    (GOOD + b"\xff: x\n", "it is not UTF-8"),
    (GOOD + b"mx: a.b\n" * 2000, "mx lines"),
]


@pytest.mark.parametrize(("body", "words"), WRONG, ids=[words for _, words in WRONG])
def test_what_no_sender_would_follow_is_refused(body: bytes, words: str) -> None:
    """With the reason."""
    with pytest.raises(ValueError, match=r".") as caught:
        mta_sts.policy(body)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("host", "covered"),
    [
        ("mail.example.com", True),
        ("MAIL.example.com", True),
        ("a.example.net", True),
        ("example.net", False),
        ("a.b.example.net", False),
        ("mail.example.org", False),
        ("", False),
    ],
)
def test_a_star_stands_for_one_label(host: str, covered: bool) -> None:
    """RFC 8461, section 4.1."""
    assert mta_sts.policy(GOOD).covers(host) == covered


def test_other_records_stand_beside_that_of_mta_sts() -> None:
    """Which begins with its version; case counts."""
    mine = ["v=STSv1; id=1;", "v=STSv1 ;id=2", "v=STSv1"]
    others = ["v=spf1 -all", "v=STSv10; id=1", "V=STSv1; id=1", " v=STSv1; id=1", ""]
    assert mta_sts.announced([*others, *mine]) == mine


@pytest.mark.parametrize("record", ["v=STSv1; id=20160831085700Z;", "v=STSv1;id = 1 ; a=b=c;"])
def test_an_id_is_letters_and_digits(record: str) -> None:
    """With blanks where they may be, and other fields."""
    assert mta_sts.identity(record).isalnum()


@pytest.mark.parametrize(
    "record",
    ["v=STSv1", "v=STSv1; id=", "v=STSv1; id=a-b", f"v=STSv1; id={'1' * 33}", "v=STSv1; nothing"],
)
def test_without_an_id_nobody_knows_of_a_change(record: str) -> None:
    """Such a record is none."""
    with pytest.raises(ValueError, match=r"id is|is no field"):
        mta_sts.identity(record)


def test_reports_go_where_the_record_says() -> None:
    """To several places, by mail and HTTPS."""
    record = "v=TLSRPTv1; rua=mailto:a@example.org, https://example.org/tls?x ;"
    assert tls_rpt.places(record) == ("mailto:a@example.org", "https://example.org/tls?x")


@pytest.mark.parametrize(
    "said",
    ["", "rua=", "rua=http://example.org/", "rua=mailto:nobody", "rua=mailto:a@b,", "rua=a@b", "x"],
)
def test_a_record_that_sends_reports_nowhere_is_refused(said: str) -> None:
    """Also one place of several: senders take all or nothing alike."""
    with pytest.raises(ValueError, match=r"rua|mailto|is no field"):
        tls_rpt.places(f"v=TLSRPTv1; {said}")
