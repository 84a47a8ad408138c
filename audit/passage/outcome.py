"""What an errand ends with, and the one table from how it ended to a verdict. Pure."""

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct

from audit.account import Account
from audit.facts import Endpoint
from audit.findings import COMPLIANT, FAILED, UNDETERMINED

Verdict = Literal["pass", "fail", "not-tried"]
End = Literal[
    "done",
    "refused",  # the server said no, for good
    "busy",  # the server said: later
    "broken",  # no answer, not in time, not to be understood, or the connection ended
    "untrusted",  # the certificate does not prove who the server is
    "lost",  # accepted, but not where it was sent
    "no-way",  # this machine cannot reach it
    "unfit",  # what it takes is not in the inventory, or not in this program
]
# The verdict, and whether the same may come to a better end later.
_MEANING: Mapping[End, tuple[Verdict, bool]] = {
    "done": ("pass", False),
    "refused": ("fail", False),
    "busy": ("not-tried", True),
    "broken": ("fail", True),
    "untrusted": ("fail", False),
    "lost": ("fail", False),
    "no-way": ("not-tried", True),
    "unfit": ("not-tried", False),
}
_LONGEST = 1000  # characters of a server's words
_HIDDEN = "[password]"


class Stopped(Exception):
    """An errand does not go on.

    Attributes:
        end: how it ended.
        words: why, mostly in the server's own words.
    """

    def __init__(self, end: End, words: str) -> None:
        """Take both."""
        super().__init__(words)
        self.end = end
        self.words = words


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of one errand.

    Attributes:
        endpoint: where.
        end: how it ended.
        step: what was being done when it ended; empty if all was done.
        words: why it ended there; what the server says may be anything.
        message: the Message-ID of the mail that was accepted; empty if none was.
        seconds: wall time.
    """

    endpoint: Endpoint
    end: End
    step: str = ""
    words: str = ""
    message: str = ""
    seconds: float = 0.0

    @property
    def verdict(self) -> Verdict:
        """Passed, failed, or not tried: never read as passed."""
        return _MEANING[self.end][0]

    @property
    def again(self) -> bool:
        """Whether it may end better later, as after a restart."""
        return _MEANING[self.end][1]


def harmless(words: str, accounts: Iterable[Account]) -> str:
    """The words without any form of a password: some servers repeat what they do not like."""
    for account in accounts:
        for secret in account.secrets:
            words = words.replace(secret, _HIDDEN)
    return words[:_LONGEST].encode("utf-8", "backslashreplace").decode()


def exit_code(outcomes: Iterable[Outcome]) -> int:
    """0 all passed, 1 something failed, 3 something was not tried, or there was nothing to try."""
    verdicts = {outcome.verdict for outcome in outcomes}
    if "fail" in verdicts:
        return FAILED
    return COMPLIANT if verdicts == {"pass"} else UNDETERMINED
