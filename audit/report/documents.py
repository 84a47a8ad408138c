"""The JSON documents as types: the schemas in docs/schema/ are generated from these.

A key is never renamed or dropped within a schema version; new ones may be added.
"""

from datetime import date, datetime
from typing import Annotated, Literal, get_args

from msgspec import Meta, Struct, field

from audit.facts import Behaviour, Mode, Preference, Seen, Service
from audit.findings import Reached, Severity, Verdict
from audit.iana import VERSIONS, Version
from audit.report.domain_documents import DomainDocument
from audit.report.encode import Time

_BY_VERSION = {"propertyNames": {"enum": list(VERSIONS)}}


class WaiverDocument(Struct, frozen=True):
    """Who accepted a failure, and until which day."""

    reason: str
    owner: str
    expires: Annotated[date, Meta(description="the last day that it holds")]
    ticket: Annotated[str, Meta(description="where it was decided; empty if nobody said")]


class FindingDocument(Struct, frozen=True, omit_defaults=True):
    """One check on an endpoint, a host or a mail domain.

    Of the last two, address and service are empty and port is 0.
    """

    check: Annotated[str, Meta(description="the check's id in the catalogue")]
    host: str
    address: str
    port: Annotated[int, Meta(ge=0, le=65535)]
    service: str
    verdict: Verdict
    severity: Severity
    observed: str
    expected: str
    evidence: Annotated[str, Meta(description="the raw material behind what was observed")]
    item: Annotated[str, Meta(description="the item of the policy that was judged")]
    policy: Annotated[str, Meta(description="the id of the policy that was the measure")]
    level: Annotated[
        Reached, Meta(description="the worst level seen; absent where there are no levels")
    ] = ""
    waiver: Annotated[
        WaiverDocument | None, Meta(description="only of what is waived; absent otherwise")
    ] = None


class LineDocument(FindingDocument, frozen=True, omit_defaults=True, kw_only=True):
    """A finding on its own, as `--report jsonl` writes one a line."""

    schema: Literal["mailseal/finding/1"]
    run: Annotated[str, Meta(description="the id of the run that it is from")]
    time: Annotated[Time, Meta(description="when the run was judged: its start")]
    policy_version: Annotated[str, Meta(description="the edition of the policy; empty if unknown")]


class ProtocolsDocument(Struct, frozen=True):
    """Every version, tried one by one."""

    ssl2: Seen = field(name="SSLv2")
    ssl3: Seen = field(name="SSLv3")
    tls10: Seen = field(name="TLSv1.0")
    tls11: Seen = field(name="TLSv1.1")
    tls12: Seen = field(name="TLSv1.2")
    tls13: Seen = field(name="TLSv1.3")


class CertificateDocument(Struct, frozen=True):
    """The leaf of one chain that was served."""

    subject: str
    issuer: str
    names: Annotated[list[str], Meta(description="subjectAltName: DNS names and addresses")]
    not_before: datetime
    not_after: datetime
    key_type: Annotated[str, Meta(description="rsa, ecdsa or the algorithm's name")]
    key_bits: Annotated[int, Meta(ge=0, description="0 if unknown")]
    curve: Annotated[str, Meta(description="empty for keys without one")]
    signature_hash: Annotated[str, Meta(description="empty for signatures without one")]
    fingerprint: Annotated[str, Meta(description="SHA-256 of the certificate, hexadecimal")]
    chain_length: Annotated[int, Meta(ge=1, description="certificates served, this one included")]


class PlaintextDocument(Struct, frozen=True):
    """What is possible before TLS."""

    auth_offered: bool
    login: Annotated[
        Literal["accepted", "refused", "not-tested"],
        Meta(description="whether a password would have been looked at; accepted is bad"),
    ]
    reply: Annotated[str, Meta(description="the server's words about the login")]


class BehaviourDocument(Struct, frozen=True):
    """One thing that was tried, and what shows it."""

    seen: Seen
    evidence: str


class EndpointDocument(Struct, frozen=True):
    """All that the wire showed about one endpoint."""

    host: str
    address: str
    family: Literal["ipv4", "ipv6"]
    port: Annotated[int, Meta(ge=1, le=65535)]
    service: Service
    mode: Mode
    protocols: ProtocolsDocument
    suites: Annotated[
        dict[Version, list[str]],
        Meta(description="IANA names in the server's order", extra_json_schema=_BY_VERSION),
    ]
    preference: Annotated[
        dict[Version, Preference],
        Meta(description="whose order decides", extra_json_schema=_BY_VERSION),
    ]
    groups: Annotated[
        dict[Version, list[str]],
        Meta(description="in the server's order", extra_json_schema=_BY_VERSION),
    ]
    dh_bits: Annotated[int | None, Meta(description="size of the Diffie-Hellman prime")]
    dh_primes: Annotated[
        list[str] | None,
        Meta(description="names of the primes that are known, sizes of others; null if not told"),
    ]
    compression: Seen
    secure_renegotiation: bool | None
    certificate: Annotated[
        CertificateDocument | None, Meta(description="the first of certificates")
    ]
    certificates: Annotated[
        list[CertificateDocument], Meta(description="one for each type of key the server has")
    ]
    plaintext: PlaintextDocument | None
    behaviours: Annotated[
        dict[Behaviour, BehaviourDocument],
        Meta(
            description="what else was tried; accepted means that the server does it",
            extra_json_schema={"propertyNames": {"enum": list(get_args(Behaviour))}},
        ),
    ]
    connections: Annotated[int, Meta(ge=0, description="TCP connections opened")]
    seconds: Annotated[float, Meta(ge=0)]
    errors: list[str]


class ScanDocument(Struct, frozen=True):
    """What `mailseal scan --json` says: facts, and what the policy thinks of them."""

    schema: Literal["mailseal/scan/1"]
    endpoints: list[EndpointDocument]
    findings: list[FindingDocument]
    domains: Annotated[list[DomainDocument], Meta(description="those of `--domain`")]


class PolicyDocument(Struct, frozen=True):
    """Which edition of which policy was the measure; several are joined by commas."""

    id: str
    version: str


class RunDocument(Struct, frozen=True):
    """What `mailseal audit --json` says: every check that was planned, and what came of it."""

    schema: Literal["mailseal/run/1"]
    run: Annotated[str, Meta(description="the run's id, unique by time")]
    started: Time
    finished: Time
    policy: PolicyDocument
    policies: Annotated[list[PolicyDocument], Meta(description="the measures, one by one")]
    planned: Annotated[int, Meta(ge=0, description="checks that were to be made")]
    executed: Annotated[int, Meta(ge=0, description="checks that were made")]
    findings: list[FindingDocument]
    notices: Annotated[
        list[str], Meta(description="about waivers: expired, soon to expire, not used")
    ]


class OutcomeDocument(Struct, frozen=True):
    """One endpoint, and what came of the login or the mail there."""

    host: str
    address: str
    family: Literal["ipv4", "ipv6"]
    port: Annotated[int, Meta(ge=1, le=65535)]
    service: Service
    mode: Mode
    verdict: Literal["pass", "fail", "not-tried"]
    again: Annotated[bool, Meta(description="whether it may end better later, as after a restart")]
    step: Annotated[str, Meta(description="what was being done when it ended; empty if all was")]
    words: Annotated[str, Meta(description="why it ended there; a server's words may be anything")]
    message: Annotated[str, Meta(description="Message-ID of the mail accepted; empty if none was")]
    seconds: Annotated[float, Meta(ge=0)]


class PassageDocument(Struct, frozen=True):
    """What `mailseal passage --json` says: every endpoint of the inventory, tried or not."""

    schema: Literal["mailseal/passage/1"]
    started: Time
    finished: Time
    outcomes: list[OutcomeDocument]
