"""The Debian roots that the daemons run on; built once, cached like the lab's own."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

from lab import base

_HERE = Path(__file__).parent
_SUITE = "bookworm"
# Postfix and Exim exclude each other, as do the two builds of Exim: so there are several roots.
_RECIPES: dict[str, Callable[[], base.Recipe]] = {
    "lab": base.recipe,  # Cyrus, and Exim on GnuTLS
    "dovecot-postfix": lambda: _recipe(
        "dovecot-postfix", "dovecot-imapd", "dovecot-pop3d", "postfix", "mount"
    ),
    "exim-openssl": lambda: _recipe(
        "exim-openssl", "exim4-daemon-light", "dpkg-dev", "mount", "openssl"
    ),
}


def _recipe(kind: str, *packages: str) -> base.Recipe:
    script = (_HERE / f"{kind}.sh").read_text(encoding="utf-8")
    return base.Recipe(_SUITE, base.architecture(), packages, script, kind)


@cache
def root(name: str) -> Path:
    """The finished root of that name, built first if need be."""
    return base.ensure(_RECIPES[name]())
