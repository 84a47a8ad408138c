"""Our own reports: what came of sessions with a domain on a day, as RFC 8460 has it. Pure.

Only what is known is in them. The log has no TLSA records, so these have no policy-string; and no
address of ours for what failed, so sending-mta-ip is what the operator says, or missing.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from typing import NamedTuple, get_args

import msgspec

from audit.errors import MailsealError
from audit.names import to_ascii
from audit.tlsrpt.applied import Policies
from audit.tlsrpt.counts import Counts, Day, Why
from audit.tlsrpt.report import (
    DateRange,
    FailureDetail,
    Policy,
    PolicyType,
    Report,
    Result,
    Summary,
)
from audit.wire import mta_sts

_DIGEST = 12  # characters
_LONGEST = 500  # characters of a reason


class Sender(NamedTuple):
    """Who reports.

    Attributes:
        organization: its name.
        contact: the address of who answers questions.
        ip: the address that mail is sent from; empty: left out.
    """

    organization: str
    contact: str
    ip: str = ""

    @property
    def submitter(self) -> str:
        """The domain that reports come from."""
        return self.contact.rpartition("@")[2]


class Own(NamedTuple):
    """One report of ours.

    Attributes:
        day: in UTC.
        domain: whom it is for, in A-labels.
        report: what it says.
    """

    day: date
    domain: str
    report: Report

    @property
    def name(self) -> str:
        """Its file, without what kind it is (RFC 8460, section 5.1)."""
        submitter = (self.report.contact_info or "").rpartition("@")[2]
        begin = datetime.combine(self.day, time(), UTC)
        end = begin + timedelta(days=1, seconds=-1)
        return f"{submitter}!{self.domain}!{begin.timestamp():.0f}!{end.timestamp():.0f}"


def compose(
    counts: dict[Day, Counts], sender: Sender, policies: Policies | None = None
) -> Iterator[Own]:
    """A report for each domain and day that there is something to say of, in this order.

    Args:
        counts: what came of the sessions.
        sender: who reports.
        policies: those of MTA-STS that are known.
    """
    for key in sorted(counts):
        try:
            domain = to_ascii(key.domain.decode(), "")
        except (MailsealError, UnicodeDecodeError):  # an address in brackets, mostly
            continue
        sts = (policies or {}).get(key.domain)
        results = [
            one
            for kind in get_args(PolicyType)
            if (one := _result(_policy(domain, kind, sts), counts[key], sender))
        ]
        if domain and results:
            yield Own(
                date.fromisoformat(key.day), domain, _report(key.day, domain, results, sender)
            )


def _report(day: str, domain: str, results: list[Result], sender: Sender) -> Report:
    digest = sha256(msgspec.json.encode(results)).hexdigest()[:_DIGEST]
    return Report(
        organization_name=sender.organization,
        date_range=DateRange(f"{day}T00:00:00Z", f"{day}T23:59:59Z"),
        # The same again has the same id, and more of the same day another.
        report_id=f"{day.replace('-', '')}.{digest}.{domain}@{sender.submitter}",
        policies=results,
        contact_info=sender.contact,
    )


def _policy(domain: str, kind: PolicyType, sts: mta_sts.Policy | None) -> Policy:
    if kind != "sts" or sts is None:
        return Policy(kind, domain)
    return Policy(kind, domain, list(sts.lines), list(sts.mx) or None)


def _result(policy: Policy, counts: Counts, sender: Sender) -> Result | None:
    failed = {w: count for w, count in counts.failed.items() if w.policy == policy.policy_type}
    ok = sum(count for kind, count in counts.ok.items() if kind == policy.policy_type)
    if not ok and not failed:
        return None
    return Result(
        policy,
        Summary(ok, sum(failed.values())),
        [_detail(why, failed[why], sender) for why in sorted(failed)],
    )


def _detail(why: Why, count: int, sender: Sender) -> FailureDetail:
    return FailureDetail(
        result_type=why.result,
        failed_session_count=count,
        sending_mta_ip=sender.ip or None,
        receiving_mx_hostname=_text(why.host),
        receiving_ip=_text(why.ip),
        failure_reason_code=_text(why.words),
    )


def _text(words: bytes) -> str | None:
    return words.decode("utf-8", "backslashreplace").strip()[:_LONGEST] or None
