"""Certificates: chain, name, time, key, signature."""

from audit.judge.catalogue.check import Check, of_endpoint

ROWS: tuple[Check, ...] = (
    of_endpoint(
        id="MT-CERT-CHAIN",
        title="The certificate chain leads to a trusted root",
        severity="high",
        why="Clients cannot tell this server from an attacker's.",
        how="OpenSSL builds the path from the chains served, dates left aside; the leaf's"
        " extended key usage.",
        connections="0, or 1 for each kind of key that only TLS 1.3 shows",
        fix="Deploy the leaf followed by every intermediate certificate"
        " (mailseal_certificate_source, role tls_certificate). mailseal_ca_file names the roots"
        " that are trusted here.",
        references=("RFC 5280, section 6", "RFC 8446, section 4.4.2"),
        by_authority=True,
    ),
    of_endpoint(
        id="MT-CERT-NAME",
        title="The certificate is for the name that clients use",
        severity="high",
        why="Clients refuse it, or have been taught to accept anything.",
        how="The subjectAltNames of each leaf against the name that clients use.",
        connections="0",
        fix="Issue it for the names that clients use (mailseal_server_name,"
        " mailseal_certificate_names) and roll out again.",
        references=("RFC 9525, section 6", "RFC 7817"),
        by_authority=True,
    ),
    of_endpoint(
        id="MT-CERT-TIME",
        title="The certificate is valid now and for some days to come",
        severity="high",
        why="The day it ends, every client stops.",
        how="The dates of the verified path.",
        connections="0",
        fix="Roll out again: what mailseal_ca_dir signs is renewed mailseal_certificate_renew_days"
        " before its end; otherwise put the new one where mailseal_certificate_source points. The"
        " daemon is restarted with it.",
        references=("RFC 5280, section 4.1.2.5",),
        by_authority=True,
    ),
    of_endpoint(
        id="MT-CERT-KEY",
        title="The certificate's key is strong enough",
        severity="high",
        why="A short key can be factored, and with it every session forged.",
        how="The keys of the verified path.",
        connections="0",
        fix="Make a new key of the policy's size and a certificate for it, and name both in"
        " mailseal_certificate_source.",
        references=("RFC 9325, section 4.5", "NIST SP 800-57 part 1"),
    ),
    of_endpoint(
        id="MT-CERT-SIG",
        title="The certificate is signed with a sound hash",
        severity="medium",
        why="A signature over SHA-1 or MD5 can be carried over to a forged certificate.",
        how="The signatures of the verified path, the root's left aside.",
        connections="0",
        fix="Have the certificate issued again with SHA-256 or better, and name it in"
        " mailseal_certificate_source.",
        references=("RFC 9155", "RFC 9325, section 4.5"),
    ),
    of_endpoint(
        id="MT-CERT-SANS",
        title="The certificate carries its names as subjectAltName",
        severity="low",
        why="Clients no longer look at the common name.",
        how="The subjectAltName extension of each leaf.",
        connections="0",
        fix="Issue it with a dNSName for every service name (mailseal_certificate_names).",
        references=("RFC 9525, section 2",),
    ),
)
