"""The HTML report in a real browser: filter, entries, keyboard, and what is hostile stays text."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

from audit.report.html import html_document
from tests.report.browser import CHROMIUM, DRIVER, console, emulate, visit
from tests.report.report_factories import (
    HOSTILE,
    hostile_past,
    hostile_run,
    lab_past,
    lab_run,
    worst_run,
)

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="no Chromium and chromedriver on this machine"
)

PAGE = html_document(lab_run(), lab_past())


@pytest.fixture
def page(browser: Chrome, tmp_path: Path) -> Iterator[Chrome]:
    """The report of a bad night; a complaint of the browser is a failure."""
    visit(browser, PAGE, tmp_path)
    yield browser
    assert console(browser) == []


def shown(page: Chrome, css: str) -> list[str]:
    """The words of the elements that are not hidden."""
    script = """
      return [...document.querySelectorAll(arguments[0])]
        .filter((e) => e.checkVisibility()).map((e) => e.textContent);
    """
    found: list[str] = page.execute_script(script, css)
    return found


def checks(page: Chrome) -> list[str]:
    """The checks of the entries that are shown."""
    return shown(page, "details.entry .id")


def choose(page: Chrome, facet: str, text: str) -> None:
    """Pick one of a list."""
    Select(page.find_element(By.ID, f"only-{facet}")).select_by_visible_text(text)


def told(page: Chrome) -> str:
    """What the filter says of itself."""
    return page.find_element(By.ID, "shown").text


def test_without_a_filter_everything_is_shown(page: Chrome) -> None:
    """All entries, closed, and the filter ready."""
    assert len(checks(page)) == 8
    assert not page.find_elements(By.CSS_SELECTOR, "details.entry[open]")
    assert page.find_element(By.ID, "filter").is_displayed()
    assert told(page) == ""


def test_words_leave_what_has_all_of_them(page: Chrome) -> None:
    """Entries, changes, rows of tables; sections in which nothing is left go away."""
    page.find_element(By.ID, "filter").send_keys("imap2 tls10")
    assert checks(page) == ["MT-TLS10"]
    assert told(page) == "1 of 8 entries"
    assert set(shown(page, ".matrix tbody th")) == {"imap2"}
    assert not shown(page, "#section-waived")


@pytest.mark.parametrize(
    ("facet", "text", "expected"),
    [
        ("host", "imap2", ["MT-TLS10", "MT-CIPHER-SET"]),
        ("verdict", "? inconclusive", ["MT-CURVES"]),
        ("severity", "critical", ["MT-KEY-PERM", "MT-AUTH-BEFORE-TLS", "MT-LOGIN-REFUSED"]),
    ],
)
def test_each_list_leaves_what_fits(
    page: Chrome, facet: str, text: str, expected: list[str]
) -> None:
    """Host, verdict and severity; the first choice takes it back."""
    choose(page, facet, text)
    assert checks(page) == expected
    assert told(page) == f"{len(expected)} of 8 entries"
    choose(page, facet, f"every {facet}")
    assert len(checks(page)) == 8


def test_lists_and_words_work_together(page: Chrome) -> None:
    """What is left fits all of them; changes are filtered too."""
    choose(page, "verdict", "✕ failed")
    choose(page, "host", "imap1")
    page.find_element(By.ID, "filter").send_keys("login-refused")
    assert checks(page) == ["MT-LOGIN-REFUSED"]
    assert shown(page, ".shifts .id") == ["MT-LOGIN-REFUSED"]


def test_a_link_can_carry_a_filter(browser: Chrome, tmp_path: Path) -> None:
    """#filter= and words."""
    visit(browser, PAGE, tmp_path, "#filter=imap2%20tls10")
    assert checks(browser) == ["MT-TLS10"]


def test_a_link_to_an_entry_opens_it_whatever_was_filtered(page: Chrome) -> None:
    """It takes the filter back, opens that entry alone, and puts the focus on it."""
    page.find_element(By.ID, "filter").send_keys("nothing has this")
    assert checks(page) == []
    page.execute_script("location.hash = '#f3'")
    (opened,) = page.find_elements(By.CSS_SELECTOR, "details.entry[open]")
    assert opened.get_attribute("id") == "f3"
    assert opened.is_displayed()
    assert "MT-AUTH-BEFORE-TLS" in page.switch_to.active_element.text
    for words in ("Why it matters", "How to fix", "allowplaintext: no", "RFC 8314, section 3"):
        assert words in opened.text


def test_all_entries_open_and_close_at_once(page: Chrome) -> None:
    """Those that are shown."""
    choose(page, "host", "imap2")
    page.find_element(By.ID, "open-all").click()
    assert len(page.find_elements(By.CSS_SELECTOR, "details.entry[open]")) == 2
    page.find_element(By.ID, "close-all").click()
    assert not page.find_elements(By.CSS_SELECTOR, "details.entry[open]")


def test_everything_is_reached_by_the_keyboard(page: Chrome) -> None:
    """The first Tab leads past the head; / to the filter; Enter opens an entry, seen in focus."""
    page.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    skip = page.switch_to.active_element
    assert skip.text == "Skip to the results"
    assert skip.rect["x"] >= 0
    page.find_element(By.TAG_NAME, "body").send_keys("/")
    assert page.switch_to.active_element.get_attribute("id") == "filter"
    page.switch_to.active_element.send_keys("a/b")
    assert page.switch_to.active_element.get_attribute("value") == "a/b"
    page.switch_to.active_element.send_keys(Keys.ESCAPE)
    for _ in range(40):
        page.switch_to.active_element.send_keys(Keys.TAB)
        if page.switch_to.active_element.tag_name == "summary":
            break
    summary = page.switch_to.active_element
    outline = page.execute_script("return getComputedStyle(arguments[0]).outlineStyle", summary)
    assert outline == "solid"
    summary.send_keys(Keys.ENTER)
    assert page.find_element(By.CSS_SELECTOR, "details.entry[open] summary") == summary


def test_light_and_dark_are_told_apart_and_both_readable(page: Chrome) -> None:
    """Text and what it stands on have a contrast of 4.5 or more (WCAG 2, level AA)."""
    for scheme in ("light", "dark"):
        emulate(page, scheme=scheme)
        for css in ("h1", ".lead", ".severity", ".shifts .where", "a.cell.fail", ".trend text"):
            assert contrast(page, css) >= 4.5, (scheme, css)
    emulate(page)


def contrast(page: Chrome, css: str) -> float:
    """Of the first such element, by WCAG's formula."""
    script = """
      const found = document.querySelector(arguments[0]);
      const ink = getComputedStyle(found)[found.closest("svg") ? "fill" : "color"];
      let ground = found;
      while (/^rgba\\(.*, 0\\)$/.test(getComputedStyle(ground).backgroundColor))
        ground = ground.parentElement;
      return [ink, getComputedStyle(ground).backgroundColor];
    """
    ink, ground = (luminance(c) for c in page.execute_script(script, css))
    return (max(ink, ground) + 0.05) / (min(ink, ground) + 0.05)


def luminance(colour: str) -> float:
    """Of rgb(1, 2, 3)."""
    parts = [int(part) / 255 for part in colour.strip("rgba()").split(",")[:3]]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(p * weight for p, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


def test_on_paper_every_entry_is_open_and_nothing_is_there_to_click(page: Chrome) -> None:
    """The filter is gone, and what is closed on the screen is printed."""
    emulate(page, media="print")
    assert not shown(page, "#tools, nav")
    page.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert len(shown(page, "details.entry .body")) == 8
    page.execute_script("dispatchEvent(new Event('afterprint'))")
    assert not page.find_elements(By.CSS_SELECTOR, "details.entry[open]")
    emulate(page)


def test_hostile_text_is_shown_and_runs_nothing(browser: Chrome, tmp_path: Path) -> None:
    """Banners, names of certificates and hosts: not even a refused attempt is on the console."""
    visit(browser, html_document(hostile_run(), hostile_past()), tmp_path)
    assert console(browser) == []
    assert browser.title.startswith("1 of 3 checks failed")
    assert len(browser.find_elements(By.TAG_NAME, "script")) == 1
    assert not browser.find_elements(By.CSS_SELECTOR, "img, iframe, [onload], [onerror]")
    browser.find_element(By.ID, "open-all").click()
    visible = HOSTILE.replace("\x00", r"\x00").replace("\u202e", r"\u202e")
    assert visible in browser.find_element(By.CSS_SELECTOR, "details.entry pre").text
    choose(browser, "host", browser.find_elements(By.CSS_SELECTOR, "#only-host option")[1].text)
    assert len(checks(browser)) == 3


def test_a_script_that_slipped_in_would_be_refused_and_seen(
    browser: Chrome, tmp_path: Path
) -> None:
    """The broken twin: with an escape missing, the Content-Security-Policy still stops it."""
    slipped = b"<script>document.title = 'owned'</script></body>"
    visit(browser, PAGE.replace(b"</body>", slipped), tmp_path)
    assert len(console(browser)) == 1
    assert browser.title.startswith("22 of 1,325 checks failed")


def test_ten_thousand_failures_can_still_be_filtered(browser: Chrome, tmp_path: Path) -> None:
    """Each with words of its own; the bound is for a busy machine, an idle one answers at once."""
    visit(browser, html_document(worst_run()), tmp_path)
    script = """
      const box = document.getElementById("filter"), start = performance.now();
      box.value = "imap3 tls10"; box.dispatchEvent(new Event("input"));
      document.body.offsetHeight; return performance.now() - start;
    """
    assert browser.execute_script(script) < 10_000
    assert set(checks(browser)) == {"MT-TLS10"}
