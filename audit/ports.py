"""Every port that mail has (IANA Service Names), and what is spoken there."""

from audit.facts import Mode, Service

MAIL_PORTS: dict[int, tuple[Service, Mode]] = {
    24: ("lmtp", "starttls"),
    25: ("smtp", "starttls"),
    110: ("pop3", "starttls"),
    143: ("imap", "starttls"),
    465: ("smtp", "implicit"),
    587: ("smtp", "starttls"),
    993: ("imap", "implicit"),
    995: ("pop3", "implicit"),
    4190: ("sieve", "starttls"),
}
