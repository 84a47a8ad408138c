"""What `mailseal tlsrpt read --json` says, as types; their words stand in the schema."""

from collections.abc import Iterable
from typing import Annotated, Literal

from msgspec import Meta, Struct

from audit.findings import Verdict

Count = Annotated[int, Meta(ge=0)]
Sight = Literal["the same", "nothing wrong", "did not look"]
Time = Annotated[str, Meta(description="RFC 3339, UTC", extra_json_schema={"format": "date-time"})]


class SessionsDocument(Struct, frozen=True):
    """Sessions, by whether TLS came about."""

    ok: Count
    failed: Annotated[
        Count, Meta(description="where summary and details differ, the worse of both")
    ]

    @property
    def total(self) -> int:
        """All of them."""
        return self.ok + self.failed


class SeenDocument(Struct, frozen=True):
    """What one of our checks saw there."""

    check: str
    verdict: Verdict
    place: str
    observed: str


class BesideDocument(Struct, frozen=True):
    """What our audit says of the host."""

    sight: Annotated[
        Sight, Meta(description="whether checks of the same thing failed, passed, or were not made")
    ]
    seen: list[SeenDocument]


class FailureDocument(Struct, frozen=True):
    """Sessions that failed for one reason at one host."""

    result: Annotated[str, Meta(description="the sender's word for it")]
    known: Annotated[bool, Meta(description="whether RFC 8460 has it")]
    host: Annotated[str, Meta(description="the MX; empty if it is not said")]
    sessions: Count
    sending: Annotated[list[str], Meta(description="addresses that mail came from, 50 at most")]
    receiving: Annotated[list[str], Meta(description="addresses that it went to, 50 at most")]
    reasons: Annotated[list[str], Meta(description="what the sender's library says, 50 at most")]
    meaning: str
    advice: str
    beside: Annotated[
        BesideDocument | None, Meta(description="what our audit says; null without --run")
    ] = None


class OrganizationDocument(Struct, frozen=True):
    """What one organization says of a domain."""

    organization: str
    contacts: list[str]
    reports: Count
    first: Time
    last: Time
    sessions: SessionsDocument
    policies: Annotated[
        dict[str, SessionsDocument],
        Meta(description="by what it applied: tlsa, sts, no-policy-found, or a word of its own"),
    ]
    failures: Annotated[list[FailureDocument], Meta(description="the most frequent first")]


class DomainDocument(Struct, frozen=True):
    """One domain of ours."""

    domain: Annotated[str, Meta(description="empty if no report says which")]
    sessions: SessionsDocument
    organizations: list[OrganizationDocument]


class RefusedDocument(Struct, frozen=True):
    """What should have been a report."""

    source: str
    reason: str


class LapseDocument(Struct, frozen=True):
    """What a report says that cannot be right."""

    organization: str
    report: Annotated[str, Meta(description="its id")]
    words: str


class AuditDocument(Struct, frozen=True):
    """The audit that the failures are set beside."""

    run: str
    started: Time


class TlsReportsDocument(Struct, frozen=True):
    """What `mailseal tlsrpt read --json` says."""

    schema: Literal["mailseal/tlsrpt/1"]
    reports: Annotated[Count, Meta(description="different ones")]
    copies: Annotated[Count, Meta(description="that came once more, and are counted once")]
    without: Annotated[Count, Meta(description="mails and mailboxes that carry no report")]
    others: Annotated[Count, Meta(description="files in directories that are something else")]
    refused: list[RefusedDocument]
    lapses: list[LapseDocument]
    domains: list[DomainDocument]
    audit: Annotated[AuditDocument | None, Meta(description="null without --run")] = None

    @property
    def sessions(self) -> SessionsDocument:
        """Those of all domains."""
        return added(one.sessions for one in self.domains)


def added(several: Iterable[SessionsDocument]) -> SessionsDocument:
    """Sessions of several together."""
    each = list(several)
    return SessionsDocument(sum(one.ok for one in each), sum(one.failed for one in each))
