"""When there is something to tell, and in which words."""

import json
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from msgspec.structs import replace

from audit.drift import Drift
from audit.findings import Run
from audit.past import NO_PAST
from audit.report.news import News, news, no_run
from tests.commands import ROOT
from tests.notify.notify_factories import SERIES, after
from tests.report.report_factories import make_finding, make_run

GOOD = make_run(
    make_finding(verdict="pass", observed="refused"), make_finding(check="MT-SSL2", verdict="pass")
)
FAILED = replace(
    GOOD,
    findings=(
        make_finding(verdict="fail", observed="accepted"),
        *GOOD.findings[1:],
    ),
)
DRIFT = Drift(host="mx1", what="library", name="/l", before="aa", after="bb")


def told(before: Run, now: Run, **more: Any) -> News | None:
    """What is told of *now*."""
    run, past = after(before, now)
    return news(run, replace(past, drift=more.pop("drift", ())), SERIES, **more)


def document(found: News | None) -> dict[str, Any]:
    """The document, which keeps to its schema."""
    assert found
    made: dict[str, Any] = json.loads(found.document)
    schema = json.loads((ROOT / "docs" / "schema" / "notification-1.json").read_text())
    jsonschema.validate(made, schema)
    assert (made["subject"], made["text"]) == (found.subject, found.text)
    return made


def test_a_night_like_the_one_before_is_not_told() -> None:
    """Neither a good one nor one whose failures are known."""
    assert told(GOOD, GOOD) is None
    assert told(FAILED, FAILED) is None


def test_what_changed_is_told_first() -> None:
    """Counts in the subject; changes, then what fails, then the sum in the text."""
    found = told(GOOD, FAILED)
    made = document(found)
    assert found
    assert found.subject == (
        "mailseal: 1 new; 1 failed, 0 inconclusive of 2: /etc/mailseal/inventory"
    )
    lines = found.text.splitlines()
    assert lines[0] == "Audit 20261128T030000Z of /etc/mailseal/inventory"
    assert lines[2] == "1 change since 20261127T030000Z"
    assert lines.index("New") < lines.index("Failed")
    assert made["reasons"] == ["changes"]
    assert (made["run"], made["before"]) == ("20261128T030000Z", "20261127T030000Z")
    assert [c["kind"] for c in made["changes"]] == ["new"]
    assert made["verdicts"]["fail"] == 1


def test_what_was_mended_is_told() -> None:
    """Who was called at night wants to know."""
    found = told(FAILED, GOOD)
    assert found
    assert found.subject.startswith("mailseal: 1 fixed; 0 failed")


@pytest.mark.parametrize(
    ("run", "more", "reasons", "words"),
    [
        (GOOD, {"drift": (DRIFT,)}, ["drift"], "1 other fact; "),
        (replace(GOOD, notices=("Waiver expires today",)), {}, ["notices"], "1 notice; "),
        (GOOD, {"late": True}, ["incomplete"], "not in time; "),
        (GOOD, {"trouble": "disk full"}, ["trouble"], "not compared, reported or kept; "),
        (FAILED, {"late": True}, ["changes", "incomplete"], "1 new, not in time; "),
    ],
)
def test_what_is_told_besides(
    run: Run, more: dict[str, Any], reasons: list[str], words: str
) -> None:
    """Facts, notices that are new, and that something is missing; each is named."""
    found = told(GOOD, run, **more)
    assert document(found)["reasons"] == reasons
    assert found
    assert found.subject.startswith(f"mailseal: {words}")


def test_a_notice_is_told_once() -> None:
    """The next night it is none that is new."""
    noticed = replace(GOOD, notices=("Waiver expires on 2026-12-12: MT-SSL3 on mx*",))
    assert document(told(GOOD, noticed))["notices"] == list(noticed.notices)
    assert told(noticed, noticed) is None


def test_a_first_run_is_told_if_not_all_is_fine() -> None:
    """There is nothing to compare with, and a failure must not stay unsaid for that."""
    assert document(news(FAILED, NO_PAST, SERIES))["reasons"] == ["first"]
    fine = make_run(make_finding(verdict="pass"))
    assert news(fine, NO_PAST, SERIES) is None
    doubt = make_run(make_finding(verdict="inconclusive"))
    found = news(doubt, NO_PAST, SERIES)
    assert document(found)["before"] == ""
    assert found
    assert found.subject.startswith("mailseal: first run; 0 failed, 1 inconclusive of 1")


def test_no_run_at_all_says_why() -> None:
    """Its document has no run, and no count that could be read as fine."""
    found = no_run("host mx1: mailseal_ca_file: is missing\x1b[2J", SERIES)
    made = document(found)
    assert (made["reasons"], made["run"], made["started"]) == (["failed"], "", None)
    assert made["verdicts"] == {}
    assert found.subject == "mailseal: no audit: /etc/mailseal/inventory"
    assert "mailseal_ca_file: is missing\\x1b[2J" in found.text


def test_no_server_has_a_word_in_a_subject_and_none_does_harm() -> None:
    """Line breaks, controls and bidi marks stay visible text; the inventory's as well."""
    evil = "x\r\nBcc: all@example.org\x1b[2J\u202e\udcff"
    bad = make_run(
        make_finding(verdict="fail", host=evil, observed=evil, evidence=evil),
        make_finding(check="MT-SSL2", verdict="pass"),
    )
    run, past = after(GOOD, bad)
    found = news(run, past, replace(SERIES, inventory=f"/i/{evil}"))
    document(found)
    assert found
    for text in (found.subject, found.text):
        assert not {"\r", "\x1b", "\u202e", "\udcff"} & set(text)
        assert "\nBcc:" not in text
    assert found.subject.isprintable()


def test_what_is_very_long_is_cut_and_says_so() -> None:
    """Ten thousand failures are a mail all the same."""
    many = make_run(*(make_finding(verdict="fail", host=f"h{n}") for n in range(10_000)))
    run, past = after(make_run(), many)
    found = news(run, past, SERIES)
    made = document(found)
    assert found
    assert len(found.text) < 201_000
    assert found.text.splitlines()[-1].endswith("more lines: the reports have them")
    assert (len(made["changes"]), made["omitted"]) == (500, 9_500)
    assert len(found.document) < 1_500_000
