"""Every check there is: its id, what it means, why it matters, how to mend a failure."""

from audit.judge.catalogue import certificate, extensions, host, protocol, starttls, transport
from audit.judge.catalogue.check import Check

_SUBJECTS = (transport, starttls, protocol, extensions, certificate, host)
CATALOGUE: dict[str, Check] = {row.id: row for subject in _SUBJECTS for row in subject.ROWS}

__all__ = ["CATALOGUE", "Check"]
