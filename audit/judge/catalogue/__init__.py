"""Every check there is: its id, what it means, why it matters, how to mend a failure."""

from audit.judge.catalogue import (
    certificate,
    cluster,
    domain,
    extensions,
    host,
    protocol,
    starttls,
    transport,
)
from audit.judge.catalogue.check import Check

# The checks under the headings that reports and docs/checks.md show them by.
SUBJECTS: dict[str, tuple[Check, ...]] = {
    "Before TLS": transport.ROWS,
    "Across the start of TLS": starttls.ROWS,
    "Handshake": protocol.ROWS,
    "Extensions and attacks": extensions.ROWS,
    "Certificate": certificate.ROWS,
    "Together": cluster.ROWS,
    "Host": host.ROWS,
    "Domain": domain.ROWS,
}
CATALOGUE: dict[str, Check] = {row.id: row for rows in SUBJECTS.values() for row in rows}

__all__ = ["CATALOGUE", "SUBJECTS", "Check"]
