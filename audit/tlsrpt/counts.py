"""What sessions are counted by. Pure."""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from audit.tlsrpt.report import PolicyType
from audit.tlsrpt.results import ResultType


class Day(NamedTuple):
    """A day in UTC, YYYY-MM-DD, and a domain that was sent to, in its log's spelling."""

    day: str
    domain: bytes


class Why(NamedTuple):
    """Sessions that failed alike."""

    policy: PolicyType
    result: ResultType
    host: bytes
    ip: bytes
    words: bytes


@dataclass(slots=True)
class Counts:
    """What came of the sessions with a domain on a day.

    Attributes:
        ok: by what was applied.
        failed: by everything that is known of them.
        clear: mails that went in clear; why is not in the log.
    """

    ok: Counter[PolicyType] = field(default_factory=Counter)
    failed: Counter[Why] = field(default_factory=Counter)
    clear: int = 0
