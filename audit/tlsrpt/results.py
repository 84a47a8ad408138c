"""Why a session failed, as reports name it: what it means, what to do, what we check of it. Pure.

Source: RFC 8460, section 4.3; IANA, "STARTTLS Validation Result Types".
"""

from collections.abc import Mapping
from typing import Literal, get_args

from msgspec import Struct

ResultType = Literal[
    "starttls-not-supported",
    "certificate-host-mismatch",
    "certificate-expired",
    "certificate-not-trusted",
    "validation-failure",
    "tlsa-invalid",
    "dnssec-invalid",
    "dane-required",
    "sts-policy-fetch-error",
    "sts-policy-invalid",
    "sts-webpki-invalid",
]
RESULT_TYPES: tuple[ResultType, ...] = get_args(ResultType)


class Meaning(Struct, frozen=True):
    """One reason.

    Attributes:
        words: what it means.
        advice: what to do.
        checks: our checks that see the same from outside.
    """

    words: str
    advice: str
    checks: tuple[str, ...]


MEANINGS: Mapping[ResultType, Meaning] = {
    "starttls-not-supported": Meaning(
        "the MX did not offer STARTTLS",
        "switch it on; if it is on, somebody between took the offer out",
        ("MT-STARTTLS-ADV", "MT-PORT-EXPECT"),
    ),
    "certificate-host-mismatch": Meaning(
        "the certificate has not the name of the MX",
        "issue one that names every MX of the domain",
        ("MT-CERT-NAME", "MT-CERT-SANS", "MT-MTA-STS-CERT"),
    ),
    "certificate-expired": Meaning(
        "the certificate had expired",
        "renew it, and restart what has the old one in memory",
        ("MT-CERT-TIME", "MT-MTA-STS-CERT"),
    ),
    "certificate-not-trusted": Meaning(
        "the sender does not trust who issued the certificate",
        "serve the whole chain, up to a root that others have",
        ("MT-CERT-CHAIN", "MT-MTA-STS-CERT"),
    ),
    "validation-failure": Meaning(
        "TLS failed for another reason",
        "see the reason that the sender gives; it may be versions and suites too",
        ("MT-HANDSHAKE", "MT-CERT-CHAIN", "MT-CERT-NAME", "MT-CERT-TIME", "MT-TLS12", "MT-DANE"),
    ),
    "tlsa-invalid": Meaning(
        "no TLSA record could be used",
        "publish records of the keys that are served, before the certificate changes",
        ("MT-DANE", "MT-DANE-RECORD"),
    ),
    "dnssec-invalid": Meaning(
        "DNSSEC could not be validated",
        "see whether signatures ran out and the parent's DS fits",
        ("MT-DNSSEC-VALID", "MT-DNSSEC-EXPIRY"),
    ),
    "dane-required": Meaning(
        "the sender requires DANE, and there are no signed TLSA records",
        "sign the zone of the MX and publish TLSA records",
        ("MT-DANE-RECORD", "MT-DNSSEC"),
    ),
    "sts-policy-fetch-error": Meaning(
        "the MTA-STS policy could not be fetched",
        "see that https://mta-sts.DOMAIN/.well-known/mta-sts.txt answers, without a redirect",
        ("MT-MTA-STS",),
    ),
    "sts-policy-invalid": Meaning(
        "the MTA-STS policy cannot be read",
        "mend the file (RFC 8461, section 3.2)",
        ("MT-MTA-STS", "MT-MTA-STS-MX"),
    ),
    "sts-webpki-invalid": Meaning(
        "the certificate of the MTA-STS policy's host cannot be verified",
        "issue one that names mta-sts.DOMAIN",
        ("MT-MTA-STS",),
    ),
}
OTHER = Meaning("the sender has a word of its own for it", "see the reason that it gives", ())


def meaning(result: str) -> Meaning:
    """What a result type means, known or not; some write them in capitals."""
    return next((MEANINGS[one] for one in RESULT_TYPES if one == result.lower()), OTHER)
