"""The picture of the README: `python -m tests.report.picture docs/report.png`."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from audit.report.html import html_document
from tests.report.browser import chromium, visit
from tests.report.report_factories import lab_past, lab_run

_WIDTH, _HEIGHT = 1200, 1180


def main(path: Path) -> None:
    """Write the upper part of the report of a bad night."""
    with TemporaryDirectory() as name, chromium(Path(name), _WIDTH, _HEIGHT) as driver:
        visit(driver, html_document(lab_run(), lab_past()), Path(name))
        driver.save_screenshot(str(path))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
