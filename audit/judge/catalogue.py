"""Every check there is: its id, what it means, why it matters, how to mend a failure."""

from dataclasses import dataclass
from typing import Literal

from audit.findings import Severity

Scope = Literal["endpoint", "host"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One row of the catalogue.

    Attributes:
        id: stable name, used in findings, waivers and reports.
        title: what holds when it passes.
        scope: judged for each endpoint, or for each host.
        severity: how much a failure matters.
        why: what can happen otherwise.
        fix: what to change, by daemon where it differs.
        references: RFC sections, CVE numbers, manuals.
        before_tls: only where there is a time before TLS, that is with STARTTLS.
        required_only: only where the policy makes TLS mandatory.
        services: only these services; empty for all.
        dhe_only: only where the policy sets the size of the Diffie-Hellman group.
    """

    id: str
    title: str
    scope: Scope
    severity: Severity
    why: str
    fix: str
    references: tuple[str, ...]
    before_tls: bool = False
    required_only: bool = False
    services: tuple[str, ...] = ()
    dhe_only: bool = False


def _endpoint(**row: object) -> Check:
    return Check(scope="endpoint", **row)  # type: ignore[arg-type]


def _host(**row: object) -> Check:
    return Check(scope="host", **row)  # type: ignore[arg-type]


_VERSIONS_FIX = "Cyrus: tls_versions; Exim on OpenSSL: openssl_options +no_...; GnuTLS: +VERS-..."
_SUITES_FIX = "Cyrus: tls_ciphers; Exim: tls_require_ciphers. Roll out the compiled policy again."

_ROWS: tuple[Check, ...] = (
    _endpoint(
        id="MT-PORT-EXPECT",
        title="Listens where the inventory says, and nowhere else",
        severity="high",
        why="A service that should be there and is not is an outage; one that should not be there"
        " is one nobody hardens.",
        fix="Start the service or correct mailseal_endpoints in the inventory; stop what is not"
        " wanted.",
        references=("RFC 8314, section 3",),
    ),
    _endpoint(
        id="MT-STARTTLS-ADV",
        title="STARTTLS is advertised",
        severity="high",
        why="A client that does not see STARTTLS goes on in clear or not at all.",
        fix="Exim: tls_advertise_hosts = *; Cyrus from 3.8.6: allowstarttls: yes.",
        references=("RFC 3207, section 4", "RFC 9051, section 6.2.1", "RFC 2595, section 4"),
        before_tls=True,
    ),
    _endpoint(
        id="MT-AUTH-BEFORE-TLS",
        title="No authentication is offered before TLS",
        severity="critical",
        why="A client that is offered a login in clear takes it, and the password crosses the"
        " network readable.",
        fix="Cyrus: allowplaintext: no, tls_required: yes; Exim: auth_advertise_hosts ="
        " ${if def:tls_in_cipher{*}{}}.",
        references=("RFC 8314, section 3", "RFC 4954, section 4", "RFC 9051, section 11.1"),
        before_tls=True,
    ),
    _endpoint(
        id="MT-LOGIN-REFUSED",
        title="A login before TLS is refused before the password is looked at",
        severity="critical",
        why="Some clients send the password although nothing was offered; a server that checks it"
        " teaches them that this works.",
        fix="Cyrus: allowplaintext: no, tls_required: yes; Exim: no AUTH outside TLS.",
        references=("RFC 8314, section 3.2", "RFC 4954, section 6"),
        before_tls=True,
    ),
    _endpoint(
        id="MT-MAIL-BEFORE-TLS",
        title="Submission without TLS is refused at MAIL",
        severity="high",
        why="Envelope and message would cross the network readable.",
        fix="Exim: deny in acl_smtp_mail on 587 unless $tls_in_cipher is set.",
        references=("RFC 8314, section 3.3", "RFC 3207, section 4"),
        before_tls=True,
        required_only=True,
        services=("smtp",),
    ),
    _endpoint(
        id="MT-GREETING-PREAUTH",
        title="IMAP does not greet with PREAUTH",
        severity="high",
        why="After PREAUTH there is no way to STARTTLS: an attacker who forges it gets the session"
        " in clear.",
        fix="Never run imapd pre-authenticated on a public port.",
        references=("RFC 9051, section 7.1.4", "CVE-2020-12398"),
        before_tls=True,
        services=("imap",),
    ),
    _endpoint(
        id="MT-SSL2",
        title="SSLv2 is as the policy says",
        severity="critical",
        why="SSLv2 opens even TLS sessions that use the same key (DROWN).",
        fix=_VERSIONS_FIX,
        references=("RFC 6176", "CVE-2016-0800"),
    ),
    _endpoint(
        id="MT-SSL3",
        title="SSLv3 is as the policy says",
        severity="critical",
        why="The padding of SSLv3 lets an attacker read cookies and passwords (POODLE).",
        fix=_VERSIONS_FIX,
        references=("RFC 7568", "CVE-2014-3566"),
    ),
    _endpoint(
        id="MT-TLS10",
        title="TLS 1.0 is as the policy says",
        severity="high",
        why="TLS 1.0 rests on MD5, SHA-1 and CBC with known IVs (BEAST).",
        fix=_VERSIONS_FIX,
        references=("RFC 8996", "CVE-2011-3389"),
    ),
    _endpoint(
        id="MT-TLS11",
        title="TLS 1.1 is as the policy says",
        severity="high",
        why="TLS 1.1 rests on MD5 and SHA-1 and knows no AEAD.",
        fix=_VERSIONS_FIX,
        references=("RFC 8996",),
    ),
    _endpoint(
        id="MT-TLS12",
        title="TLS 1.2 is as the policy says",
        severity="high",
        why="Most mail clients still in use need it.",
        fix=_VERSIONS_FIX,
        references=("RFC 9325, section 3.1", "RFC 8997"),
    ),
    _endpoint(
        id="MT-TLS13",
        title="TLS 1.3 is as the policy says",
        severity="medium",
        why="TLS 1.3 leaves out everything that older versions had to be told to leave out.",
        fix=_VERSIONS_FIX,
        references=("RFC 8446", "RFC 9325, section 3.1"),
    ),
    _endpoint(
        id="MT-CIPHER-SET",
        title="Exactly the cipher suites of the policy are accepted",
        severity="high",
        why="A suite too many is a weakness somebody will negotiate; one too few locks out"
        " clients.",
        fix=_SUITES_FIX,
        references=("RFC 9325, section 4", "RFC 10015"),
    ),
    _endpoint(
        id="MT-CIPHER-ORDER",
        title="The server's order decides, and it is the policy's",
        severity="medium",
        why="Where the client's order decides, old clients choose weak suites by habit.",
        fix="Cyrus: tls_prefer_server_ciphers: yes; Exim on OpenSSL: +cipher_server_preference;"
        " GnuTLS: %SERVER_PRECEDENCE; the order itself as compiled.",
        references=("RFC 9325, section 4.2.1",),
    ),
    _endpoint(
        id="MT-CURVES",
        title="Exactly the groups of the policy are used, in its order",
        severity="medium",
        why="One group only locks out clients; a small or slow one weakens or burdens every"
        " handshake.",
        fix="OpenSSL: Groups in openssl.cnf with tls_eccurve auto; GnuTLS: +GROUP-...",
        references=("RFC 8422, section 5.1.1", "RFC 8446, section 4.2.7"),
    ),
    _endpoint(
        id="MT-DH-SIZE",
        title="The Diffie-Hellman group is as large as the policy says",
        severity="high",
        why="A prime of 1024 bits can be broken once for all who use it (Logjam).",
        fix="Cyrus: tls_server_dhparam; Exim: tls_dhparam; better, a policy without DHE.",
        references=("RFC 9325, section 4.1", "CVE-2015-4000", "RFC 7919"),
        dhe_only=True,
    ),
    _endpoint(
        id="MT-HANDSHAKE",
        title="A complete handshake succeeds",
        severity="high",
        why="A ServerHello promises; only the end of a handshake shows that the server holds its"
        " key and that clients get through.",
        fix="Look into the daemon's log; certificate and key must belong together.",
        references=("RFC 8446, section 4.4",),
    ),
    _endpoint(
        id="MT-COMPRESS",
        title="TLS compression is off",
        severity="high",
        why="The size of compressed records gives away what they hold (CRIME).",
        fix="Cyrus: tls_compression: no; Exim on OpenSSL: +no_compression.",
        references=("RFC 9325, section 3.3", "CVE-2012-4929"),
    ),
    _endpoint(
        id="MT-CERT-CHAIN",
        title="The certificate chain leads to a trusted root",
        severity="high",
        why="Clients cannot tell this server from an attacker's.",
        fix="Deploy the leaf followed by every intermediate certificate (role tls_certificate).",
        references=("RFC 5280, section 6", "RFC 8446, section 4.4.2"),
    ),
    _endpoint(
        id="MT-CERT-NAME",
        title="The certificate is for the name that clients use",
        severity="high",
        why="Clients refuse it, or have been taught to accept anything.",
        fix="Issue it for the service name: mailseal_server_name, mailseal_certificate_names.",
        references=("RFC 9525, section 6", "RFC 7817"),
    ),
    _endpoint(
        id="MT-CERT-TIME",
        title="The certificate is valid now and for some days to come",
        severity="high",
        why="The day it ends, every client stops.",
        fix="Renew it (role tls_certificate) and restart the daemon.",
        references=("RFC 5280, section 4.1.2.5",),
    ),
    _endpoint(
        id="MT-CERT-KEY",
        title="The certificate's key is strong enough",
        severity="high",
        why="A short key can be factored, and with it every session forged.",
        fix="Make a new key of the policy's size and a certificate for it.",
        references=("RFC 9325, section 4.5", "NIST SP 800-57 part 1"),
    ),
    _endpoint(
        id="MT-CERT-SIG",
        title="The certificate is signed with a sound hash",
        severity="medium",
        why="A signature over SHA-1 or MD5 can be carried over to a forged certificate.",
        fix="Have the certificate issued again with SHA-256 or better.",
        references=("RFC 9155", "RFC 9325, section 4.5"),
    ),
    _endpoint(
        id="MT-CERT-SANS",
        title="The certificate carries its names as subjectAltName",
        severity="low",
        why="Clients no longer look at the common name.",
        fix="Issue it with a dNSName for every service name.",
        references=("RFC 9525, section 2",),
    ),
    _host(
        id="MT-LIB-MAPPED",
        title="The serving processes use the TLS library they should",
        severity="high",
        why="A process on another library follows other rules than the ones that were compiled.",
        fix="Remove LD_LIBRARY_PATH or ld.so settings that lead elsewhere and restart the daemon.",
        references=("proc(5), /proc/pid/maps",),
    ),
    _host(
        id="MT-LIB-STALE",
        title="No serving process runs on a library file that was replaced",
        severity="high",
        why="After a security update the old code goes on serving until the process ends.",
        fix="Restart the daemon.",
        references=("proc(5), /proc/pid/maps",),
    ),
    _host(
        id="MT-RESTART-PENDING",
        title="No serving process is older than its configuration or certificate",
        severity="medium",
        why="What is on disk is not what clients meet; the next restart brings a surprise.",
        fix="Restart the daemon, or roll out again.",
        references=("proc(5), /proc/pid/stat",),
    ),
    _host(
        id="MT-CONF-EFFECTIVE",
        title="The effective settings are the compiled policy",
        severity="high",
        why="Somebody changed them by hand; what the wire shows today may change tomorrow.",
        fix="Roll out again; the finding names each option with what it is and should be.",
        references=("cyr_info(8)", "Exim specification, section 5.2, -bP"),
    ),
    _host(
        id="MT-KEY-PERM",
        title="Private keys are readable by the daemon only",
        severity="critical",
        why="Who can read the key can be the server.",
        fix="Owner root, group of the daemon, mode 0640 or tighter (role tls_certificate).",
        references=("RFC 5280, section 8",),
    ),
    _host(
        id="MT-LOG-ENABLED",
        title="TLS version and suite of every connection are logged",
        severity="medium",
        why="Without them nobody can say who a policy change would hurt, or what happened.",
        fix="Exim: log_selector = +tls_cipher; Cyrus: syslog mail.notice or lower to a file.",
        references=("Exim specification, section 53.15", "syslog.conf(5)"),
    ),
)

CATALOGUE: dict[str, Check] = {row.id: row for row in _ROWS}
