"""What the JSON document of a scan says of mail domains, as types."""

from typing import Annotated

from msgspec import Meta, Struct

from audit.facts import Kind, Outcome, Security
from audit.report.encode import Time


class AnswerDocument(Struct, frozen=True):
    """One question to the resolver, and what it said."""

    name: str
    kind: Kind
    outcome: Outcome
    dnssec: Annotated[Security, Meta(description="what the resolver's validation came to")]
    records: Annotated[list[str], Meta(description="in presentation form; a text is one string")]
    alias: Annotated[list[str], Meta(description="the names that CNAMEs led to, in order")]
    signed_until: Annotated[Time | None, Meta(description="when the first signature on it ends")]
    why: Annotated[str, Meta(description="what is behind outcome and dnssec; may be empty")]


class MxDocument(Struct, frozen=True):
    """One server that takes mail for a domain."""

    host: str
    preference: int
    addresses: list[str]
    tlsa: Annotated[list[str], Meta(description="usage, selector, matching type and data")]


class StsDocument(Struct, frozen=True):
    """An MTA-STS policy that senders follow."""

    mode: str
    max_age: Annotated[int, Meta(ge=0, description="seconds")]
    mx: list[str]


class DomainDocument(Struct, frozen=True):
    """A mail domain, from outside."""

    domain: str
    null_mx: Annotated[bool, Meta(description="it says that it takes no mail (RFC 7505)")]
    mx: list[MxDocument]
    mta_sts: Annotated[StsDocument | None, Meta(description="null if there is none to follow")]
    tls_rpt: Annotated[list[str], Meta(description="where reports about TLS go")]
    answers: Annotated[list[AnswerDocument], Meta(description="all that was asked of DNS")]
