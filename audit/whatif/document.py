"""What `mailseal whatif --json` says, as types; their words stand in the schema."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from audit.policy.model import Traffic

Rule = Literal["dane", "verified"]
SendingEffect = Literal["", "is deferred", "is deferred or returned"]
Effect = Literal["", "goes on in clear text", "is deferred", "cannot connect"]
Verdict = Literal["keep", "break", "unknown"]
Count = Annotated[int, Meta(ge=0)]
_MEANT = "keep: proven to connect; break: proven not to; unknown: the log proves neither"


class SharesDocument(Struct, frozen=True):
    """So many of something, by what becomes of them."""

    keep: Count = 0
    broken: Annotated[Count, Meta(description="no TLS any more")] = field(default=0, name="break")
    unknown: Count = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.keep + self.broken + self.unknown


class TrafficDocument(Struct, frozen=True):
    """One kind of traffic under the new policy."""

    unit: Literal["mails", "logins"]
    keep: Count
    broken: Count = field(name="break")
    unknown: Count
    lower: Annotated[Count, Meta(description="so many break for certain")]
    upper: Annotated[Count, Meta(description="not more can break: unknown ones counted in")]
    likely: Annotated[
        SharesDocument,
        Meta(description="of the unknown ones: what is to be expected, by usual or like clients"),
    ]
    plain: Annotated[Count, Meta(description="of all: those without TLS, whatever the policy")]
    clients: Annotated[SharesDocument, Meta(description="addresses; outgoing: hosts")]
    users: Annotated[SharesDocument, Meta(description="by login; nobody where none is logged")]
    unseen: Annotated[
        Annotated[float, Meta(ge=0, le=1)] | None,
        Meta(description="what was not seen at all is rarer than this, with 95% confidence (3/n)"),
    ]
    library: Annotated[
        str, Meta(description="whose habits the servers are taken to have; empty if no matter")
    ]
    server: Annotated[
        list[str], Meta(description="the configurations at the time; empty if none is known")
    ]


class ClientDocument(Struct, frozen=True):
    """One client that does not simply go on."""

    traffic: Traffic
    client: Annotated[str, Meta(description="its address; outgoing: the name of the host")]
    user: Annotated[str, Meta(description="empty if nobody logged in")]
    verdict: Annotated[Verdict, Meta(description=_MEANT)]
    effect: Annotated[Effect, Meta(description="what a break comes to")]
    evidence: Annotated[str, Meta(description="the reasoning, one sentence")]
    source: Annotated[
        Literal["log", "ja3", "hello"], Meta(description="what the proof rests on, beside the log")
    ]
    likely: Annotated[Verdict, Meta(description="for what is unknown: what is to be expected")]
    guess: Annotated[
        Literal["", "usual", "modelled"],
        Meta(description="what that rests on: usual clients, or recorded ones that do the same"),
    ]
    last_seen: Annotated[str, Meta(description="the day")]
    weight: Annotated[Count, Meta(description="mails or logins")]


class AlreadyDocument(Struct, frozen=True):
    """Somebody who cannot connect even now, and is not charged to the policy."""

    traffic: Traffic
    client: str
    user: str
    reason: str
    count: Count
    last_seen: str


class DomainDocument(Struct, frozen=True):
    """One domain that mail was sent to, under a rule."""

    domain: Annotated[str, Meta(description="empty: no line named it")]
    verdict: Annotated[Verdict, Meta(description="the worst of its hosts")]
    effect: Annotated[SendingEffect, Meta(description="what a break comes to")]
    evidence: Annotated[str, Meta(description="the heaviest host, and the reasoning")]
    hosts: Annotated[list[str], Meta(description="its servers, by name")]
    senders: Annotated[list[str], Meta(description="nodes of ours, with transport or program")]
    last_seen: Annotated[str, Meta(description="the day of the last delivery")]
    weight: Annotated[Count, Meta(description="recipients")]
    recipients: Annotated[SharesDocument, Meta(description="the same, by what becomes of them")]


class RefusedDocument(Struct, frozen=True):
    """Recipients that mail did not go to even now, for want of TLS or of what is to be verified."""

    domain: str
    host: Annotated[str, Meta(description="empty where no line names it")]
    reason: str
    count: Annotated[Count, Meta(description="one for each recipient and attempt")]
    last_seen: str


class SendingDocument(Struct, frozen=True, kw_only=True):
    """A stricter rule for mail that goes out, by the recipients' domains."""

    rule: Annotated[
        Rule, Meta(description="dane: by DANE or not at all; verified: a verified certificate")
    ]
    asked: Annotated[list[str], Meta(description="the domains that it would hold for; * is all")]
    unit: Literal["recipients"] = "recipients"
    keep: Count
    broken: Count = field(name="break")
    unknown: Count
    lower: Annotated[Count, Meta(description="so many break for certain")]
    upper: Annotated[Count, Meta(description="not more can break: unknown ones counted in")]
    domains: Annotated[SharesDocument, Meta(description="domains, each by its worst host")]
    rows: Annotated[
        list[DomainDocument],
        Meta(description="those that break, the unknown ones, then those that go on"),
    ]
    already: Annotated[
        list[RefusedDocument], Meta(description="what fails even now, and is not charged to it")
    ]
    not_observed: Annotated[
        list[str], Meta(description="asked for, and no mail in the logs went there")
    ]


class WhatIfDocument(Struct, frozen=True, kw_only=True):
    """What `mailseal whatif --json` says: who a policy would hurt, and how certain that is."""

    schema: Literal["mailseal/whatif/1"] = "mailseal/whatif/1"
    policy: str
    first: Annotated[str, Meta(description="the first day of the logs; empty if they are")]
    last: Annotated[str, Meta(description="the last day")]
    library: Annotated[str, Meta(description="the libraries of all kinds of traffic")]
    traffic: dict[Traffic, TrafficDocument]
    clients: Annotated[
        list[ClientDocument],
        Meta(description="those that break, then the unknown ones, the heaviest first"),
    ]
    already: Annotated[list[AlreadyDocument], Meta(description="the most frequent first")]
    sending: Annotated[
        list[SendingDocument],
        Meta(description="stricter rules that were asked for, by domain; nothing without such"),
    ]
    hashed: Annotated[bool, Meta(description="users are keyed hashes of their names")]
    notices: Annotated[list[str], Meta(description="what has to be said beside the counts")]
