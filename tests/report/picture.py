"""The pictures of the README: `python -m tests.report.picture docs`."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from audit.report.html import html_document
from audit.report.rollout_page import rollout_page
from audit.report.traffic_page import traffic_page
from tests.report.browser import chromium, visit
from tests.report.report_factories import lab_past, lab_run
from tests.report.traffic_figures import figures
from tests.rollout.rollout_factories import stopped, told

_WIDTH, _HEIGHT = 1200, 1180


def main(directory: Path) -> None:
    """Write the upper parts of a bad night, of a rollout that was stopped, of TLS in numbers."""
    pages = {
        "report.png": html_document(lab_run(), lab_past()),
        "rollout.png": rollout_page(told(stopped())),
        "traffic.png": traffic_page(figures()),
    }
    with TemporaryDirectory() as name, chromium(Path(name), _WIDTH, _HEIGHT) as driver:
        for file, page in pages.items():
            visit(driver, page, Path(name))
            driver.save_screenshot(str(directory / file))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
