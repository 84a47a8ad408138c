"""Reports put together: each counted once, however often and in whatever order it came. Pure.

A report is the same if everything in it is. Its id alone is no measure: some senders make it of
day and domain, so that those of two of them are alike, and whoever knows one could take another's
place. Where one organization says two things under one id, both count and that is said.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256

import msgspec

from audit.tlsrpt.document import (
    DomainDocument,
    FailureDocument,
    LapseDocument,
    OrganizationDocument,
    RefusedDocument,
    SessionsDocument,
    TlsReportsDocument,
    added,
)
from audit.tlsrpt.report import RefusedError, Report, Result, period
from audit.tlsrpt.results import OTHER, meaning

_MOST_OCTETS = 1 << 28  # of all reports together; each has a few thousand
_MOST_NAMED = 50  # addresses and reasons of one failure, the first ones by order
_LONGEST_DAYS = 2
_NO_DOMAIN = ""

Key = tuple[str, str, bytes]  # organization, report id, digest


@dataclass(slots=True)
class Pile:
    """What was found.

    Attributes:
        reports: each of them, and the domain that its mail or file says it is about.
        copies: how many came once more.
        refused: what should have been a report, and why it is none.
        without: mails without a report.
        others: files in directories that are something else.
    """

    reports: dict[Key, tuple[Report, str]] = field(default_factory=dict)
    copies: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)
    without: int = 0
    others: int = 0
    _octets: int = 0

    def add(self, report: Report, domain: str = "") -> None:
        """Put one on it.

        Args:
            report: what it says.
            domain: what it is about, should it not say so itself.

        Raises:
            RefusedError: there is no room for more.
        """
        packed = msgspec.json.encode(report)
        key = (report.organization_name, report.report_id, sha256(packed).digest())
        if key in self.reports:
            self.copies += 1
            known = self.reports[key][1]
            self.reports[key] = (report, min(filter(None, (known, domain)), default=""))
            return
        if self._octets + len(packed) > _MOST_OCTETS:
            raise RefusedError(f"more than {_MOST_OCTETS:,} bytes of reports in all: read fewer")
        self._octets += len(packed)
        self.reports[key] = (report, domain)


@dataclass(slots=True)
class _Failures:
    """Sessions that failed for one reason at one host."""

    count: int = 0
    sending: set[str] = field(default_factory=set)
    receiving: set[str] = field(default_factory=set)
    reasons: set[str] = field(default_factory=set)

    def document(self, result: str, host: str) -> FailureDocument:
        words = meaning(result)
        return FailureDocument(
            result=result,
            known=words is not OTHER,
            host=host,
            sessions=self.count,
            sending=sorted(self.sending)[:_MOST_NAMED],
            receiving=sorted(self.receiving)[:_MOST_NAMED],
            reasons=sorted(self.reasons)[:_MOST_NAMED],
            meaning=words.words,
            advice=words.advice,
        )


@dataclass(slots=True)
class _Organization:
    """What one organization says of one domain."""

    reports: set[Key] = field(default_factory=set)
    contacts: set[str] = field(default_factory=set)
    stretch: list[str] = field(default_factory=list)
    policies: defaultdict[str, list[int]] = field(
        default_factory=lambda: defaultdict(lambda: [0, 0])
    )
    failures: defaultdict[tuple[str, str], _Failures] = field(
        default_factory=lambda: defaultdict(_Failures)
    )

    def take(self, key: Key, report: Report, result: Result) -> None:
        """One policy of a report more."""
        self.reports.add(key)
        self.contacts |= {report.contact_info} - {None, ""}  # type: ignore[arg-type]
        self.stretch += [moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in period(report)]
        sessions = self.policies[result.policy.policy_type]
        sessions[0] += result.summary.total_successful_session_count
        sessions[1] += failed(result)
        for detail in result.details:
            host = (detail.receiving_mx_hostname or "").lower().removesuffix(".")
            one = self.failures[detail.result_type, host]
            one.count += detail.failed_session_count
            one.sending |= {detail.sending_mta_ip} - {None, ""}  # type: ignore[arg-type]
            one.receiving |= {detail.receiving_ip} - {None, ""}  # type: ignore[arg-type]
            one.reasons |= {detail.failure_reason_code} - {None, ""}  # type: ignore[arg-type]

    def document(self, name: str) -> OrganizationDocument:
        rows = sorted(self.failures.items(), key=lambda row: (-row[1].count, row[0]))
        policies = {one: SessionsDocument(*self.policies[one]) for one in sorted(self.policies)}
        return OrganizationDocument(
            organization=name,
            contacts=sorted(self.contacts)[:_MOST_NAMED],
            reports=len(self.reports),
            first=min(self.stretch),
            last=max(self.stretch),
            sessions=added(policies.values()),
            policies=policies,
            failures=[one.document(*key) for key, one in rows],
        )


def failed(result: Result) -> int:
    """Sessions that failed: where summary and details differ, the worse of both."""
    total = result.summary.total_failure_session_count
    return max(total, sum(one.failed_session_count for one in result.details))


def merged(pile: Pile) -> TlsReportsDocument:
    """What all reports say together."""
    found: defaultdict[str, defaultdict[str, _Organization]]
    found = defaultdict(lambda: defaultdict(_Organization))
    for key, (report, about) in pile.reports.items():
        for result in report.policies:
            found[_domain(result, about)][report.organization_name].take(key, report, result)
    domains = []
    for domain in sorted(found):
        organizations = [found[domain][name].document(name) for name in sorted(found[domain])]
        sessions = added(one.sessions for one in organizations)
        domains.append(DomainDocument(domain, sessions, organizations))
    return TlsReportsDocument(
        schema="mailseal/tlsrpt/1",
        reports=len(pile.reports),
        copies=pile.copies,
        without=pile.without,
        others=pile.others,
        refused=[RefusedDocument(*one) for one in sorted(pile.refused)],
        lapses=sorted(_lapses(pile), key=lambda one: (one.organization, one.report, one.words)),
        domains=domains,
    )


def _domain(result: Result, about: str) -> str:
    return (result.policy.policy_domain or about or _NO_DOMAIN).lower().removesuffix(".")


def _lapses(pile: Pile) -> Iterator[LapseDocument]:
    """What reports say that cannot be, or not be meant."""
    said: defaultdict[tuple[str, str], int] = defaultdict(int)
    for (organization, name, _), (report, about) in pile.reports.items():
        said[organization, name] += 1
        first, last = period(report)
        if (last - first).days >= _LONGEST_DAYS:
            words = f"it is about {(last - first).days} days, and not about one"
            yield LapseDocument(organization, name, words)
        for result in report.policies:
            for words in _of(result, about):
                yield LapseDocument(organization, name, words)
    for (organization, name), times in said.items():
        if times > 1:
            words = f"{times} reports have this id and say different things; all of them count"
            yield LapseDocument(organization, name, words)


def _of(result: Result, about: str) -> Iterator[str]:
    domain = _domain(result, about)
    if domain == _NO_DOMAIN:
        yield "it does not say which domain it is about"
    total = result.summary.total_failure_session_count
    details = sum(one.failed_session_count for one in result.details)
    if details != total:
        where = f"{domain}, {result.policy.policy_type}"
        yield f"{where}: {total:,} sessions failed by the summary, {details:,} by the details"
