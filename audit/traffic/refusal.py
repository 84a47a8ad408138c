"""Why mail could not go to another host: for want of TLS, or of what was to be verified. Pure.

The words are those that Exim itself writes, or its TLS library.

Source: smtp.c, tls-gnu.c and tls-openssl.c of 4.96 to 4.99, and lines of a real Exim.
"""

import re
from typing import Literal

# Those that RFC 8460, section 4.3, has a word for are called so.
Refusal = Literal[
    "starttls-not-supported",
    "dane-required",
    "dnssec-invalid",
    "tlsa-invalid",
    "certificate-host-mismatch",
    "certificate-not-verified",
    "mta-sts-unlisted",
    "tls-failed",
]
REFUSALS: dict[Refusal, str] = {
    "starttls-not-supported": "no STARTTLS",
    "dane-required": "no signed TLSA, which is required",
    "dnssec-invalid": "TLSA could not be looked up",
    "tlsa-invalid": "no usable TLSA",
    "certificate-host-mismatch": "certificate of another name",
    "certificate-not-verified": "certificate not verified",
    "mta-sts-unlisted": "not in the MTA-STS policy",
    "tls-failed": "TLS failed otherwise",
}
# The first that fits.
_WORDS: tuple[tuple[Refusal, re.Pattern[bytes]], ...] = (
    ("starttls-not-supported", re.compile(rb"a TLS session is required, but the server did not")),
    ("dane-required", re.compile(rb"DANE error: (?:tlsa lookup FAIL|\S+ lookup not DNSSEC)")),
    ("dnssec-invalid", re.compile(rb"DANE error: tlsa lookup ")),
    ("tlsa-invalid", re.compile(rb"\(certificate verification failed\): TLSA record problem: ")),
    # tls-gnu.c: every other failure to verify has its words behind it.
    ("certificate-host-mismatch", re.compile(rb"\(certificate verification failed\)$")),
    (
        "certificate-not-verified",
        re.compile(
            rb"\(certificate verification failed\): "
            rb"|\(SSL_connect\): error:\w+:SSL routines:\w*:certificate verify failed"
        ),
    ),
)


def refusal(words: bytes) -> Refusal:
    """What Exim's words mean."""
    return next((name for name, pattern in _WORDS if pattern.match(words)), "tls-failed")
