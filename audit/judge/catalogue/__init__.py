"""Every check there is: its id, what it means, why it matters, how to mend a failure."""

from audit.judge.catalogue import certificate, host, protocol, starttls, transport
from audit.judge.catalogue.check import Check

CATALOGUE: dict[str, Check] = {
    row.id: row
    for subject in (transport, starttls, protocol, certificate, host)
    for row in subject.ROWS
}

__all__ = ["CATALOGUE", "Check"]
