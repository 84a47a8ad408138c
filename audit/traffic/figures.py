"""The figures of TLS in mail logs, as they are reported and stand in JSON."""

from msgspec import Struct, field

from audit.traffic.domains import Domains
from audit.traffic.errors import Reason
from audit.traffic.shares import Trend

SCHEMA = "mailseal/traffic/1"


class Lines(Struct, frozen=True, kw_only=True):
    """What lines there were; all kinds add up to the total.

    Attributes:
        total: lines read.
        with_tls: those that name a TLS session, counted apart from their meaning.
        classified: those that name one, among the lines by kind; as many, or something was lost.
    """

    total: int
    with_tls: int
    classified: int
    arrivals: int
    deliveries: int
    deferrals: int
    failures: int
    rejects: int
    logins: int
    no_mail: int
    sessions: int
    tls_errors: int
    completed: int
    other: int
    ambiguous: int

    @property
    def lost(self) -> int:
        """Those that name a session and are of no kind."""
        return self.with_tls - self.classified


class Parted(Struct, frozen=True):
    """A set in two parts, and what cannot be told."""

    yes: int = 0
    no: int = 0
    unknown: int = 0


class Sessions(Struct, frozen=True, kw_only=True):
    """What was negotiated; each table adds up to `tls`.

    Attributes:
        tls, plain: with TLS and without.
        not_logged: nobody can tell which of the two.
        versions, suites: "unknown" where the log does not say, or nobody knows the words.
        forward_secrecy: a later loss of the private key leaves it closed.
        aead, gcm: of the cipher.
    """

    tls: int
    plain: int
    not_logged: int
    versions: dict[str, int]
    suites: dict[str, int]
    forward_secrecy: Parted
    aead: Parted
    gcm: Parted


class Certificates(Struct, frozen=True):
    """Mails that came with a certificate of the client's.

    Attributes:
        mails: with a subject in the log.
        distinct: subjects.
        unverified: mails with CV=no among them.
        domain_validated: of these, mails whose subject says "Domain Control Validated".
    """

    mails: int
    distinct: int
    unverified: int
    domain_validated: int


class Incoming(Sessions, frozen=True, kw_only=True):
    """Mails from other hosts.

    Attributes:
        mails: all of them.
        client_certificates: None where no subject is in the log: then nobody knows.
    """

    mails: int
    client_certificates: Certificates | None


class Pairs(Struct, frozen=True, kw_only=True):
    """Different pairs of a cipher and a certificate's subject, among deliveries with TLS.

    Attributes:
        total: all; the ways to exchange keys add up to it, and so do the four of `verified`.
        either: ECDHE or DHE: of TLS 1.3 that is all that some logs say.
        verified: pairs of which every delivery was verified, none, all by DANE, or some.
        domain_validated: unverified ones whose subject says "Domain Control Validated".
    """

    total: int
    ecdhe: int
    dhe: int
    either: int
    none: int
    unknown: int
    verified: dict[str, int]
    domain_validated: int


class Hosts(Struct, frozen=True, kw_only=True):
    """Other hosts that mails were sent to, by name.

    Attributes:
        total: all.
        never_tls: those that got none with TLS, and how many of them by public suffix.
        sometimes_tls: those that got some with TLS and some without.
        not_logged: those of which nothing is known but that they got some.
    """

    total: int
    never_tls: int
    sometimes_tls: int
    not_logged: int
    by_tld: dict[str, int]


class Outgoing(Sessions, frozen=True, kw_only=True):
    """Mails to other hosts: one for each message and host.

    Attributes:
        mails: all.
        deliveries: recipients, for comparison.
        mixed: mails that a host got both with TLS and without; they are in both rows.
        verified: mails with TLS by what CV= says of the other side's certificate.
        providers: mails with TLS, by the registrable domain of the host.
        pairs: None where no subject is in the log.
        domains: recipients by their domain, and what vouched for the servers.
    """

    mails: int
    deliveries: int
    mixed: int
    verified: dict[str, int]
    providers: dict[str, int]
    pairs: Pairs | None
    hosts: Hosts
    domains: Domains


class Somebody(Struct, frozen=True):
    """Who did something, how often, and on which day for the last time."""

    address: str
    user: str
    count: int
    last_seen: str


class Access(Sessions, frozen=True, kw_only=True):
    """Logins to read mail.

    Attributes:
        logins: that succeeded; `tls` and `plain` are of these.
        failed: for another reason than that there was no TLS.
        refused_plain: tried with a password and no TLS, and were refused.
        users: who was, the most often first.
    """

    logins: int
    failed: int
    refused_plain: int
    users: list[Somebody]


class Failing(Struct, frozen=True):
    """A host whose handshakes failed, and that had none that did not."""

    address: str
    reason: Reason
    count: int
    last_seen: str


class Traffic(Struct, frozen=True, kw_only=True, tag_field="schema", tag=SCHEMA):
    """All figures of some logs.

    Attributes:
        from_, to: the first and the last day; empty where there is no line with a day.
        whole: nothing with a TLS session was lost.
        incoming: from other servers, port 25.
        submission: from people.
        own: from one's own hosts, which is in no other figure.
        access: None where no line is of POP3 or IMAP.
        errors: handshakes that failed, by reason.
        failing: hosts of which all failed for want of a version.
        trend: the shares over time.
        ambiguous: some of the lines that can be read in more than one way.
        silent: hosts and their programs that name no session: what they do not say is not logged.
    """

    from_: str = field(name="from")
    to: str
    lines: Lines
    whole: bool
    incoming: Incoming
    submission: Incoming
    own: Incoming
    outgoing: Outgoing
    access: Access | None
    errors: dict[Reason, int]
    failing: list[Failing]
    trend: Trend
    ambiguous: list[str]
    silent: list[str]

    @property
    def period(self) -> str:
        """The days, in words."""
        if not self.from_:
            return "no day"
        return self.from_ if self.from_ == self.to else f"{self.from_} to {self.to}"

    @property
    def counted(self) -> bool:
        """Whether a line was of mail at all."""
        return self.lines.total > self.lines.other + self.lines.ambiguous
