"""The page in a real browser: whom to phone, by mouse and keyboard, in light and in the dark."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By

from tests.report.browser import CHROMIUM, DRIVER, console, emulate, visit
from tests.whatif.picture import answer, page

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="no Chromium and chromedriver on this machine"
)
_SHOWN = "return [...document.querySelectorAll(arguments[0])].filter((e) => e.checkVisibility())"


@pytest.fixture
def seen(browser: Chrome, tmp_path: Path) -> Iterator[Chrome]:
    """The page; a complaint of the browser is a failure."""
    visit(browser, page(), tmp_path)
    yield browser
    emulate(browser)
    assert console(browser) == []


def _shown(seen: Chrome, css: str) -> list[str]:
    found: list[str] = seen.execute_script(f"{_SHOWN}.map((e) => e.textContent)", css)
    return found


def test_everybody_who_breaks_is_there_the_heaviest_first(seen: Chrome) -> None:
    """And what the picture shows is in the list too."""
    broken = [row for row in answer().clients if row.verdict == "break"]
    names = _shown(seen, "section.fail .entry .id")
    assert names == [row.user or row.client for row in broken]
    assert len(_shown(seen, "figure.breakers rect.rect")) == min(len(broken), 15)
    assert "11 users and 2 hosts would be hurt" in seen.find_element(By.TAG_NAME, "h1").text


def test_the_filter_finds_a_user_and_the_keyboard_opens_the_evidence(seen: Chrome) -> None:
    """From the slash to the evidence without a mouse."""
    seen.find_element(By.TAG_NAME, "body").send_keys("/")
    seen.switch_to.active_element.send_keys("otto")
    assert set(_shown(seen, "details.entry .id")) == {"otto"}
    entry = seen.find_element(By.CSS_SELECTOR, "details.entry:not([hidden]) summary")
    entry.send_keys(Keys.ENTER)
    assert any("the server preferred them" in words for words in _shown(seen, ".body dd"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_what_is_behind_them(seen: Chrome, scheme: str) -> None:
    """In light and in the dark the page has colours of its own, and bars have a colour."""
    emulate(seen, scheme=scheme)
    style = "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]"
    dark = seen.execute_script(style, "body", "backgroundColor") == "rgb(20, 23, 27)"
    assert dark == (scheme == "dark")
    fill = seen.execute_script(style, "figure.breakers .rect", "fill")
    assert fill not in ("none", "rgb(0, 0, 0)")


def test_a_narrow_page_does_not_scroll_sideways(seen: Chrome) -> None:
    """Only the table does, inside of its frame."""
    width = "return [document.documentElement.scrollWidth, innerWidth]"
    seen.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 400, "height": 900, "deviceScaleFactor": 1, "mobile": False},
    )
    wide, inner = seen.execute_script(width)
    seen.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 1240, "height": 1400, "deviceScaleFactor": 1, "mobile": False},
    )
    assert wide <= inner
