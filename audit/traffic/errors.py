"""Why a handshake failed, by the words that libraries have for it. Pure."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

Reason = Literal["old-version", "not-tls", "no-suite", "our-certificate", "other"]

# What it means, and why a forecast does not charge it to a policy: it is so without it.
REASONS: Mapping[Reason, str] = {
    "old-version": "its versions are too old for the server even now",
    "not-tls": "what it sends is no TLS",
    "no-suite": "it has no suite in common with the server even now",
    "our-certificate": "it does not accept the server's certificate",
    "other": "its handshakes fail, and the log does not say why",
}

# The first that fits. "wrong version number" is said of bytes that are no TLS as well.
_WORDS: tuple[tuple[Reason, re.Pattern[bytes]], ...] = (
    (
        "old-version",
        re.compile(rb"unsupported protocol|version too low|illegal or unsupported version"),
    ),
    (
        "not-tls",
        re.compile(rb"wrong version number|http request|unknown protocol|unexpected TLS packet"),
    ),
    (
        "no-suite",
        re.compile(
            rb"no shared cipher|[Nn]o supported cipher suites|Could not negotiate a supported"
        ),
    ),
    (
        "our-certificate",
        re.compile(
            rb"alert (?:bad certificate|unknown ca|certificate unknown)"
            rb"|Certificate is bad|CA is unknown"
        ),
    ),
)


@lru_cache(maxsize=4096)
def reason(text: bytes) -> Reason:
    """What the words mean for the client that met them."""
    return next((name for name, words in _WORDS if words.search(text)), "other")
