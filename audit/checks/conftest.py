"""The checks as pytest tests: planned from inventory and policy, each asserts one finding.

    pytest audit/checks --hosts=imap --ansible-inventory=inventory/lab

A failure is a failed test; "could not be determined" is an error, never a pass.
"""

from collections.abc import Iterator

import pytest

from audit.errors import MailsealError
from audit.findings import Finding
from audit.judge.bench import Planned
from audit.runner import Driver

_DRIVER = pytest.StashKey[Driver]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our options beside testinfra's --hosts and --ansible-inventory."""
    group = parser.getgroup("mailseal")
    group.addoption(
        "--mailseal-policy",
        action="append",
        default=[],
        help="judge by this policy: id or file; may be given several times",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Plan the run, unless `mailseal audit` has done so."""
    for plugin in config.pluginmanager.get_plugins():
        if isinstance(driver := getattr(plugin, "mailseal", None), Driver):
            config.stash[_DRIVER] = driver
            return
    path = config.getoption("--ansible-inventory")
    if not path:
        raise pytest.UsageError("the checks need --ansible-inventory=FILE")
    limit = (config.getoption("--hosts") or "all").replace("ansible://", "")
    try:
        policies = config.getoption("--mailseal-policy")
        driver = Driver.read(path, "" if limit == "all" else limit, policies)
        driver.ask()
    except MailsealError as error:
        raise pytest.UsageError(str(error)) from None
    config.stash[_DRIVER] = driver


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each planned check."""
    if "planned" in metafunc.fixturenames:
        metafunc.parametrize("planned", metafunc.config.stash[_DRIVER].audit.plan, ids=str)


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Iterator[None]:
    """Look at everything at once, before the tests ask about it one by one."""
    if session.items and not session.config.option.collectonly:
        try:
            session.config.stash[_DRIVER].look()
        except MailsealError as error:
            raise session.Failed(str(error)) from None
    return (yield)


@pytest.fixture
def finding(request: pytest.FixtureRequest, planned: Planned) -> Finding:
    """The finding of the planned check; what could not be determined is an error."""
    found = request.config.stash[_DRIVER].audit.finding(planned)
    if found.verdict == "inconclusive":
        pytest.fail(f"{found.check}: {found.observed}: {found.evidence}", pytrace=False)
    if found.verdict == "not-applicable":
        pytest.skip(found.observed)
    if found.waiver:
        pytest.skip(f"waived {found.waiver.accepted}: {found.observed}")
    return found


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many of the planned checks were made: a check that vanishes must be seen."""
    run = terminalreporter.config.stash[_DRIVER].audit.run()
    for notice in run.notices:
        terminalreporter.write_line(f"mailseal: {notice}")
    terminalreporter.write_line(f"mailseal: {run.executed} of {run.planned} planned checks made")
