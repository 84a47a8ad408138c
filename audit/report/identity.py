"""Names that stay the same from run to run, for formats that compare."""

from hashlib import sha256
from uuid import NAMESPACE_URL, uuid5

from audit.findings import Finding

_OURS = uuid5(NAMESPACE_URL, "urn:mailseal")


def uuid(*words: str) -> str:
    """A UUID (RFC 9562, version 5) of these words in this order: the same words, the same UUID."""
    return str(uuid5(_OURS, _joined(words)))


def fingerprint(finding: Finding) -> str:
    """What makes a finding the same in every run: host, address, port, check and policy."""
    f = finding
    words = (f.host, f.address, str(f.port), f.check, f.policy)
    return sha256(_joined(words).encode()).hexdigest()[:32]


def _joined(words: tuple[str, ...]) -> str:
    """Injective, whatever the words hold, and text that UTF-8 can carry."""
    return "".join(f"{len(word)}:{word}" for word in words).encode("utf-8", "replace").decode()
