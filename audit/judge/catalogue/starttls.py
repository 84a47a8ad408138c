"""What happens across the start of TLS, and inside it."""

from audit.judge.catalogue.check import Check, of_endpoint

_INJECTION_WHY = (
    "Whoever sits on the line puts commands in front of the client's own, inside its protected"
    " session: a password or a message ends where the attacker wants it."
)
_ONE_MORE = "1, or 2 where the server ends it"


def _injection(service: str, injected: str, fix: str, *references: str) -> Check:
    return of_endpoint(
        id=f"MT-INJ-{service.upper()}",
        title=f"{_NAMES[service]} commands sent in clear with STARTTLS die with the clear text",
        severity="critical",
        why=_INJECTION_WHY,
        how=f"STARTTLS and {injected} in one segment, a handshake, and another command inside:"
        " only that one may be answered. A server that ends it is fine if it does not without.",
        connections=_ONE_MORE,
        fix=fix,
        references=("RFC 7457, section 2.2", *references),
        before_tls=True,
        services=(service,),
        thorough=True,
    )


_NAMES = {
    "smtp": "SMTP", "lmtp": "LMTP", "imap": "IMAP", "pop3": "POP3", "sieve": "ManageSieve",
}  # fmt: skip

ROWS: tuple[Check, ...] = (
    _injection(
        "smtp",
        "NOOP",
        "Postfix from 2.7.3, Dovecot from 2.3.15; Exim has a buffer of its own for TLS. Remove"
        " proxies that speak SMTP on the way.",
        "RFC 3207, section 4.2",
        "CVE-2011-0411",
        "CVE-2021-33515",
    ),
    _injection(
        "lmtp",
        "NOOP",
        "Cyrus from 2.4.7, Dovecot from 2.3.15.",
        "RFC 3207, section 4.2",
        "RFC 2033",
        "CVE-2011-1926",
    ),
    _injection(
        "imap",
        "NOOP",
        "Cyrus from 2.4.7, Apache James from 3.6.1.",
        "RFC 9051, section 6.2.1",
        "CVE-2011-1926",
        "CVE-2021-38542",
    ),
    _injection(
        "pop3",
        "CAPA",
        "Cyrus from 2.4.7, Courier from 1.1.5.",
        "RFC 2595, section 4",
        "CVE-2011-1926",
        "CVE-2021-38084",
    ),
    _injection(
        "sieve",
        "NOOP",
        "Cyrus from 2.4.7.",
        "RFC 5804, section 2.2",
        "CVE-2011-1926",
    ),
    of_endpoint(
        id="MT-INJ-SPLIT",
        title="Commands sent in clear between STARTTLS and the handshake die there",
        severity="critical",
        why=_INJECTION_WHY,
        how="The same, the command in a segment of its own between STARTTLS and the ClientHello:"
        " it finds servers that empty their buffer too early.",
        connections=_ONE_MORE,
        fix="As for MT-INJ-...; the buffer must be emptied when the handshake begins, not when"
        " STARTTLS is read.",
        references=("RFC 7457, section 2.2", "RFC 3207, section 4.2", "CVE-2011-0411"),
        before_tls=True,
        thorough=True,
    ),
    of_endpoint(
        id="MT-STATE-RESET",
        title="What the client said before TLS is forgotten",
        severity="high",
        why="An attacker begins an envelope in clear, and the client's message goes where the"
        " attacker wants it.",
        how="EHLO and MAIL in clear, a handshake, then a recipient at a domain that cannot exist:"
        " it must be out of order (503).",
        connections="1, or 2 where the answer is another than 503",
        fix="Nothing to configure; Exim, Postfix and Dovecot do it. Upgrade the server.",
        references=("RFC 3207, section 4.2",),
        before_tls=True,
        services=("smtp", "lmtp"),
        thorough=True,
    ),
    of_endpoint(
        id="MT-CAPA-REISSUE",
        title="The capabilities inside TLS are drawn up anew",
        severity="medium",
        why="Capabilities kept from before TLS may be an attacker's, and a client that believes"
        " them goes on without protection.",
        how="The capabilities before and inside TLS: with STARTTLS among them they must not be the"
        " same, asked for or not.",
        connections="1",
        fix="Nothing to configure. Upgrade the server; remove proxies that answer EHLO or"
        " CAPABILITY from a cache.",
        references=(
            "RFC 3207, section 4.2",
            "RFC 9051, section 6.2.1",
            "RFC 2595, section 4",
            "RFC 5804, section 2.2",
        ),
        before_tls=True,
        thorough=True,
    ),
    of_endpoint(
        id="MT-RESP-EXTRA",
        title="Nothing follows the go-ahead before TLS begins",
        severity="medium",
        why="A client that keeps what came in clear takes it for an answer inside TLS; a server"
        " that sends it makes attack and habit look the same.",
        how="STARTTLS, then silence for a moment, then a handshake.",
        connections="1",
        fix="Nothing to configure. Upgrade the server; look for a proxy on the way.",
        references=("RFC 7457, section 2.2", "RFC 9051, section 6.2.1", "CVE-2021-38371"),
        before_tls=True,
        thorough=True,
    ),
    of_endpoint(
        id="MT-STARTTLS-ARGS",
        title="STARTTLS with a parameter is refused",
        severity="low",
        why="A server that overlooks what it does not understand does so elsewhere too.",
        how="STARTTLS or STLS with a parameter, which none of the protocols has.",
        connections="1",
        fix="Nothing to configure: Cyrus, Exim and Postfix refuse it, Dovecot's IMAP and POP3"
        " (2.3) take it.",
        references=(
            "RFC 3207, section 4",
            "RFC 9051, section 6.2.1",
            "RFC 2595, section 4",
            "RFC 5804, section 2.2",
        ),
        before_tls=True,
        thorough=True,
    ),
    of_endpoint(
        id="MT-STARTTLS-TWICE",
        title="There is no STARTTLS inside TLS",
        severity="medium",
        why="A server that forgets that it is inside TLS forgets what depends on it; one in the"
        " clear behind a proxy that ends TLS does not know at all.",
        how="The capabilities inside TLS, and STARTTLS once more.",
        connections="1",
        fix="Let the daemon end TLS itself, or tell it of the proxy; otherwise upgrade it.",
        references=(
            "RFC 3207, section 4.2",
            "RFC 9051, section 6.2.1",
            "RFC 2595, section 4",
            "RFC 5804, section 2.2",
        ),
        thorough=True,
    ),
    of_endpoint(
        id="MT-HTTP-ERR",
        title="A client that speaks HTTP inside TLS is cut off",
        severity="medium",
        why="A browser can be led to the mail server instead of a web server of the same name; what"
        " the mail server answers or keeps then counts as the web site's (ALPACA).",
        how="GET and some header lines inside TLS: the connection must end after ten errors at"
        " most.",
        connections="1, or 2 where it ends without a word",
        fix="Cyrus: from 3.12, older ones go on for ever, and only a proxy with strict ALPN before"
        " them helps; Exim: smtp_max_unknown_commands (3); Postfix: smtpd_forbidden_commands with"
        " GET and POST; Dovecot ends it after three to ten errors.",
        references=("ALPACA (USENIX Security 2021), alpaca-attack.com", "RFC 7301, section 3.2"),
        rule=("foreign_protocols", "forbidden"),
        thorough=True,
    ),
    of_endpoint(
        id="MT-RENEG-CLIENT",
        title="A client cannot renegotiate as often as it likes",
        severity="medium",
        why="Each new handshake costs the server far more than the client: one connection is enough"
        " to keep a processor busy.",
        how="Up to ten renegotiations in a row with the newest version before TLS 1.3.",
        connections="1, or 0 where only TLS 1.3 is spoken",
        fix="OpenSSL refuses from 3.0; before, Exim: openssl_options = +no_renegotiation, Postfix:"
        " tls_ssl_options = NO_RENEGOTIATION.",
        references=("RFC 9325, section 3.5", "RFC 5746", "CVE-2011-1473"),
        rule=("client_renegotiation", "forbidden"),
        thorough=True,
    ),
)
