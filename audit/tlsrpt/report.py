"""A TLS report as RFC 8460, section 4.4, has it, and as its senders write it. Pure.

What senders are known to do otherwise is taken: no policy domain where no policy was found, one
string in place of a list, null in place of nothing, no address of the sender, two other spellings.
Everything else must be as it is written there, or the report is refused.
"""

from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from audit.errors import MALFORMED

PolicyType = Literal["tlsa", "sts", "no-policy-found"]

_MOST_DETAILS = 20_000  # of all policies of a report; what large senders write has hundreds
_BOM = b"\xef\xbb\xbf"

_Count = Annotated[int, Meta(ge=0, le=2**53, description="sessions")]
_Moment = Annotated[str, Meta(description="RFC 3339", extra_json_schema={"format": "date-time"})]
_Texts = list[str] | str | None


class RefusedError(ValueError):
    """What came is no report that can be read; the sentence says why."""


class DateRange(Struct, frozen=True, rename="kebab"):
    """The time that is reported on: a day in UTC, mostly."""

    start_datetime: _Moment
    end_datetime: _Moment


class Policy(Struct, frozen=True, rename="kebab", omit_defaults=True):
    """What the sender applied.

    Attributes:
        policy_type: a `PolicyType`, or what the sender calls it.
        policy_domain: the domain that mail was sent to.
        policy_string: the records or lines of the policy.
        mx_host, mx_host_pattern: the hosts that an MTA-STS policy allows.
    """

    policy_type: str
    policy_domain: str | None = None
    policy_string: _Texts = None
    mx_host: _Texts = None
    mx_host_pattern: _Texts = None


class Summary(Struct, frozen=True, rename="kebab"):
    """How many sessions came about, and how many did not."""

    total_successful_session_count: _Count
    total_failure_session_count: _Count


class FailureDetail(Struct, frozen=True, rename="kebab", omit_defaults=True):
    """Sessions that failed alike.

    Attributes:
        result_type: why; see `results`.
        failed_session_count: how many.
        sending_mta_ip, receiving_ip: of whom, and where.
        receiving_mx_hostname, receiving_mx_helo: the host by DNS, and by its own account.
        additional_information, additional_information_uri: where more can be read.
        failure_reason_code: what the sender's library says.
    """

    result_type: str
    failed_session_count: _Count
    sending_mta_ip: str | None = None
    receiving_mx_hostname: str | None = None
    receiving_mx_helo: str | None = None
    receiving_ip: str | None = None
    additional_information: str | None = None
    additional_information_uri: str | None = None
    failure_reason_code: str | None = None


class Result(Struct, frozen=True, rename="kebab"):
    """What came of one policy."""

    policy: Policy
    summary: Summary
    failure_details: list[FailureDetail] | None = None

    @property
    def details(self) -> list[FailureDetail]:
        """Those that there are."""
        return self.failure_details or []


class Report(Struct, frozen=True, rename="kebab"):
    """A TLS report (RFC 8460): one sender, one time, one domain mostly."""

    organization_name: str
    date_range: DateRange
    report_id: str
    policies: Annotated[list[Result], Meta(min_length=1)]
    contact_info: str | None = None


_DECODER = msgspec.json.Decoder(Report)


def decode(content: bytes) -> Report:
    """The report that a JSON document is.

    Raises:
        RefusedError: it is none.
    """
    try:
        report = _DECODER.decode(content.removeprefix(_BOM))
    except MALFORMED as error:
        raise RefusedError(f"no report of RFC 8460: {error}") from None
    if sum(len(one.details) for one in report.policies) > _MOST_DETAILS:
        raise RefusedError(f"more than {_MOST_DETAILS:,} details of failures")
    first, last = period(report)
    if last < first:
        raise RefusedError("the time that it reports on ends before it begins")
    return report


def encode(report: Report) -> bytes:
    """The report as its receiver gets it."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def period(report: Report) -> tuple[datetime, datetime]:
    """From when until when, in UTC; a time without zone is taken to be UTC, as the RFC wants it.

    Raises:
        RefusedError: it is no time.
    """
    return _moment(report.date_range.start_datetime), _moment(report.date_range.end_datetime)


def _moment(stamp: str) -> datetime:
    try:
        time = datetime.fromisoformat(stamp)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):  # the first and last days that there are, in another zone
        raise RefusedError(f"{stamp[:40]!r} is no time") from None
