"""The page of a rollout in a real browser: filter, details, keyboard, light and dark."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

from audit.report.rollout_page import rollout_page
from tests.report.browser import CHROMIUM, DRIVER, console, emulate, visit
from tests.report.test_report_browser import contrast, shown, told
from tests.rollout import rollout_factories as made
from tests.rollout.test_rollout_page import hostile

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="no Chromium and chromedriver on this machine"
)

PAGE = rollout_page(made.told(made.stopped()))


@pytest.fixture
def page(browser: Chrome, tmp_path: Path) -> Iterator[Chrome]:
    """The page of a rollout that was stopped; a complaint of the browser is a failure."""
    visit(browser, PAGE, tmp_path)
    yield browser
    assert console(browser) == []


def test_the_filter_leaves_what_fits(page: Chrome) -> None:
    """Words, host and state; batches in which nothing is left go away."""
    assert len(shown(page, "details.entry")) == 6
    page.find_element(By.ID, "filter").send_keys("auth-before-tls")
    assert shown(page, "details.entry > summary .id") == ["msa1"]
    assert told(page) == "1 of 6 entries"
    page.find_element(By.ID, "filter").send_keys(Keys.CONTROL, "a")
    page.find_element(By.ID, "filter").send_keys(Keys.DELETE)
    Select(page.find_element(By.ID, "only-state")).select_by_visible_text("↩ went back")
    assert shown(page, ".timeline tbody th[scope=row]") == ["msa1"]
    assert told(page) == "1 of 6 entries"


def test_a_host_of_the_picture_leads_to_its_details(page: Chrome) -> None:
    """Opened, with the focus on it; Enter closes it again."""
    page.find_element(By.LINK_TEXT, "msa1").send_keys(Keys.ENTER)
    (opened,) = page.find_elements(By.CSS_SELECTOR, "details.entry[open]")
    for words in ("AUTH PLAIN LOGIN is offered", "look whether it is back", "put back again"):
        assert words in opened.text
    page.switch_to.active_element.send_keys(Keys.ENTER)
    assert not page.find_elements(By.CSS_SELECTOR, "details.entry[open]")


def test_light_and_dark_are_readable_and_bars_are_there(page: Chrome) -> None:
    """Contrast 4.5 or more; lines of a difference have a sign beside their colour."""
    page.find_element(By.ID, "open-all").click()
    for scheme in ("light", "dark"):
        emulate(page, scheme=scheme)
        for css in ("h1", ".second", ".timeline .soft", ".diff ins", ".diff del", ".diff .at"):
            assert contrast(page, css) >= 4.5, (scheme, css)
        assert page.find_element(By.CSS_SELECTOR, ".lane rect.bar-change").rect["width"] > 5
    emulate(page)


def test_on_paper_every_host_is_open(page: Chrome) -> None:
    """The filter is gone."""
    emulate(page, media="print")
    assert not shown(page, "#tools")
    page.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert len(shown(page, "details.entry > .body")) == 6
    emulate(page)


def test_hostile_text_runs_nothing(browser: Chrome, tmp_path: Path) -> None:
    """Not even a refused attempt is on the console."""
    visit(browser, rollout_page(made.told(hostile())), tmp_path)
    assert console(browser) == []
    assert browser.title != "owned"
    assert len(browser.find_elements(By.TAG_NAME, "script")) == 1
    assert not browser.find_elements(By.CSS_SELECTOR, "img, iframe, [onload], [onerror]")
