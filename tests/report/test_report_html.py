"""The HTML report: its structure and its safety."""

import re
import sys
from datetime import timedelta
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from msgspec.structs import replace

from audit.drift import Drift
from audit.findings import Run
from audit.judge.catalogue import CATALOGUE
from audit.past import NO_PAST, Night, Past
from audit.report.entries import link
from audit.report.html import html_document
from audit.report.matrix import matrix
from tests.report.report_factories import (
    NOTICES,
    STARTED,
    WAIVER,
    big_run,
    hostile_past,
    hostile_run,
    lab_past,
    lab_run,
    make_certificate,
    make_endpoint_facts,
    make_finding,
    make_run,
    several_policies,
)

VOID = {"meta", "input", "br", "rect", "link", "img"}


class Page(HTMLParser):
    """A page as a list of elements; fails on one that is closed in the wrong place."""

    def __init__(self, document: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.words = ""
        self.feed(document.decode())
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert tag == self.open.pop()

    def handle_data(self, data: str) -> None:
        self.words += data

    def all(self, tag: str, **wanted: str) -> list[dict[str, str]]:
        """The attributes of every such element."""
        return [a for t, a in self.elements if t == tag and wanted.items() <= a.items()]


def test_failures_are_entries_with_all_that_is_needed_to_act() -> None:
    """Observed, expected, evidence, why it matters, how to fix it, and where to read on."""
    page = Page(html_document(make_run(make_finding())))
    (entry,) = page.all("details")
    assert entry["class"] == "entry"
    check = CATALOGUE["MT-TLS10"]
    for words in ("TLSv1.0 accepted", "TLSv1.0 refused", "0x0301", check.why, check.fix):
        assert words in page.words
    assert page.all("a", href="https://www.rfc-editor.org/rfc/rfc8996")
    assert page.all("a", href="https://www.cve.org/CVERecord?id=CVE-2011-3389")


def test_one_cause_is_one_entry_that_names_every_place() -> None:
    """TLS 1.0 on five ports and two addresses of imap2 is one entry, not ten."""
    page = Page(html_document(lab_run()))
    assert len(page.all("details", **{"class": "entry"})) == 8
    assert "110 pop3, 143 imap, 993 imap, 995 pop3, 4190 sieve on IPv4 and IPv6" in page.words
    assert "4190 sieve on IPv6" in page.words


def test_what_stayed_unclear_comes_after_the_failures() -> None:
    """Three sections, the gravest first."""
    page = Page(html_document(lab_run()))
    sections = [a["id"] for a in page.all("h2") if a["id"].startswith("section-")]
    assert sections == ["section-fail", "section-inconclusive", "section-waived"]


def test_a_waiver_is_told_and_a_waived_run_does_not_claim_to_hold() -> None:
    """Who accepted it; the headline counts it; what is unused is said at the top."""
    page = Page(html_document(lab_run()))
    assert WAIVER.accepted in page.words
    assert NOTICES[0] in page.words
    one = make_run(make_finding(verdict="waived", waiver=WAIVER))
    assert "1 check: all hold but 1 that are waived" in Page(html_document(one)).words


def test_what_is_on_phase_out_is_listed_although_it_passed() -> None:
    """Last of all, with its level; other passes are not."""
    page = Page(html_document(several_policies()))
    sections = [a["id"] for a in page.all("h2") if a["id"].startswith("section-")]
    assert sections == ["section-fail", "section-pass"]
    assert "Still passed, but the policy means to forbid it. 1 finding;" in page.words
    assert "phase-out: TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256" in page.words
    assert "Level reached" in page.words


def test_several_policies_are_told_apart() -> None:
    """An entry names the one that found it."""
    page = Page(html_document(several_policies()))
    assert len(page.all("details", **{"class": "entry"})) == 3
    assert page.words.count("ncsc-nl-2025") > page.words.count("mailseal-2026, ncsc")


def test_every_cell_leads_to_its_entry() -> None:
    """No link inside the page is dead."""
    page = Page(html_document(lab_run()))
    ids = {a["id"] for _, a in page.elements if "id" in a}
    inside = {a["href"][1:] for a in page.all("a") if a["href"].startswith("#")}
    assert inside <= ids
    assert {f"f{n}" for n in range(1, 9)} <= inside


def test_a_verdict_is_never_told_by_colour_alone() -> None:
    """Every cell of the matrix holds a symbol and says its verdict in words."""
    document = html_document(lab_run()).decode()
    cells = re.findall(r'class="cell [\w-]+"[^>]*?title="([^"]*)">([^<]+)<', document)
    assert len(cells) == len(re.findall(r'<(?:a|span) class="cell [\w-]+"[^>]*title=', document))
    assert ("MT-TLS10: 10 of 10 failed", "✕10") in cells
    assert ("MT-CURVES: 2 of 4 inconclusive", "?2") in cells
    assert ("MT-CERT-SANS: 2 of 2 not applicable", "\N{EN DASH}") in cells


@pytest.mark.parametrize(
    ("run", "headline"),
    [
        (make_run(make_finding()), "1 of 1 check failed"),
        (
            make_run(make_finding(verdict="inconclusive")),
            "Nothing failed, 1 of 1 check could not be determined",
        ),
        (make_run(make_finding(verdict="pass")), "All 1 check hold"),
        (make_run(make_finding(verdict="pass"), planned=2), "only 1 of 2 were made"),
        (make_run(), "only 0 of 0 were made"),
    ],
)
def test_the_headline_is_the_verdict_on_the_run(run: Run, headline: str) -> None:
    """All is well only if every planned check was made and none failed or stayed unclear."""
    assert headline in Page(html_document(run)).words


def test_the_page_needs_nothing_but_itself() -> None:
    """No style sheet, script, font or picture is loaded; links lead only to references."""
    page = Page(html_document(lab_run()))
    assert not [tag for tag, a in page.elements if "src" in a or tag in {"link", "img", "iframe"}]
    hrefs = [a["href"] for a in page.all("a")]
    addresses = {link(r) for check in CATALOGUE.values() for r in check.references}
    assert all(href.startswith("#") or href in addresses for href in hrefs)
    assert "url(" not in html_document(lab_run()).decode()


def test_tables_tell_a_screen_reader_what_they_are() -> None:
    """Captions, and a scope on every heading cell."""
    run = lab_run()
    page = Page(html_document(run))
    subjects = matrix(run, []).groups
    others = 4  # waivers, certificates, suites, checks
    assert len(page.all("caption")) == len(page.all("table")) == len(subjects) + others
    assert all("scope" in a for a in page.all("th"))


@pytest.mark.parametrize("past", [NO_PAST, lab_past()], ids=["alone", "with a past"])
def test_headings_leave_out_no_level(past: Past) -> None:
    """One first heading; each other one is at most a level below the one before."""
    page = Page(html_document(lab_run(), past))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_landmarks_and_controls_have_names() -> None:
    """Header, contents, search, main and footer; a label for whatever can be typed or chosen."""
    page = Page(html_document(lab_run(), lab_past()))
    assert all(len(page.all(tag)) == 1 for tag in ("header", "nav", "main", "footer"))
    assert page.all("div", role="search")
    labels = {a["for"] for a in page.all("label")}
    assert {a["id"] for tag in ("input", "select") for a in page.all(tag)} == labels
    named = {"aria-label", "aria-labelledby"}
    regions = page.all("div", role="region") + page.all("section")
    assert all(named & a.keys() for a in regions)


def test_changes_come_first_each_told_once() -> None:
    """By kind, with the verdict before and after in words, and a link to the entry."""
    page = Page(html_document(lab_run(), lab_past()))
    titles = [a["id"] for a in page.all("h2")]
    assert titles[:2] == ["changes", "section-fail"]
    told = re.sub(r"\s+", " ", page.words)
    assert "Compared with the run of 23 November 2026, 02:00 UTC." in told
    for words in (
        "MT-CERT-TIME ended 2026-11-20, 4 days ago \N{EN DASH} before: as expected",
        "mx2 [10.80.0.12]:25 smtp · mx2 [fd00:80::12]:25 smtp",
        "failed→ before, now ✓passed: MT-LOG-ENABLED",
        "passed→ before, now not made: MT-PORT-EXPECT",
        "not made→ before, now ✓passed: MT-LIB-HASH",
    ):
        assert words in told
    kinds = ("New", "Lost", "Fixed", "Waived", "Changed", "Added")
    places = [told.index(f"{kind} \N{EN DASH} ") for kind in kinds]
    assert places == sorted(places)


def test_a_night_like_the_one_before_says_so() -> None:
    """With a past and without changes."""
    past = Past(nights=lab_past().nights)
    words = Page(html_document(lab_run(), past)).words
    assert "Nothing came out otherwise." in words
    assert "Compared with" not in Page(html_document(lab_run())).words


def test_drift_is_told_with_the_changes() -> None:
    """Once for all places that it happened in, and counted; a night with drift is not the same."""
    one = Drift(host="mx1", what="library", name="libssl", before="3.0.19", after="<b>3.0.20")
    found = (one, replace(one, host="mx2"))
    page = Page(html_document(lab_run(), Past(nights=lab_past().nights, drift=found)))
    told = re.sub(r"\s+", " ", page.words)
    assert "Changes 2" in told
    assert "Nothing came out otherwise, but there are facts that are others now." in told
    assert "library libssl <b>3.0.20 \N{EN DASH} before: 3.0.19 mx1 · mx2" in told


def test_hosts_that_came_in_between_each_other_are_each_one_block() -> None:
    """Endpoints are in the order in which they were done."""
    run = lab_run()
    mixed = replace(run, endpoints=(*run.endpoints[::2], *run.endpoints[1::2]))
    counts = [len(Page(html_document(r)).all("details")) for r in (run, mixed)]
    assert counts[0] == counts[1]


def test_the_trend_is_a_picture_with_its_numbers_beside_it() -> None:
    """No script, style or colour of its own; what it shows is told in words and in a table."""
    page = Page(html_document(lab_run(), lab_past()))
    assert "22 failed this time, 5 the time before; in the last 31 runs between 4 and 22." in (
        page.words
    )
    assert "24 Nov 2026: 22 failed" in page.words
    assert len(page.all("rect", **{"class": "rect reactive tooltip-trigger"})) == 3 * 31
    assert not [a for _, a in page.elements if "style" in a]
    assert len(page.all("style")) == len(page.all("script")) == 1


def test_drawing_leaves_nothing_behind_in_pythons_imports() -> None:
    """The library's own finder would make every later import that fails complain."""
    html_document(lab_run(), lab_past())
    assert all(hasattr(finder, "find_spec") for finder in sys.meta_path)


def test_many_nights_are_the_last_sixty() -> None:
    """The picture is no wider than the page; nights whose time cannot be read are drawn too."""
    nights = tuple(Night(run=str(n), started="?", counts={}) for n in range(500))
    page = Page(html_document(lab_run(), Past(nights=nights)))
    assert len(page.all("rect", **{"class": "rect reactive tooltip-trigger"})) == 3 * 60


def test_certificates_and_waivers_are_told_by_the_days_they_have_left() -> None:
    """The first to end first; what ended or ends soon is said in words."""
    soon = make_certificate(not_after=STARTED + timedelta(days=3), fingerprint="1")
    ended = make_certificate(not_after=STARTED - timedelta(days=3), fingerprint="2")
    facts = make_endpoint_facts(chains=((make_certificate(),), (soon,), (ended,)))
    near = replace(WAIVER, expires=STARTED.date() + timedelta(days=2))
    waived = [make_finding(verdict="waived", waiver=w) for w in (WAIVER, near)]
    words = Page(html_document(make_run(*waived, endpoints=(facts,)))).words
    told = re.sub(r"\s+", " ", words)
    days = ("ended 3 days ago", "2 days left \N{EN DASH} soon", "59 days left")
    assert [told.index(d) for d in days] == sorted(told.index(d) for d in days)
    assert told.index("2 \N{EN DASH} soon") < told.index("OPS-7")


def test_suites_are_told_worst_first() -> None:
    """With what they lack, and how many endpoints serve them; old versions are obsolete."""
    told = re.sub(r"\s+", " ", Page(html_document(lab_run())).words)
    assert "TLS_RSA_WITH_3DES_EDE_CBC_SHATLSv1.2no forward secrecy, no AEAD10 of 28" in told
    assert told.index("no forward secrecy, no AEAD") < told.index("forward secrecy, AEAD27 of 28")
    assert "TLSv1.0obsolete (RFC 8996)10 of 28" in told


def test_hostile_text_stays_text() -> None:
    """Nothing that a server says becomes an element or an attribute."""
    page = Page(html_document(hostile_run(), hostile_past()))
    assert len(page.all("script")) == 1
    assert not page.all("img")
    assert not [a for _, a in page.elements if any(name.startswith("on") for name in a)]
    assert "\x00" not in page.words
    assert "\u202e" not in page.words
    assert r"onerror=x>" in page.words
    assert r"\x00\u202e" in page.words


def test_no_secret_is_in_the_page() -> None:
    """Neither a certificate's bytes nor a host's options."""
    document = html_document(lab_run())
    assert b"SECRET-DER" not in document
    assert b"hunter2" not in document


def test_a_big_cluster_stays_readable() -> None:
    """25 hosts with 14 endpoints: every host under every subject, under 3 MB."""
    run = big_run()
    document = html_document(run)
    assert len(document) < 3_000_000
    assert len(run.endpoints) == 350
    rows = Page(document).all("th", scope="row")
    subjects = matrix(run, []).groups
    matrices = 25 * len(subjects) + len({f.check for f in run.findings})
    certificates, uses, waivers = 50, 2 + 9, 1
    assert len(rows) == matrices + certificates + uses + waivers
