"""The page of TLS in numbers in a real browser: by keyboard, in light, in the dark, on paper."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from audit.report.traffic_page import traffic_page
from tests.report.browser import CHROMIUM, DRIVER, console, emulate, visit
from tests.report.traffic_figures import figures

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="no Chromium and chromedriver on this machine"
)
_SHOWN = "return [...document.querySelectorAll(arguments[0])].filter((e) => e.checkVisibility())"
_READABLE = 10  # pixels
_STYLE = "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]"


@pytest.fixture
def seen(browser: Chrome, tmp_path: Path) -> Iterator[Chrome]:
    """The page; a complaint of the browser is a failure."""
    visit(browser, traffic_page(figures()), tmp_path)
    yield browser
    emulate(browser)
    assert console(browser) == []


def test_the_filter_finds_who_was_refused_from_the_keyboard(seen: Chrome) -> None:
    """A slash and a name; the sections without it are gone, and how many are left is said."""
    seen.find_element(By.TAG_NAME, "body").send_keys("/")
    seen.switch_to.active_element.send_keys("otto")
    rows = seen.execute_script(f"{_SHOWN}.map((e) => e.textContent)", "tr[data-find]")
    assert rows == ["otto192.0.2.771,2042026-11-28"]
    assert seen.execute_script(f"{_SHOWN}.length", "main > section") == 1
    assert seen.find_element(By.ID, "shown").text.startswith("1 of ")
    assert seen.find_element(By.ID, "shown").text.endswith(" rows")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_have_colours_in_light_and_in_the_dark(seen: Chrome, scheme: str) -> None:
    """Incoming and outgoing are told apart, and so are versions."""
    emulate(seen, scheme=scheme)
    dark = seen.execute_script(_STYLE, "body", "backgroundColor") == "rgb(20, 23, 27)"
    assert dark == (scheme == "dark")
    drawn = (
        "figure.shares .color-0 .rect",
        "figure.shares .color-1 .rect",
        *(f".versions-drawn .version-{version}" for version in (2, 3, 4, 5, "unknown")),
    )
    fills = [seen.execute_script(_STYLE, one, "fill") for one in drawn]
    assert len(set(fills)) == len(fills)
    assert "none" not in fills


def test_a_narrow_page_does_not_scroll_sideways(seen: Chrome) -> None:
    """Tables do, the page does not."""
    seen.execute_script("document.body.style.width = '26rem'")
    assert seen.execute_script("return document.body.scrollWidth <= 26 * 16")


def test_letters_in_a_picture_can_be_read_on_a_telephone(seen: Chrome) -> None:
    """The picture is moved then, beginning with the newest; the page is as wide as the screen."""
    screen = {"width": 420, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    seen.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    try:
        heights = seen.execute_script(
            "return [...document.querySelectorAll('.shares svg text')]"
            ".filter(t => t.textContent).map(t => t.getBoundingClientRect().height)"
        )
        assert min(heights) >= _READABLE
        assert seen.execute_script("return document.documentElement.scrollWidth") <= screen["width"]
        last = seen.execute_script(
            "return [...document.querySelectorAll('.shares .x text')].at(-1)"
            ".getBoundingClientRect().right"
        )
        assert last <= screen["width"]
    finally:
        seen.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_paper_has_every_table_and_no_tools(seen: Chrome) -> None:
    """All rows are there, without the filter."""
    emulate(seen, media="print")
    assert not seen.find_element(By.ID, "tools").is_displayed()
    rows = seen.execute_script(f"{_SHOWN}.length", "tr[data-find]")
    assert rows == len(seen.find_elements(By.CSS_SELECTOR, "tr[data-find]"))
