"""Our own reports, and the mails that they go in."""

import email
import email.policy
import gzip
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest

from audit.errors import MailsealError
from audit.report.schema import schema
from audit.tlsrpt import write
from audit.tlsrpt.clock import clock
from audit.tlsrpt.compose import Own, Sender, compose
from audit.tlsrpt.exim import event
from audit.tlsrpt.letter import letter
from audit.tlsrpt.logs import read
from audit.tlsrpt.report import decode, encode
from audit.tlsrpt.sessions import Sessions
from audit.tlsrpt.unwrap import mail
from tests.tlsrpt.foreign import FOREIGN
from tests.tlsrpt.lines import AT, DELIVERED, SAMPLES, X, line
from tests.tlsrpt.strict import RFC

SENDER = Sender("Example University", "tlsrpt@example.org", "192.0.2.1")
SCHEMAS = (RFC, json.loads(schema("tls-report-1.json")))
_ALL = [one for lines, *_ in SAMPLES.values() for one in lines]


def _owns(*lines: str, sender: Sender = SENDER) -> list[Own]:
    found = Sessions(clock(UTC))
    for one in lines:
        if what := event(one.encode()):
            found.take(what)
    return list(compose(found.finish(), sender))


@pytest.mark.parametrize("sender", [SENDER, SENDER._replace(ip="")])
def test_what_we_write_is_valid(sender: Sender) -> None:
    """By the RFC, as it is written in `strict`, and by our schema of reports."""
    owns = _owns(*_ALL, sender=sender)
    assert [own.domain for own in owns] == [
        *("bad.lab.test", "bogus.test", "expired-must.test", "misnamed-must.test"),
        *("plain.lab.test", "refusing.test", "ta.lab.test", "two.lab.test", "untrusted-must.test"),
    ]
    for own in owns:
        for one in SCHEMAS:
            validator = jsonschema.Draft202012Validator(
                one, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
            )
            validator.validate(json.loads(encode(own.report)))
        assert decode(encode(own.report)) == own.report


def test_the_strict_schema_is_strict() -> None:
    """Reports of those who keep to the RFC pass it, and habits of others do not."""
    validator = jsonschema.Draft202012Validator(RFC)
    passed = {name for name, document in FOREIGN.items() if validator.is_valid(document)}
    assert passed == {"whole", "terse", "anonymous"}


def test_sessions_of_a_day_are_told_by_policy() -> None:
    """Summary and details say the same."""
    owns = {own.domain: own.report for own in _owns(*_ALL)}
    (only,) = owns["bad.lab.test"].policies
    assert only.policy.policy_type == "tlsa"
    assert only.summary.total_failure_session_count == 2
    assert [one.failed_session_count for one in only.details] == [1, 1]
    assert {one.failure_reason_code for one in only.details} == {
        "(SSL_connect): error:0A000086:SSL routines::certificate verify failed",
        "(certificate verification failed): Verification failed. The certificate differs.",
    }
    tlsa, none = owns["two.lab.test"].policies
    assert (tlsa.summary.total_successful_session_count, none.policy.policy_type) == (
        1,
        "no-policy-found",
    )
    for report in owns.values():
        for one in report.policies:
            assert one.summary.total_failure_session_count == sum(
                detail.failed_session_count for detail in one.details
            )


def test_the_same_has_the_same_id_and_more_has_another() -> None:
    """So a report that is sent twice counts once."""
    again = line("1b", f"=> u@a.test R=l T=s H=mx.a.test [{AT}] {X} CV=yes")
    (first,), (second,), (more,) = _owns(DELIVERED), _owns(DELIVERED), _owns(DELIVERED, again)
    assert first == second
    assert first.report.report_id != more.report.report_id


def test_where_a_log_was_cut_does_not_matter(tmp_path: Path) -> None:
    """Rotated, compressed, in any order: a failure and its recipient may be in two files."""
    lines = sorted(_ALL, key=lambda one: one[:19])
    whole = _owns(*lines)
    old, new = tmp_path / "mainlog.1.gz", tmp_path / "mainlog"
    for cut in range(1, len(lines)):
        old.write_bytes(gzip.compress("".join(f"{one}\n" for one in lines[:cut]).encode()))
        new.write_text("".join(f"{one}\n" for one in lines[cut:]))
        found = Sessions(clock(UTC))
        read([new, old, new], found, lambda _: None)
        assert list(compose(found.finish(), SENDER)) == whole


def test_domains_are_spelled_as_in_the_dns() -> None:
    """And what is none gets no report."""
    others = (
        DELIVERED.replace("u@a.test", f"u@{name}").replace("1a-", f"1{n}-")
        for n, name in enumerate(("MÜNCHEN.example", "[192.0.2.8]", "a..b"))
    )
    assert [own.domain for own in _owns(*others)] == ["xn--mnchen-3ya.example"]


def test_a_file_is_named_by_sender_domain_and_day() -> None:
    """RFC 8460, section 5.1."""
    (own,) = _owns(DELIVERED)
    begin = datetime(2026, 11, 23, tzinfo=UTC).timestamp()
    assert own.name == f"example.org!a.test!{begin:.0f}!{begin + 86399:.0f}"


def test_the_mail_is_what_the_rfc_wants() -> None:
    """RFC 8460, section 5.3; and it is one of those that we read."""
    (own,) = _owns(DELIVERED)
    content = letter(own, SENDER, ("a@a.test", "b@b.test"), datetime(2026, 11, 24, 1, tzinfo=UTC))
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert message.get_content_type() == "multipart/report"
    assert message["Content-Type"].params["report-type"] == "tlsrpt"
    assert message["TLS-Report-Domain"] == "a.test"
    assert message["TLS-Report-Submitter"] == "example.org"
    assert message["From"] == "tlsrpt@example.org"
    assert message["To"] == "a@a.test, b@b.test"
    assert message["TLS-Required"] == "No"
    assert re.fullmatch(
        r"Report Domain: a\.test Submitter: example\.org Report-ID: <[^<>@\s]+@example\.org>",
        message["Subject"],
    )
    text, attached = message.iter_parts()
    assert text.get_content_type() == "text/plain"
    assert attached.get_content_type() == "application/tlsrpt+gzip"
    assert attached.get_filename() == f"{own.name}.json.gz"
    assert json.loads(gzip.decompress(attached.get_content())) == json.loads(encode(own.report))
    assert b"DKIM" not in content
    (piece,) = mail("m", content)
    assert (decode(piece.content), piece.domain) == (own.report, "a.test")


def test_files_are_for_all_and_mails_for_those_who_want_them(tmp_path: Path) -> None:
    """With a list, both only for those on it; by https there is no mail."""
    owns = _owns(*_ALL)
    everybody, troubles = write.all_of(owns, SENDER, tmp_path, None)
    assert len(everybody) == len(list(tmp_path.iterdir())) == 9
    assert not troubles
    wanted = {"two.lab.test": ("a@b.test",), "ta.lab.test": (), "other.test": ("x@y.test",)}
    some = tmp_path / "some"
    some.mkdir()
    written, _ = write.all_of(owns, SENDER, some, wanted)
    assert [path.name.split("!")[1] for path in written] == ["ta.lab.test", "two.lab.test"]
    assert sorted(path.suffix for path in some.iterdir()) == [".eml", ".json", ".json"]


def test_a_file_that_cannot_be_written_costs_no_other(tmp_path: Path) -> None:
    """As one whose name is too long."""
    long = ".".join(["x" * 60] * 4)
    other = DELIVERED.replace("u@a.test", f"u@{long}").replace("1a-", "1b-")
    written, troubles = write.all_of(_owns(DELIVERED, other), SENDER, tmp_path, None)
    assert [path.name.split("!")[1] for path in written] == ["a.test"]
    assert len(troubles) == 1
    assert "cannot be written" in troubles[0]


def test_the_list_of_recipients_is_as_domains_publish_it(tmp_path: Path) -> None:
    """Comments, mailto:, several with commas, https."""
    path = tmp_path / "list"
    path.write_text(
        "# all\nA.test mailto:a@a.test,mailto:b@b.test\n\nb.test c@b.test # x\nc.test https://c\n"
    )
    assert write.recipients(path) == {
        "a.test": ("a@a.test", "b@b.test"),
        "b.test": ("c@b.test",),
        "c.test": (),
    }


@pytest.mark.parametrize(
    ("line_of_it", "words"),
    [
        (b"a.test\n", "line 1"),
        (b"a.test a\n", "line 1"),
        (b"ok.test a@b\na.test <a@a.test>\n", "line 2"),
        (b"a.test a@b@c\n", "line 1"),
        (b"a..test a@b\n", "no host name"),
        (b"\xff", "cannot be read"),
        (b"#" * ((1 << 24) + 1), "bytes"),
    ],
)
def test_a_list_that_is_none_is_refused(tmp_path: Path, line_of_it: bytes, words: str) -> None:
    """Naming the line."""
    path = tmp_path / "list"
    path.write_bytes(line_of_it)
    with pytest.raises(MailsealError, match=words):
        write.recipients(path)
