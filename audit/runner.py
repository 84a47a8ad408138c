"""The checks run as pytest tests, from the command line of mailseal or of pytest alike."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TypeVar

import pytest

from audit import control, inventory, mail_domains
from audit.errors import UNDETERMINED, MailsealError
from audit.findings import Run
from audit.probe.address import Pace
from audit.session import Audit

CHECKS = Path(__file__).parent / "checks"
PLUGIN = "mailseal-driver"

T = TypeVar("T")


@dataclass
class Driver:
    """What the checks are driven by.

    Attributes:
        audit: what is planned and seen.
        step: called with the name of each endpoint and host that was looked at.
        error: why nothing could be looked at, if so.
    """

    audit: Audit
    step: Callable[[str], None] = lambda _: None
    error: MailsealError | None = None

    @classmethod
    def read(
        cls,
        path: str,
        limit: str = "",
        policies: Sequence[str] = (),
        pace: Pace = "normal",
        variables: Sequence[str] = (),
    ) -> "Driver":
        """Plan the audit of an inventory; *variables* are set beside those that it has.

        Raises:
            MailsealError: inventory or policy are missing or malformed.
        """
        hosts = inventory.read(path, limit, variables)
        return cls(Audit(path, hosts, policies, pace, whole=not limit))

    def ask(self) -> None:
        """Ask about the mail domains that the inventory names, and plan their checks too.

        Raises:
            MailsealError: the namespace cannot be entered, or a domain or a resolver is none.
        """
        audit = self.audit
        found = _there(
            audit.hosts,
            lambda: mail_domains.asked(
                audit.hosts, audit.measures[0].id, whole=audit.whole, until=audit.until
            ),
        )
        audit.judge_too(found)

    def look(self) -> None:
        """Look at everything, from the namespace that the inventory names.

        Raises:
            MailsealError: the namespace cannot be entered, or the prober is blind.
        """
        try:
            _there(self.audit.hosts, lambda: self.audit.look(self.step))
        except MailsealError as error:
            self.error = error
            raise


def _there(hosts: Iterable[inventory.Host], act: Callable[[], T]) -> T:
    """Do something in the namespace that the inventory names.

    Only that: whoever tells what was found, or keeps it, stays where he was.
    """

    def entered() -> T:
        control.enter(hosts)  # a thread's, and that of all it starts
        return act()

    looker = ThreadPoolExecutor(1, "look")
    try:
        return looker.submit(entered).result()
    finally:  # somebody may have pressed Ctrl-C, and waits for nothing
        looker.shutdown(wait=False)


def run(driver: Driver) -> Run:
    """Run every planned check and give the run.

    Raises:
        MailsealError: the prober is blind, or not every planned check was made.
    """
    # The tests' own report is silenced: the findings go through mailseal's reporters.
    arguments = [
        str(CHECKS),
        "-c",
        str(CHECKS / "pytest.ini"),
        "-q",
        "-q",
        "--tb=no",
        "--no-header",
    ]
    noise = StringIO()

    class Plugin:
        """Hands the driver to the checks."""

        mailseal = driver

    plugin = Plugin()
    with redirect_stdout(noise):
        code = pytest.main(arguments, plugins=[plugin])
    if driver.error is not None:
        raise driver.error
    if code == pytest.ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    done = driver.audit.run()
    if done.executed != done.planned:
        words = (
            f"{done.executed} of {done.planned} planned checks were made (pytest ended with {code})"
        )
        raise MailsealError(words, UNDETERMINED)
    return done
