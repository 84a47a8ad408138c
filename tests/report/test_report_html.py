"""The HTML report: its structure, its safety, and its behaviour in a real browser."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from audit.findings import Run
from audit.judge.catalogue import CATALOGUE
from audit.report.entries import link
from audit.report.html import html_document
from audit.report.matrix import matrix
from tests.report.report_factories import (
    NOTICES,
    WAIVER,
    big_run,
    lab_run,
    make_certificate,
    make_endpoint_facts,
    make_finding,
    make_run,
    several_policies,
)

VOID = {"meta", "input", "br", "rect", "link", "img"}
HOSTILE = (
    "</pre></script><script>document.title='owned'</script><img src=x onerror=x> \" ' \x00\u202e"
)


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


def hostile_run() -> Run:
    """A run in which everything a server can choose is an attack."""
    leaf = make_certificate(subject=HOSTILE)
    facts = make_endpoint_facts(host=HOSTILE, errors=(HOSTILE,), chains=((leaf,),))
    finding = make_finding(
        host=HOSTILE, observed=HOSTILE, expected=HOSTILE, evidence=HOSTILE, item=HOSTILE
    )
    return make_run(finding, endpoints=(facts,), run=HOSTILE, started=HOSTILE)


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
    assert len(page.all("caption")) == len(page.all("table")) == len(subjects) + 1
    assert all("scope" in a for a in page.all("th"))


def test_hostile_text_stays_text() -> None:
    """Nothing that a server says becomes an element or an attribute."""
    page = Page(html_document(hostile_run()))
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
    assert len(rows) == 25 * len(subjects) + len({f.check for f in run.findings})


BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")


def browse(document: bytes, directory: Path, fragment: str = "") -> tuple[str, list[str]]:
    """What a real browser makes of the page: its elements, and the errors on its console."""
    path = directory / "report.html"
    path.write_bytes(document)
    command = [
        *(str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu"),
        *("--disable-background-networking", "--enable-logging=stderr"),
        *(f"--user-data-dir={directory / 'profile'}", "--virtual-time-budget=2000", "--dump-dom"),
        path.as_uri() + fragment,
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    return done.stdout, [line for line in done.stderr.splitlines() if ":CONSOLE" in line]


def entries_shown(elements: str) -> list[str]:
    """The checks of the entries that are not hidden."""
    entry = re.compile(r'<details class="entry"([^>]*)>.*?class="id mono">([^<]+)<', re.DOTALL)
    return [check for attributes, check in entry.findall(elements) if "hidden" not in attributes]


@needs_browser
def test_the_filter_leaves_what_matches(tmp_path: Path) -> None:
    """A link with #filter= shows the entries with all of its words, and says how many."""
    elements, errors = browse(html_document(lab_run()), tmp_path, "#filter=imap2%20tls10")
    assert errors == []
    assert entries_shown(elements) == ["MT-TLS10"]
    assert "1 of 8 entries" in elements
    rows = re.findall(r'<tr data-find=""([^>]*)><th scope="row">([^<]*)', elements)
    assert {host for attributes, host in rows if "hidden" not in attributes} == {"imap2"}
    assert len({host for _, host in rows}) == 5


@needs_browser
def test_without_a_filter_everything_is_shown(tmp_path: Path) -> None:
    """The page starts with all entries closed, the filter ready, and a silent console."""
    elements, errors = browse(html_document(lab_run()), tmp_path)
    assert errors == []
    assert len(entries_shown(elements)) == 8
    assert '<div id="tools" role="search">' in elements
    assert " open" not in "".join(re.findall(r'<details class="entry"[^>]*>', elements))


@needs_browser
def test_a_link_to_an_entry_opens_it(tmp_path: Path) -> None:
    """#f3, as the matrix has it, opens the third entry and no other."""
    elements, errors = browse(html_document(lab_run()), tmp_path, "#f3")
    assert errors == []
    opened = re.findall(r'<details class="entry" id="(\w+)"[^>]* open', elements)
    assert opened == ["f3"]


@needs_browser
def test_nothing_hostile_runs(tmp_path: Path) -> None:
    """The browser finds no script of the server's to run or to refuse."""
    elements, errors = browse(html_document(hostile_run()), tmp_path)
    assert errors == []
    assert "<title>1 of 1 check failed" in elements


@needs_browser
def test_a_script_that_slipped_in_would_be_refused_and_seen(tmp_path: Path) -> None:
    """The broken twin: with an escape missing, the Content-Security-Policy still stops it."""
    slipped = b"<script>document.title = 'owned'</script></body>"
    document = html_document(lab_run()).replace(b"</body>", slipped)
    elements, errors = browse(document, tmp_path)
    assert len(errors) == 1
    assert f"<title>22 of {len(lab_run().findings)}" in elements
