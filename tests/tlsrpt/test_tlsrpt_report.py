"""What is a report, and what is none."""

import gzip
import json
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from audit.report.schema import schema
from audit.tlsrpt.merge import Pile, merged
from audit.tlsrpt.report import RefusedError, decode
from audit.tlsrpt.results import MEANINGS, OTHER, RESULT_TYPES, meaning
from audit.tlsrpt.unwrap import LARGEST, kind, mail, plain, unzipped
from tests.tlsrpt.foreign import DAY, DOMAIN, FOREIGN, failure, mailed, policy, raw, report

SCHEMA = json.loads(schema("tls-report-1.json"))


def _pile(*documents: dict[str, Any]) -> Pile:
    pile = Pile()
    for one in documents:
        pile.add(decode(json.dumps(one).encode()))
    return pile


@pytest.mark.parametrize("name", FOREIGN)
def test_reports_of_others_are_read_and_valid_by_the_schema(name: str) -> None:
    """Whatever their habits, they are what the schema of reports says, and sessions are counted."""
    jsonschema.Draft202012Validator(SCHEMA).validate(FOREIGN[name])
    sessions = merged(_pile(FOREIGN[name])).sessions
    summaries = [one["summary"] for one in FOREIGN[name]["policies"]]
    assert sessions.ok == sum(one["total-successful-session-count"] for one in summaries)
    assert sessions.failed == sum(one["total-failure-session-count"] for one in summaries)
    assert sessions.total


_GOOD = report("Good Inc.", policy("sts", 1, 1, failure("certificate-expired")))
HOSTILE: dict[str, tuple[Any, str]] = {
    "no-object": ([], "Expected `object`"),
    "null": (None, "Expected `object`"),
    "nothing": ({}, "missing required field"),
    "xml-inside": ({**_GOOD, "policies": "<feedback/>"}, "Expected `array`"),
    "no-policies": ({**_GOOD, "policies": []}, "length >= 1"),
    "organization-is-a-list": ({**_GOOD, "organization-name": ["x"]}, "Expected `str`"),
    "count-is-text": (
        {
            **_GOOD,
            "policies": [
                {
                    **policy("sts", 1, 0),
                    "summary": {
                        "total-successful-session-count": "1",
                        "total-failure-session-count": 0,
                    },
                }
            ],
        },
        "Expected `int`",
    ),
    "count-is-negative": (report("x", policy("sts", -1, 0)), ">= 0"),
    "count-is-a-fraction": (report("x", policy("sts", 1, 0, failure("x", 0.5))), "Expected `int`"),  # type: ignore[arg-type]
    "count-is-huge": (report("x", policy("sts", 2**53 + 1, 0)), "<="),
    "count-is-true": (report("x", policy("sts", True, 0)), "Expected `int`"),
    "details-are-one": (
        {**_GOOD, "policies": [{**policy("sts", 1, 0), "failure-details": failure("x")}]},
        "Expected `array",
    ),
    "no-date": ({**_GOOD, "date-range": {**DAY, "end-datetime": "yesterday"}}, "no time"),
    "no-day": ({**_GOOD, "date-range": {**DAY, "end-datetime": "2026-02-30T00:00:00Z"}}, "no time"),
    "date-is-a-number": (
        {**_GOOD, "date-range": {**DAY, "end-datetime": 1795392000}},
        "Expected `str`",
    ),
    "date-out-of-range": (
        {**_GOOD, "date-range": {**DAY, "start-datetime": "0001-01-01T00:00:00+01:00"}},
        "no time",
    ),
    "backwards": (
        {
            **_GOOD,
            "date-range": {
                "start-datetime": DAY["end-datetime"],
                "end-datetime": DAY["start-datetime"],
            },
        },
        "before it begins",
    ),
    "too-many": (
        report("x", policy("sts", 0, 20_001, *[failure("x")] * 20_001)),
        "more than 20,000",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_report_is_refused_in_one_sentence(name: str) -> None:
    """The twin that is right is read."""
    document, words = HOSTILE[name]
    decode(json.dumps(_GOOD).encode())
    with pytest.raises(RefusedError, match=words) as found:
        decode(json.dumps(document).encode())
    assert str(found.value).isprintable()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe{}",
        b"<?xml version='1.0'?><feedback/>",
        b"[" * 100_000,
        b'{"a":' * 9999,
    ],
)
def test_what_is_no_json_is_refused(content: bytes) -> None:
    """Also what is nested deeper than there is room on the stack."""
    with pytest.raises(RefusedError):
        decode(content)


def test_a_mark_of_unicode_before_it_does_no_harm() -> None:
    """Some editors and some senders write one."""
    assert decode(b"\xef\xbb\xbf" + raw("terse")) == decode(raw("terse"))


def test_every_result_type_has_its_meaning() -> None:
    """In whatever case; what is unknown is shown, not refused."""
    assert set(MEANINGS) == set(RESULT_TYPES)
    assert meaning("Certificate-Expired") is MEANINGS["certificate-expired"]
    assert meaning("temperature-too-high") is OTHER
    (domain,) = merged(_pile(FOREIGN["odd"])).domains
    known = {one.result: one.known for one in domain.organizations[0].failures}
    assert known == {"TLSA-Invalid": True, "temperature-too-high": False}


def test_gzip_is_unpacked_within_bounds() -> None:
    """A bomb, one without end, a damaged one and one with more behind it are refused."""
    content = raw("whole")
    packed = gzip.compress(content)
    assert unzipped(packed) == unzipped(content) == unzipped(packed + b"\0\0") == content
    assert unzipped(gzip.compress(b"{" + b" " * (LARGEST - 1)))
    for bad, words in (
        (gzip.compress(b"{" + b" " * LARGEST), "more than"),
        (packed[:-4], "without an end"),
        (packed[:20] + b"\0" + packed[21:-8] + bytes(8), "damaged"),
        (packed + b"<html>", "behind it"),
    ):
        with pytest.raises(RefusedError, match=words):
            unzipped(bad)


def test_a_bomb_in_a_bomb_stays_packed() -> None:
    """It is unpacked once, and then it is no JSON."""
    inner = gzip.compress(b"{" + b" " * LARGEST)
    with pytest.raises(RefusedError, match="no report"):
        decode(unzipped(gzip.compress(inner)))
    with pytest.raises(RefusedError, match="more than"):  # the twin that is unpacked twice
        unzipped(unzipped(gzip.compress(inner)))


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (b' \n{"a"', "json"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"From x@y Mon Nov 23", "mbox"),
        (b"From: x@y\n", "mail"),
        (b"Return-Path: <>\r\n", "mail"),
        (b"<?xml", ""),
        (b"PK\x03\x04", ""),
        (b"", ""),
        (b"no header", ""),
    ],
)
def test_a_file_is_what_it_begins_with(start: bytes, expected: str) -> None:
    """Whatever its name."""
    assert kind(start) == expected


@pytest.mark.parametrize(
    "subtype", ["tlsrpt+gzip", "tlsrpt+json", "gzip", "x-gzip", "json", "octet-stream"]
)
def test_a_mail_carries_its_report(subtype: str) -> None:
    """By the type that the RFC has for it, or the one that its mail program knows."""
    (piece,) = mail("m", mailed(raw("terse"), subtype=subtype))
    assert decode(piece.content) == decode(raw("terse"))
    assert piece.domain == DOMAIN
    forwarded = b"From: a@b\nContent-Type: message/rfc822\n\n" + mailed(raw("terse"))
    assert [one.content for one in mail("m", forwarded)] == [piece.content]


def test_a_mail_without_one_has_none() -> None:
    """DMARC's reports are another thing, and so are attachments of people."""
    letter = mailed(raw("terse")).replace(b"tlsrpt+gzip", b"zip")
    assert not list(mail("m", letter))
    assert not list(mail("m", b"From: a@b\n\nhello\n"))
    assert list(mail("m", letter.replace(b"application/zip", b"application/tlsrpt+gzip")))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"Content-Type: multipart/mixed; boundary=a\n" * 51 + b"\n", "parts"),
        (b"A: b\n\n" + b"\n" * 500_001, "lines"),
        (b"A: b\nCONTENT-Type: a/b;\n" + b" n=x;\n" * 2000 + b"\nx\n", "field"),
        (b"A: b\n\n" + b"\r" * 500_001, "lines"),
        (b"A: b\rContent-Type: a/b;\r" + b" n=x;\r" * 2000 + b"\rx\r", "field"),
        (b"A: b\n\n--\ncontent-disposition: " + b"n=x;" * 4000 + b"\nx\n", "field"),
        (mailed(b"{" + b" " * LARGEST), "more than"),
        (mailed(raw("terse")).replace(b"H4sI", b"AAAA"), "no report"),
    ],
)
def test_a_hostile_mail_is_refused(content: bytes, words: str) -> None:
    """One sentence for each."""
    (piece,) = mail("m", content)
    if not piece.trouble:
        with pytest.raises(RefusedError, match=words):
            decode(piece.content)
    else:
        assert words in piece.trouble


def test_a_report_names_its_domain_by_its_file() -> None:
    """If it does not say so itself."""
    found = plain(f"/x/sender.example!{DOMAIN}!1!2.json", raw("nameless"))
    pile = Pile()
    pile.add(decode(found.content), found.domain)
    assert [one.domain for one in merged(pile).domains] == [DOMAIN]
    assert not merged(pile).lapses
    (lapse,) = merged(_pile(FOREIGN["nameless"])).lapses
    assert "which domain" in lapse.words


def test_what_does_not_add_up_is_said() -> None:
    """The worse of both numbers counts, and both are told."""
    few = merged(_pile(report("x", policy("sts", 5, 9, failure("validation-failure", 2)))))
    many = merged(_pile(report("x", policy("sts", 5, 0, failure("validation-failure", 2)))))
    assert (few.sessions.failed, many.sessions.failed) == (9, 2)
    assert "9 sessions failed by the summary, 2 by the details" in few.lapses[0].words
    assert "0 sessions failed by the summary, 2 by the details" in many.lapses[0].words
    assert not merged(_pile(FOREIGN["whole"])).lapses


def test_two_reports_with_one_id_both_count() -> None:
    """Or whoever knows an id could take another's place; that it is so is told."""
    first, second = (report("x", policy("sts", ok, 0)) for ok in (1, 2))
    found = merged(_pile(first, second, first))
    assert (found.reports, found.copies, found.sessions.ok) == (2, 1, 3)
    assert "2 reports have this id" in found.lapses[0].words


def test_a_report_of_a_month_is_told_of() -> None:
    """Nobody writes one; a day is right, also one that ends when the next begins."""
    days = {"start-datetime": "2026-11-01T00:00:00Z", "end-datetime": "2026-11-30T23:59:59Z"}
    (lapse,) = merged(_pile(report("x", policy("sts", 1, 0), date_range=days))).lapses
    assert "29 days" in lapse.words
    assert not merged(_pile(FOREIGN["empty"])).lapses


def test_there_is_room_for_many_and_not_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is over the bound is refused, and what came before stays."""
    monkeypatch.setattr("audit.tlsrpt.merge._MOST_OCTETS", 1000)
    pile = _pile(FOREIGN["terse"])
    pile.add(decode(raw("terse")))
    with pytest.raises(RefusedError, match="1,000 bytes"):
        pile.add(decode(raw("whole")))
    assert (len(pile.reports), pile.copies) == (1, 1)


def test_the_schema_refuses_what_the_reader_refuses() -> None:
    """As far as a schema can say it."""
    validator = jsonschema.Draft202012Validator(SCHEMA)
    for name in ("nothing", "xml-inside", "no-policies", "count-is-text", "count-is-negative"):
        assert not validator.is_valid(HOSTILE[name][0]), name
