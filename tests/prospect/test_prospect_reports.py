"""A staging for people and for programs."""

import json
import re
from collections.abc import Callable

import pytest

from audit.prospect.compare import Allowed
from audit.prospect.deployment import Trouble
from audit.prospect.result import Staged
from audit.report.prospect_html import staging_page
from audit.report.prospect_json import staging_document
from audit.report.prospect_markdown import markdown, plain
from audit.report.prospect_text import text
from tests.prospect.prospect_factories import NEW, cluster, finding, hostile, production, staged
from tests.report.report_factories import HOSTILE
from tests.report.test_report_html import Page
from tests.report.test_report_json import validate

SECOND = "\ud800\x1b[2J\x9b\u202e [x](http://evil) www.evil @all #1 | `a` <b>"
RESULTS: dict[str, Callable[[], Staged]] = {
    "good": lambda: staged(cluster(NEW), cluster(NEW)),
    "breaking": staged,
    "announced": lambda: staged(allowed_=Allowed(("*",))),
    "failing": lambda: staged(after=cluster(NEW, [finding("MT-TLS10", NEW, "fail")])),
    "undetermined": lambda: staged(
        cluster(NEW), cluster(NEW), production=production(Trouble("mail9", "no route", False))
    ),
    "hostile": lambda: hostile(HOSTILE),
    "hostile bytes": lambda: hostile(SECOND),
}


@pytest.fixture(params=RESULTS)
def found(request: pytest.FixtureRequest) -> Staged:
    """Each of them."""
    return RESULTS[request.param]()


def test_json_is_as_the_schema_says(found: Staged) -> None:
    """Whatever was seen, and with what the exit code means."""
    document = validate(staging_document(found), "staging-1.json")
    assert document["exit_code"] == found.exit_code
    assert document["lost"] == sorted({t.client for t in found.lost})
    assert len(document["clients"]) == len(found.turns)


def test_the_page_is_whole_and_runs_only_our_script(found: Staged) -> None:
    """No element of a server's, and one script, that of all pages; nothing else would run."""
    page = Page(staging_page(found))
    assert {tag for tag, _ in page.elements} & {"img", "iframe", "object"} == set()
    assert len(page.all("script")) == len(page.all("style")) == 1
    assert all("onload" not in attributes for _, attributes in page.elements)
    (policy,) = page.all("meta", **{"http-equiv": "Content-Security-Policy"})
    assert policy["content"].startswith("default-src 'none'; style-src 'sha256-")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800]", page.words)


def test_all_of_the_page_can_be_filtered() -> None:
    """Every group has what can be found: one without would go, and never come back."""
    for make in RESULTS.values():
        text_ = staging_page(make()).decode()
        for group in re.split("<section ", text_)[1:]:
            assert "data-group" in group.partition(">")[0]
            assert "data-find" in group.partition("</section>")[0]


def test_a_terminal_is_not_moved_by_what_was_seen(found: Staged) -> None:
    """No control character; the last line is the word on the candidate."""
    said = text(found).decode()
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", said)
    assert said.rstrip().rsplit("\n", 1)[-1].endswith(".")


def test_a_comment_is_only_text(found: Staged) -> None:
    """No link, no mention, no element and no further column."""
    said = markdown(found).decode()
    assert not re.search(r"<(?!br)|@|http:|www\.|`|\]\(", said)
    rows = [line for line in said.splitlines() if line.startswith("|")]
    assert {row.count("|") for row in rows} <= {6}


def test_the_outcomes_read_differently() -> None:
    """What could not be told never reads as fine."""
    words = {
        name: text(make()).decode().rstrip().rsplit("\n", 1)[-1] for name, make in RESULTS.items()
    }
    assert words["good"] == "The candidate holds, and no client is lost."
    assert words["breaking"] == "The candidate holds, and takes TLS from 8 clients."
    assert words["announced"] == "The candidate holds; 8 clients lose TLS, as announced."
    assert words["failing"] == "The candidate fails."
    assert "could not be determined" in words["undetermined"]


def test_every_lost_client_is_named_with_before_and_now() -> None:
    """In the text, the page and the comment."""
    found = staged()
    page, said, comment = Page(staging_page(found)), text(found).decode(), markdown(found).decode()
    for turn in found.lost:
        for where in (page.words, said):
            assert turn.client in where
            assert str(turn.before) in where
            assert turn.after.why in where
        assert plain(str(turn.before)) in comment


def test_who_gets_the_same_is_counted_and_not_listed() -> None:
    """A page of thirty clients that fare as before hides the one that does not."""
    said = text(staged(cluster(NEW), cluster(NEW))).decode()
    assert "openssl-3.0" not in said
    assert "Of 30 recorded clients: " in said
    assert json.loads(staging_document(staged(cluster(NEW), cluster(NEW))))["clients"]
