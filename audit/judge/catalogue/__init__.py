"""Every check there is: its id, what it means, why it matters, how to mend a failure."""

from audit.judge.catalogue import certificate, cluster, extensions, host, protocol, transport
from audit.judge.catalogue.check import Check

_SUBJECTS = (transport, protocol, extensions, certificate, cluster, host)
CATALOGUE: dict[str, Check] = {row.id: row for subject in _SUBJECTS for row in subject.ROWS}

__all__ = ["CATALOGUE", "Check"]
