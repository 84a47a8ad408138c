"""What is reported of domains with MTA-STS."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest

from audit.cli import main
from audit.errors import MailsealError
from audit.tlsrpt import helper, policies
from audit.tlsrpt.applied import not_taken
from audit.tlsrpt.clock import clock
from audit.tlsrpt.compose import Sender, compose
from audit.tlsrpt.exim import event
from audit.tlsrpt.report import encode
from audit.tlsrpt.results import ResultType
from audit.tlsrpt.sessions import Sessions
from audit.traffic.syslog import Calendar
from audit.wire.mta_sts import Policy
from tests.tlsrpt.lines import STS_SAMPLES as SAMPLES
from tests.tlsrpt.strict import RFC

_ENFORCED = "mode=enforce until=1796077550 at=1795991150 id=1 mx=mx.{0}"
KEPT = {
    b"good.example": Policy("enforce", 86_400, ("mx.good.example",)),
    b"testing.example": Policy("testing", 1, ("other.testing.example",)),
    b"tested.example": Policy("testing", 1, ("mx.tested.example",)),
    b"none.example": Policy("none", 1, ("mx.none.example",)),
}
# Sessions that came about and that failed, by what was applied.
EXPECTED: dict[str, tuple[dict[str, int], dict[tuple[str, str], int]]] = {
    "good.example": ({"sts": 1}, {}),
    "misnamed.example": ({}, {("sts", "certificate-host-mismatch"): 1}),
    "untrusted.example": ({}, {("sts", "certificate-not-trusted"): 1}),
    "plain.example": ({}, {("sts", "starttls-not-supported"): 1}),
    "broken.example": ({}, {("sts", "validation-failure"): 1}),
    "unlisted.example": ({}, {("sts", "validation-failure"): 1}),
    "testing.example": ({}, {("sts", "validation-failure"): 1}),
    "tested.example": ({"sts": 1}, {}),
    "none.example": ({"no-policy-found": 1}, {}),
    "without.example": ({"no-policy-found": 1}, {}),
    "clear.example": ({}, {}),
    "kept.example": ({}, {("sts", "certificate-not-trusted"): 1}),
    "dane.test": ({"tlsa": 1}, {}),
    "dane-unlisted.test": ({"tlsa": 1}, {}),
    "dane-wrong.test": ({}, {("tlsa", "validation-failure"): 1}),
    "required-none.test": ({}, {("tlsa", "dane-required"): 1}),
    "gnutls misnamed.example": ({}, {("sts", "certificate-host-mismatch"): 1}),
    "gnutls untrusted.example": ({}, {("sts", "validation-failure"): 1}),
    "gnutls testing.example": ({}, {("sts", "validation-failure"): 1}),
}


def _sessions(*lines: str, known: dict[bytes, Policy] | None = None) -> Sessions:
    found = Sessions(clock(UTC), policies=KEPT if known is None else known)
    for line in lines:
        if what := event(line.encode()):
            found.take(what)
    return found


@pytest.mark.parametrize("name", SAMPLES)
def test_each_session_is_told_by_what_was_applied(name: str) -> None:
    """An enforced policy by the transport, one in mode testing by the cache; DANE before both."""
    found = _sessions(*SAMPLES[name])
    domain = name.rpartition(" ")[2].encode()
    (counts,) = found.finish().values()
    failed: Counter[tuple[str, str]] = Counter()
    for why, count in counts.failed.items():
        failed[why.policy, why.result] += count
    assert (dict(counts.ok), dict(failed)) == EXPECTED[name]
    assert not found.unclear
    assert not found.homeless
    assert (counts.clear == 1) == (domain == b"clear.example")


def test_a_certificate_that_a_policy_in_testing_would_refuse_is_a_failure() -> None:
    """Though the mail went: by the library's words if it has any, and not where nothing is said."""
    policy = {b"testing.example": Policy("testing", 1, ("*.testing.example",))}
    for name, result in (
        ("testing.example", "certificate-host-mismatch"),
        ("gnutls testing.example", "validation-failure"),
    ):
        (counts,) = _sessions(*SAMPLES[name], known=policy).finish().values()
        assert [why.result for why in counts.failed] == [result]
        silent = [line.replace(" CV=no", "") for line in SAMPLES[name]]
        (counts,) = _sessions(*silent, known=policy).finish().values()
        assert dict(counts.ok) == {"sts": 1}


def test_without_the_cache_only_what_is_enforced_is_told() -> None:
    """Nothing in the log is about a policy in mode testing."""
    for name, applied in (("good.example", "sts"), ("tested.example", "no-policy-found")):
        (counts,) = _sessions(*SAMPLES[name], known={}).finish().values()
        assert dict(counts.ok) == {applied: 1}


def test_the_policy_is_in_the_report_as_the_rfc_has_it() -> None:
    """Line by line, and its hosts; without the cache the type alone."""
    counts = _sessions(*SAMPLES["good.example"], *SAMPLES["dane.test"]).finish()
    sender = Sender("Example University", "tlsrpt@example.org")
    validator = jsonschema.Draft202012Validator(RFC)
    both = [json.loads(encode(own.report)) for own in compose(counts, sender, KEPT)]
    for one in both:
        validator.validate(one)
    assert [one["policies"][0]["policy"] for one in both] == [
        {"policy-type": "tlsa", "policy-domain": "dane.test"},
        {
            "policy-type": "sts",
            "policy-domain": "good.example",
            "policy-string": [
                *("version: STSv1", "mode: enforce", "mx: mx.good.example", "max_age: 86400"),
            ],
            "mx-host": ["mx.good.example"],
        },
    ]
    _, alone = (json.loads(encode(own.report)) for own in compose(counts, sender))
    validator.validate(alone)
    assert alone["policies"][0]["policy"] == {
        "policy-type": "sts",
        "policy-domain": "good.example",
    }


@pytest.mark.parametrize(
    "line",
    [
        "",
        "mode=enforce",
        "mode=enforce until=2 at=1 id=1 mx=",  # whom mail may go to is not said
        "mode=strict until=2 at=1 id=1 mx=a.b",
        "mode=enforce until=1 at=2 id=1 mx=a.b",  # it ends before it begins
        "mode=enforce until=x at=1 id=1 mx=a.b",
        "mode=enforce until=2 at=1 id=1 mx=a.b more",
        "mode=enforce until=9999999999 at=1 id=1 mx=a.b",  # more than a year
    ],
)
def test_what_is_no_policy_is_none(line: str) -> None:
    """Half a line, another grammar, values that no policy has."""
    with pytest.raises(ValueError, match=r"it|'"):
        policies.policy(f"{line}\n")


def test_the_cache_is_read_file_by_file(tmp_path: Path) -> None:
    """One that is none is told and costs no other; what is hidden is none of ours."""
    (tmp_path / "good.example").write_text(_ENFORCED.format("good.example") + "\n")
    (tmp_path / "bad.example").write_bytes(b"\xff" * 50)
    (tmp_path / "dir.example").mkdir()
    (tmp_path / ".lock").touch()
    found, troubles = policies.read(tmp_path)
    assert found == {b"good.example": KEPT[b"good.example"]}
    assert [words.split(":")[0] for words in troubles] == [
        f"{tmp_path}/{name}.example is no policy of MTA-STS" for name in ("bad", "dir")
    ]
    with pytest.raises(MailsealError, match="nowhere cannot be read"):
        policies.read(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("words", "result"),
    [
        (b"Name or service not known", "sts-policy-fetch-error"),
        (b"nothing listens on its port 443", "sts-policy-fetch-error"),
        (b"HTTP status 404", "sts-policy-fetch-error"),
        (b"its media type is text/html, and not text/plain", "sts-policy-fetch-error"),
        (b"certificate verify failed: certificate has expired", "sts-webpki-invalid"),
        (b"Hostname mismatch, certificate is not valid for 'x'", "sts-webpki-invalid"),
        (b"its mode is 'on', and not one of enforce, testing, none", "sts-policy-invalid"),
        (b"it has no mx line, and its mode is enforce", "sts-policy-invalid"),
        (b"'a b' is no pattern of names", "sts-policy-invalid"),
    ],
)
def test_why_no_policy_was_taken_has_a_type(words: bytes, result: ResultType) -> None:
    """By what the helper says of it."""
    assert not_taken(words) == result
    assert not_taken(words + b"'") == result


_HELPERS = "mailseal-mta-sts: x.example: no policy was taken, for nothing listens on its port 443"


@pytest.mark.parametrize(
    ("stamp", "time"),
    [
        ("Nov 23 10:00:00 mx1 ", b"2026-11-23 10:00:00"),
        ("2026-11-23T10:00:00.123456+01:00 mx1 ", b"2026-11-23 10:00:00 +0100"),
        ("2026-11-23T10:00:00Z mx1 ", b"2026-11-23 10:00:00 +0000"),
    ],
)
def test_lines_of_the_helper_are_known(stamp: str, time: bytes) -> None:
    """However syslog writes the time; nobody else is taken for it."""
    calendar = Calendar(datetime(2026, 11, 29, tzinfo=UTC))
    found = helper.event(f"{stamp}{_HELPERS}".encode(), calendar)
    assert found is not None
    assert (found.stamp, found.domain) == (time, b"x.example")
    for other in (
        f"{stamp}exim[1]: {_HELPERS}",
        f"{stamp}mailseal-mta-sts: x.example: something else",
        _HELPERS,
    ):
        assert helper.event(other.encode(), calendar) is None


def test_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exim's lines and the helper's in one syslog, and the cache beside it."""
    cache, out = tmp_path / "cache", tmp_path / "out"
    cache.mkdir()
    (cache / "good.example").write_text(_ENFORCED.format("good.example") + "\n")
    log = tmp_path / "mail.log"
    lines = [f"2026-11-29T22:26:10+00:00 mx1 exim[7]: {one}" for one in SAMPLES["good.example"]]
    lines += [f"2026-11-29T10:00:0{n}+00:00 mx1 {_HELPERS}" for n in range(2)]
    log.write_text("\n".join([*lines, ""]))
    words = ["--organization", "o", "--contact", "a@example.org", "--zone", "UTC"]
    days = ["--from", "2026-11-29", "--mta-sts", str(cache), "--out", str(out), str(log)]
    _yesterday(words, days)
    capsys.readouterr()
    found = {path.name.split("!")[1]: json.loads(path.read_text()) for path in out.glob("*.json")}
    assert set(found) == {"good.example", "x.example"}
    (lost,) = found["x.example"]["policies"]
    assert lost["policy"]["policy-type"] == "sts"
    assert lost["summary"]["total-failure-session-count"] == 2
    (detail,) = lost["failure-details"]
    assert detail["result-type"] == "sts-policy-fetch-error"
    assert detail["failure-reason-code"] == "nothing listens on its port 443"


def _yesterday(words: list[str], days: list[str]) -> None:
    """Write reports of a day that is over, whatever day it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("audit.commands.tlsrpt_write._days", lambda _: ("2026-11-29", "2026-11-29"))
        assert main(["tlsrpt", "write", *words, *days]) == 0
