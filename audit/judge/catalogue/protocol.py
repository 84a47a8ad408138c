"""Versions, suites, groups, compression: what a ServerHello shows."""

from audit.judge.catalogue.check import Check, of_endpoint

_VERSIONS_FIX = (
    "The versions are those of mailseal_policy: roll out again. Cyrus: tls_versions: tls1_2 tls1_3;"
    " Exim on OpenSSL: openssl_options = +no_sslv3 +no_tlsv1 +no_tlsv1_1; on GnuTLS: +VERS-... in"
    " tls_require_ciphers."
)
_SUITES_FIX = (
    "The suites are those of mailseal_policy: roll out again. Cyrus: tls_ciphers; Exim:"
    " tls_require_ciphers; for TLS 1.3 Ciphersuites in /etc/mailseal/openssl.cnf."
)

ROWS: tuple[Check, ...] = (
    of_endpoint(
        id="MT-SSL2",
        title="SSLv2 is as the policy says",
        severity="critical",
        why="SSLv2 opens even TLS sessions that use the same key (DROWN).",
        how="An SSLv2 CLIENT-HELLO with all seven kinds of cipher.",
        connections="1",
        fix=_VERSIONS_FIX,
        references=("RFC 6176", "CVE-2016-0800"),
    ),
    of_endpoint(
        id="MT-SSL3",
        title="SSLv3 is as the policy says",
        severity="critical",
        why="The padding of SSLv3 lets an attacker read cookies and passwords (POODLE).",
        how="A ClientHello of SSLv3 without extensions, every suite offered.",
        connections="1",
        fix=_VERSIONS_FIX,
        references=("RFC 7568", "CVE-2014-3566"),
    ),
    of_endpoint(
        id="MT-TLS10",
        title="TLS 1.0 is as the policy says",
        severity="high",
        why="TLS 1.0 rests on MD5, SHA-1 and CBC with known IVs (BEAST).",
        how="A ClientHello of TLS 1.0, every suite offered; a short one after a refusal.",
        connections="1",
        fix=_VERSIONS_FIX,
        references=("RFC 8996", "CVE-2011-3389"),
    ),
    of_endpoint(
        id="MT-TLS11",
        title="TLS 1.1 is as the policy says",
        severity="high",
        why="TLS 1.1 rests on MD5 and SHA-1 and knows no AEAD.",
        how="A ClientHello of TLS 1.1, every suite offered; a short one after a refusal.",
        connections="1",
        fix=_VERSIONS_FIX,
        references=("RFC 8996",),
    ),
    of_endpoint(
        id="MT-TLS12",
        title="TLS 1.2 is as the policy says",
        severity="high",
        why="Most mail clients still in use need it.",
        how="A ClientHello of TLS 1.2, every suite offered.",
        connections="1",
        fix=_VERSIONS_FIX,
        references=("RFC 9325, section 3.1", "RFC 8997"),
    ),
    of_endpoint(
        id="MT-TLS13",
        title="TLS 1.3 is as the policy says",
        severity="medium",
        why="TLS 1.3 leaves out everything that older versions had to be told to leave out.",
        how="A ClientHello of TLS 1.3 alone, every suite and group offered, no key share.",
        connections="1",
        fix=_VERSIONS_FIX,
        references=("RFC 8446", "RFC 9325, section 3.1"),
    ),
    of_endpoint(
        id="MT-CIPHER-SET",
        title="Exactly the cipher suites of the policy are accepted",
        severity="high",
        why="A suite too many is a weakness somebody will negotiate; one too few locks out"
        " clients.",
        how="Every suite is offered, the chosen one left out of the next hello, until the"
        " server refuses all the rest.",
        connections="1 for each accepted suite",
        fix=_SUITES_FIX,
        references=("RFC 9325, section 4", "RFC 10015"),
    ),
    of_endpoint(
        id="MT-CIPHER-ORDER",
        title="The server's order decides, and it is the policy's",
        severity="medium",
        why="Where the client's order decides, old clients choose weak suites by habit.",
        how="What the policy wants is offered last and in reverse, so that the choices show"
        " whose order decides.",
        connections="0, or 1 where they do not",
        fix="The order is that of mailseal_policy: roll out again. Cyrus:"
        " tls_prefer_server_ciphers: yes; Exim on OpenSSL: openssl_options ="
        " +cipher_server_preference; on GnuTLS: %SERVER_PRECEDENCE in tls_require_ciphers.",
        references=("RFC 9325, section 4.2.1",),
    ),
    of_endpoint(
        id="MT-CURVES",
        title="Exactly the groups of the policy are used, in its order",
        severity="medium",
        why="One group only locks out clients; a small or slow one weakens or burdens every"
        " handshake.",
        how="Every group is offered, the chosen one left out of the next hello, until the"
        " server refuses all the rest.",
        connections="1 for each group, and 1",
        fix="The groups are those of mailseal_policy: roll out again. OpenSSL: Groups in"
        " /etc/mailseal/openssl.cnf with tls_eccurve auto; GnuTLS: +GROUP-... in"
        " tls_require_ciphers.",
        references=("RFC 8422, section 5.1.1", "RFC 8446, section 4.2.7"),
        thorough=True,
    ),
    of_endpoint(
        id="MT-DH-SIZE",
        title="The Diffie-Hellman group is as large as the policy says",
        severity="high",
        why="A prime of 1024 bits can be broken once for all who use it (Logjam).",
        how="The prime in ServerKeyExchange, once with the groups of RFC 7919 offered and"
        " once without.",
        connections="1",
        fix="Cyrus: tls_server_dhparam; Exim: tls_dhparam = ffdhe3072; better, a mailseal_policy"
        " without DHE.",
        references=("RFC 9325, section 4.1", "CVE-2015-4000", "RFC 7919"),
        dhe_only=True,
    ),
    of_endpoint(
        id="MT-HANDSHAKE",
        title="A complete handshake succeeds",
        severity="high",
        why="A ServerHello promises; only the end of a handshake shows that the server holds its"
        " key and that clients get through.",
        how="OpenSSL shakes hands to the end.",
        connections="1",
        fix="Look into the daemon's log. Certificate and key must belong together: the role"
        " tls_certificate lays out both, from mailseal_certificate_source or signed by"
        " mailseal_ca_dir.",
        references=("RFC 8446, section 4.4",),
    ),
    of_endpoint(
        id="MT-COMPRESS",
        title="TLS compression is off",
        severity="high",
        why="The size of compressed records gives away what they hold (CRIME).",
        how="DEFLATE and LZS are offered in every hello up to TLS 1.2.",
        connections="0",
        fix="Roll out again. Cyrus: tls_compression: no; Exim on OpenSSL: openssl_options ="
        " +no_compression.",
        references=("RFC 9325, section 3.3", "CVE-2012-4929"),
    ),
)
