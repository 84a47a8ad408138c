"""What all tests share: a PKI, and the count of checks that a broken fixture was shown to fail."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from audit.judge.catalogue import CATALOGUE
from lab import machine
from tests import commands
from tests.servers import Pki, make_pki

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

# No test writes into the history of this machine.
os.environ["MAILSEAL_HISTORY"] = "none"

_BREAKS = "breaks"
_LAB = "tests/lab/"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what asks for the tests that are too long for every run."""
    words = "also what takes too long for every run, such as builds of whole libraries"
    parser.addoption("--long", action="store_true", help=words)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is too long, and say why."""
    for item in items:
        for marker in item.iter_markers("long"):
            if not config.getoption("--long"):
                item.add_marker(pytest.mark.skip(reason=f"{marker.args[0]}: make test-long"))


class _ByFile(LoadFileScheduling):  # type: ignore[misc]
    """A file's fixtures are made once, and the machine has one lab."""

    def _split_scope(self, nodeid: str) -> str:
        return _LAB if nodeid.startswith(_LAB) else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    """Say which tests share a process, where there are several (`pytest -n`)."""
    return _ByFile(config, log)


def pytest_configure(config: pytest.Config) -> None:
    """Tell the markers that take arguments."""
    marker = "breaks(*checks): passes only if these checks fail on a broken fixture"
    config.addinivalue_line("markers", marker)
    config.addinivalue_line("markers", "asks(*behaviours): the prober asks for these alone")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Note in each report what the test is marked with by `breaks`."""
    report: pytest.TestReport = yield  # type: ignore[assignment]
    report.user_properties.extend(
        (_BREAKS, check) for marker in item.iter_markers(_BREAKS) for check in marker.args
    )
    return report  # type: ignore[return-value]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many checks have a broken fixture that they fail on, and which have none."""
    passed = (r for r in terminalreporter.getreports("passed") if r.when == "call")
    noted = (one for report in passed for one in report.user_properties)
    if not (shown := {check for name, check in noted if name == _BREAKS}):
        return
    line = f"mailseal: {len(shown)} of {len(CATALOGUE)} checks have a broken fixture they fail on"
    missing = [check for check in CATALOGUE if check not in shown]
    terminalreporter.write_line(line + (f"; not: {', '.join(missing)}" if missing else ""))


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """One PKI for the whole run."""
    return make_pki(Path(tmp_path_factory.mktemp("pki")))


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Chrome"]:
    """One Chromium for all pages."""
    from tests.report.browser import chromium

    with chromium(tmp_path_factory.mktemp("browser")) as driver:
        yield driver


@pytest.fixture(scope="session")
def namespaces() -> None:
    """Skips, with the reason, what needs hosts of our own where there can be none."""
    if os.geteuid() != 0:
        pytest.skip("namespaces need root")
    if absent := machine.missing(build=True):
        pytest.skip(f"namespaces need {', '.join(absent)}")


@pytest.fixture(scope="session")
def lab(namespaces: None) -> Iterator[commands.Lab]:
    """The lab's command line; whether a lab was up, and in which size, is the same afterwards."""
    size = json.loads(commands.lab("status", "--json").stdout)["size"]
    if size != "small":
        commands.lab("down")
    yield commands.lab
    now = json.loads(commands.lab("status", "--json").stdout)["size"]
    if now != size:
        commands.lab("down")
        if size:
            commands.lab("up", "--size", size)


@pytest.fixture
def up(lab: commands.Lab) -> commands.Lab:
    """The lab's command line, with the lab up in size small."""
    done = lab("up")
    assert done.returncode == 0, done.stderr
    return lab


@pytest.fixture(scope="module")
def hardened(lab: commands.Lab) -> commands.Lab:
    """The lab's command line, with every host rolled out and unbroken."""
    done = lab("up")
    assert done.returncode == 0, done.stderr
    lab("mend", "--all")
    done = commands.playbook()
    assert done.returncode == 0, done.stdout[-3000:]
    return lab
