"""The inventory's variables about the records of our own domains."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

_PREFIX = "mailseal_"
_YEAR = 31_557_600  # seconds; the longest max_age of RFC 8461, section 3.2

Ttl = Annotated[int, Meta(ge=1, le=604_800)]


class DomainVariables(Struct, frozen=True, rename=lambda name: f"{_PREFIX}{name}"):
    """What is published, and where.

    Attributes:
        domains: the mail domains whose mail these hosts take.
        audit_resolver: the validating resolver that is asked about them, ADDRESS or ADDRESS:PORT;
            empty for the system's.
        dane_usages: the TLSA records of each endpoint; `2 1 1` needs the authority in the chain.
        tlsa_ttl: seconds that records may be cached for; a roll-over waits as long.
        dns_server: the primary that takes dynamic updates, ADDRESS or ADDRESS:PORT.
        dns_secondaries: where the zone's name servers answer, if not at port 53 of the addresses
            of its NS records.
        tsig_key_file: the key for updates, a file on the control host.
        mta_sts_mode: of the MTA-STS policy; empty for none.
        mta_sts_max_age: seconds that senders keep it.
        tlsrpt_rua: where reports about TLS go, mailto: or https:; none for no record.
    """

    domains: tuple[str, ...] = ()
    audit_resolver: str = ""
    dane_usages: tuple[Literal["3 1 1", "2 1 1"], ...] = ("3 1 1",)
    tlsa_ttl: Ttl = 3600
    dns_server: str = ""
    dns_secondaries: tuple[str, ...] = ()
    tsig_key_file: str = ""
    mta_sts_mode: Literal["", "enforce", "testing", "none"] = ""
    mta_sts_max_age: Annotated[int, Meta(ge=0, le=_YEAR)] = 604_800
    tlsrpt_rua: tuple[str, ...] = ()
