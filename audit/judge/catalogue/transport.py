"""Is the service there, and what is possible before TLS."""

from audit.judge.catalogue.check import Check, of_endpoint

ROWS: tuple[Check, ...] = (
    of_endpoint(
        id="MT-PORT-EXPECT",
        title="Listens where the inventory says, and nowhere else",
        severity="high",
        why="A service that should be there and is not is an outage; one that should not be there"
        " is one nobody hardens.",
        how="A TCP connection, and in STARTTLS mode the greeting.",
        connections="1",
        fix="Start the service or correct mailseal_endpoints in the inventory; stop what is not"
        " wanted.",
        references=("RFC 8314, section 3",),
        closed_too=True,
    ),
    of_endpoint(
        id="MT-STARTTLS-ADV",
        title="STARTTLS is advertised",
        severity="high",
        why="A client that does not see STARTTLS goes on in clear or not at all.",
        how="The capabilities before TLS (EHLO, LHLO, CAPABILITY, CAPA, the ManageSieve"
        " greeting) are read.",
        connections="1, shared by all that is tried before TLS",
        fix="Roll out again. Exim: tls_advertise_hosts = *; Cyrus from 3.8.6: allowstarttls: yes.",
        references=("RFC 3207, section 4", "RFC 9051, section 6.2.1", "RFC 2595, section 4"),
        before_tls=True,
        rule=("starttls", "allowed"),
    ),
    of_endpoint(
        id="MT-PLAIN-PORT-CLOSED",
        title="No port begins in clear",
        severity="high",
        why="What begins in clear can be kept in clear by an attacker in between; STARTTLS had more"
        " than forty flaws.",
        how="The same dialogue: the port serves its protocol in clear, with STARTTLS or without.",
        connections="0",
        fix="Take the port (110, 143, 587) out of mailseal_endpoints, leave 995, 993 and 465, and"
        " roll out again: cyrus.conf loses the service, Exim's daemon_smtp_ports the port.",
        references=("RFC 8314, section 3", "Poddebniak et al., NO STARTTLS (2021)"),
        before_tls=True,
        rule=("starttls", "forbidden"),
        closed_too=True,
    ),
    of_endpoint(
        id="MT-AUTH-BEFORE-TLS",
        title="No authentication is offered before TLS",
        severity="critical",
        why="A client that is offered a login in clear takes it, and the password crosses the"
        " network readable.",
        how="The same capabilities: AUTH, AUTH=, SASL, USER, and for IMAP the absence of"
        " LOGINDISABLED.",
        connections="0",
        fix="Roll out again. Cyrus: allowplaintext: no, tls_required: yes; Exim:"
        " auth_advertise_hosts = ${if def:tls_in_cipher{*}{}}. Whatever contradicts them stands in"
        " mailseal_cyrus_override_options or mailseal_exim_override_options.",
        references=("RFC 8314, section 3", "RFC 4954, section 4", "RFC 9051, section 11.1"),
        before_tls=True,
        rule=("clear_logins", "forbidden"),
    ),
    of_endpoint(
        id="MT-LOGIN-REFUSED",
        title="A login before TLS is refused before the password is looked at",
        severity="critical",
        why="Some clients send the password although nothing was offered; a server that checks it"
        " teaches them that this works.",
        how="A login of a user that cannot exist; whether the reply asks for TLS or speaks"
        " of the password.",
        connections="0",
        fix="As for MT-AUTH-BEFORE-TLS. Cyrus: allowplaintext: no, tls_required: yes; Exim: no"
        " AUTH outside TLS.",
        references=("RFC 8314, section 3.2", "RFC 4954, section 6"),
        before_tls=True,
        rule=("clear_logins", "forbidden"),
    ),
    of_endpoint(
        id="MT-MAIL-BEFORE-TLS",
        title="Submission without TLS is refused at MAIL",
        severity="high",
        why="Envelope and message would cross the network readable.",
        how="MAIL FROM:<> in clear on a submission port, and no recipient.",
        connections="0",
        fix="Give the port a profile that requires TLS (mailseal_endpoints, profile: submission)"
        " and roll out again: the role exim then answers 530. By hand: deny in acl_smtp_mail"
        " unless $tls_in_cipher is set.",
        references=("RFC 8314, section 3.3", "RFC 3207, section 4"),
        before_tls=True,
        required_only=True,
        services=("smtp",),
    ),
    of_endpoint(
        id="MT-GREETING-PREAUTH",
        title="IMAP does not greet with PREAUTH",
        severity="high",
        why="After PREAUTH there is no way to STARTTLS: an attacker who forges it gets the session"
        " in clear.",
        how="The greeting is read.",
        connections="0",
        fix="Never run imapd pre-authenticated on a public port.",
        references=("RFC 9051, section 7.1.4", "CVE-2020-12398"),
        before_tls=True,
        services=("imap",),
    ),
)
