"""What the wire showed of a server."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from msgspec import Struct, field

from audit.iana import Version

Service = Literal["smtp", "imap", "pop3", "sieve", "lmtp"]
Mode = Literal["implicit", "starttls"]
Seen = Literal["accepted", "refused", "inconclusive"]
Reach = Literal["open", "refused", "no-answer", "no-route", "not-the-service", "not-asked"]
Preference = Literal["server", "client", "unknown"]

# What a server may do beyond versions and suites; each is tried on its own.
Behaviour = Literal[
    "starttls-arguments",  # STARTTLS with a parameter is taken
    "starttls-twice",  # STARTTLS is offered or taken inside TLS
    "state-kept",  # an envelope begun before TLS is still there after it
    "capabilities-kept",  # the capabilities inside TLS are those from before it
    "response-extra",  # something follows the go-ahead before TLS begins
    "injection",  # a command sent in clear with STARTTLS is answered inside TLS
    "injection-split",  # the same in a segment of its own
    "http-inside",  # HTTP is talked to inside TLS
    "client-renegotiation",
    "ocsp-stapling",
    "chacha-first",  # ChaCha20 comes first for clients that want it first
    "extended-master-secret",
    "encrypt-then-mac",
    "session-ticket",
    "heartbeat",
    "fallback-scsv",
    "sha1-signature",  # a client that knows SHA-1 signatures only is served
    "alpn-http",  # a client that wants HTTP only is served
    "alpn-own",  # a client that names the mail protocol is served
    "sni-unknown",  # a client that asks for a name nobody has gets another certificate
    "sni-none",  # a client that asks for no name gets the certificate of the service
    "heartbleed",
    "ccs-injection",
    "robot",
    "ticketbleed",
]


class Endpoint(Struct, frozen=True):
    """One place a client can connect to.

    Attributes:
        host: its name in the inventory or on the command line.
        address: one IPv4 or IPv6 address.
        port: TCP port.
        service: the protocol spoken there.
        mode: implicit TLS, or STARTTLS inside the protocol.
        name: the name clients use, sent as SNI and expected in the certificate; may be empty.
    """

    host: str
    address: str
    port: int
    service: Service
    mode: Mode
    name: str = ""

    @property
    def family(self) -> Literal["ipv4", "ipv6"]:
        """The address family."""
        return "ipv6" if ":" in self.address else "ipv4"

    def __str__(self) -> str:
        """As people write it: mx1 [fd00::1]:25."""
        return f"{self.host} [{self.address}]:{self.port}"


class Observation(Struct, frozen=True):
    """One thing tried, what came of it, and what shows it.

    Attributes:
        seen: accepted, refused, or could not be told.
        evidence: the answer in words or bytes; never empty for a refusal.
    """

    seen: Seen
    evidence: str = ""


class Certificate(Struct, frozen=True):
    """One certificate, parsed.

    Attributes:
        der: the certificate itself.
        subject, issuer: distinguished names (RFC 4514).
        names: subjectAltName entries, DNS names and addresses.
        not_before, not_after: the time it is valid, in UTC.
        key_type: "rsa", "ecdsa" or the algorithm's name.
        key_bits: size of the key; 0 if unknown.
        curve: the curve of an ECDSA key, as policies name it; otherwise empty.
        key: SHA-256 of the public key (SubjectPublicKeyInfo), hexadecimal.
        signature_hash: "sha256" and so on; empty for algorithms without one (Ed25519).
        fingerprint: SHA-256 of the certificate, hexadecimal.
    """

    der: bytes
    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    key_type: str
    key_bits: int
    curve: str
    key: str
    signature_hash: str
    fingerprint: str


Chain = tuple[Certificate, ...]


class Plaintext(Struct, frozen=True):
    """What is possible before TLS.

    Attributes:
        greeting: the first line of the server.
        preauth: True if an IMAP server greets with PREAUTH (RFC 9051, section 7.1.4).
        starttls: whether STARTTLS (STLS) is advertised.
        auth_offered: the mechanisms advertised in clear; a bare POP3 USER counts as one.
        login: whether a password would have been looked at; "accepted" is the bad answer.
        login_reply: the server's words about it.
        mail: MAIL FROM on a submission port; None where it was not tried.
    """

    greeting: str
    preauth: bool
    starttls: Seen
    auth_offered: tuple[str, ...]
    login: Seen
    login_reply: str
    mail: Observation | None = None


class EndpointFacts(Struct, frozen=True):
    """All that the wire showed about one endpoint.

    Attributes:
        endpoint: where.
        reach: whether anything answered.
        protocols: every version, tried one by one.
        suites: the accepted suites by version, in the order the server picked them.
        rest: by version, all other suites offered at once: only a refusal proves that `suites`
            is complete.
        preference: whose order decides, by version.
        groups: the accepted groups by version, in the order the server picked them.
        dh_primes: the Diffie-Hellman primes, smallest first; none if no DHE suite was chosen,
            None if they could not be told.
        compression: whether DEFLATE was chosen when offered.
        secure_renegotiation: RFC 5746 answered; None if no version before 1.3 was.
        chains: the certificate chains served, one for each type of key, leaf first.
        bad_chains: why further chains that were served cannot be read.
        handshake: a complete handshake with proof of the key, by OpenSSL.
        plaintext: what is possible before TLS; None in implicit mode.
        behaviours: what else was tried, and whether the server does it.
        connections: TCP connections opened.
        seconds: wall time.
        errors: what went wrong on the way, in words.
    """

    endpoint: Endpoint
    reach: Reach
    protocols: Mapping[Version, Observation] = field(default_factory=dict)
    suites: Mapping[Version, tuple[str, ...]] = field(default_factory=dict)
    rest: Mapping[Version, Observation] = field(default_factory=dict)
    preference: Mapping[Version, Preference] = field(default_factory=dict)
    groups: Mapping[Version, tuple[str, ...]] = field(default_factory=dict)
    dh_primes: tuple[int, ...] | None = ()
    compression: Observation = Observation("inconclusive")
    secure_renegotiation: bool | None = None
    chains: tuple[Chain, ...] = ()
    bad_chains: tuple[str, ...] = ()
    handshake: Observation = Observation("inconclusive")
    plaintext: Plaintext | None = None
    behaviours: Mapping[Behaviour, Observation] = field(default_factory=dict)
    connections: int = 0
    seconds: float = 0.0
    errors: tuple[str, ...] = ()

    @property
    def answered(self) -> bool:
        """Whether anything there gave a sign of life, be it a refusal."""
        return self.reach not in ("no-answer", "no-route", "not-asked")

    @property
    def dh_bits(self) -> int | None:
        """Size of the smallest Diffie-Hellman prime; None if none was seen."""
        return min(self.dh_primes).bit_length() if self.dh_primes else None
