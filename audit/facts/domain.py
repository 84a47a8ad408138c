"""What DNS and the web said of a mail domain."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from msgspec import Struct, field

Kind = Literal["A", "AAAA", "DNSKEY", "DS", "MX", "PTR", "TLSA", "TXT"]

# What came of a question.
Outcome = Literal[
    "found",
    "none",  # the name is there, but has no record of this kind
    "no-name",  # there is no such name
    "failed",  # nothing can be said; `Answer.why` says why
]

# What a validating resolver thinks of an answer (RFC 4035, section 4.3, and what lies between).
Security = Literal[
    "secure",
    "unsigned",  # proven to be without signatures, by a resolver that validates
    "no-chain",  # signed, but no chain of trust leads there
    "bogus",  # signed, and the signatures do not hold
    "untold",  # the resolver does not validate, or did not answer
]


class Signed(Struct, frozen=True):
    """The signature on an answer that ends first.

    Attributes:
        zone: who signed.
        since, until: when it is valid, in UTC.
    """

    zone: str
    since: datetime
    until: datetime


class Answer(Struct, frozen=True):
    """One question to a resolver, and what it said.

    Attributes:
        name: asked for, without the last dot.
        kind: of record.
        outcome: whether there is any.
        security: what the resolver's validation came to.
        records: in presentation form (RFC 1035, section 5.1), names without their last dot. A text
            is its strings joined; what is not UTF-8 in it is escaped.
        alias: the names that CNAMEs led to, in order.
        signed: the signature that ends first; None without one.
        unread: why further records cannot be read.
        why: what is behind outcome and security, where they are not plain.
    """

    name: str
    kind: Kind
    outcome: Outcome
    security: Security = "untold"
    records: tuple[str, ...] = ()
    alias: tuple[str, ...] = ()
    signed: Signed | None = None
    unread: tuple[str, ...] = ()
    why: str = ""

    def __str__(self) -> str:
        """As people name it: MX of example.org."""
        return f"{self.kind} of {self.name}"


class Tlsa(Struct, frozen=True):
    """One TLSA record (RFC 6698, section 2.1).

    Attributes:
        usage, selector, matching: the three numbers.
        data: what is compared.
    """

    usage: int
    selector: int
    matching: int
    data: bytes

    def __str__(self) -> str:
        """3 1 1 4b8e0ab2…: enough to tell it from others."""
        digits = self.data[:4].hex()
        return f"{self.usage} {self.selector} {self.matching} {digits}…"


class Reverse(Struct, frozen=True):
    """The names that an address says it has.

    Attributes:
        pointers: the answer to the PTR question.
        back: the addresses of each name, of the address's family.
    """

    pointers: Answer
    back: tuple[Answer, ...] = ()


class Greeted(Struct, frozen=True):
    """The name that a server calls itself by in its greeting.

    Attributes:
        name: the first word after the code; empty if it says none.
        answers: the addresses of that name, IPv4 first; empty if it cannot have any.
    """

    name: str
    answers: tuple[Answer, ...] = ()


class MxFacts(Struct, frozen=True):
    """One server that takes mail for a domain.

    Attributes:
        host: its name, as the MX record has it.
        preference: the smaller the sooner.
        fault: why it is no name of a host; then nothing was asked.
        addresses: the answers for IPv4 and IPv6.
        unseen: addresses that were not looked at, because there are too many.
        base: the name that the TLSA records were looked for at (RFC 7672, section 2.2.3).
        tlsa: the answer for _25._tcp of it.
        records: those of them that are TLSA records.
        reverse: by address, what it is called.
        greeted: by address, what the server there calls itself; only where it greeted.
    """

    host: str
    preference: int = 0
    fault: str = ""
    addresses: tuple[Answer, ...] = ()
    unseen: int = 0
    base: str = ""
    tlsa: Answer | None = None
    records: tuple[Tlsa, ...] = ()
    reverse: Mapping[str, Reverse] = field(default_factory=dict)
    greeted: Mapping[str, Greeted] = field(default_factory=dict)


class Fetched(Struct, frozen=True):
    """What a web server said, once.

    Attributes:
        url: what was asked for.
        status: of HTTP; 0 if it did not come to that.
        media: the media type, in lower case and without parameters.
        body: as far as it was read.
        whole: nothing more would have come.
        fault: why there is no answer that counts, and it is the server's doing.
        doubt: why there is none, and it may be ours.
    """

    url: str
    status: int = 0
    media: str = ""
    body: bytes = b""
    whole: bool = True
    fault: str = ""
    doubt: str = ""


class DomainFacts(Struct, frozen=True):
    """All that is known of a mail domain without talking to its servers.

    Attributes:
        domain: its name.
        mx: the answer for its MX records.
        hosts: the servers, the first one first; those beyond a limit are left out.
        unseen: how many were left out.
        own: mail goes to the domain's own address, without an MX record (RFC 5321, section 5.1).
        sts: the answer for _mta-sts of it.
        policy: what its policy host said; None if it was not asked.
        tlsrpt: the answer for _smtp._tls of it.
    """

    domain: str
    mx: Answer
    hosts: tuple[MxFacts, ...] = ()
    unseen: int = 0
    own: bool = False
    sts: Answer | None = None
    policy: Fetched | None = None
    tlsrpt: Answer | None = None

    @property
    def null(self) -> bool:
        """Whether it says that it takes no mail (RFC 7505)."""
        return len(self.mx.records) == 1 and self.mx.records[0].endswith(" .")
