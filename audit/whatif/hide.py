"""Names of users, made unreadable: the same name gives the same word, and no word its name."""

import hmac
import secrets
from collections.abc import Callable
from pathlib import Path

from audit.errors import MailsealError

_LEAST, _MOST = 16, 1 << 16  # bytes of a key
_SHOWN = 16  # hexadecimal digits; among a million names two alike are one in ten million


def hasher(key_file: Path | None) -> Callable[[str], str]:
    """What makes a word of a name: HMAC-SHA-256, by a key that nobody has or one that is kept.

    Args:
        key_file: holds the key, so that several reports have the same words; None for a key that
            is forgotten with this report.

    Raises:
        MailsealError: the file cannot be read, or is no key.
    """
    key = _read(key_file) if key_file else secrets.token_bytes(32)

    def hashed(name: str) -> str:
        digest = hmac.digest(key, name.encode("utf-8", "surrogatepass"), "sha256")
        return f"user-{digest.hex()[:_SHOWN]}"

    return hashed


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            key = file.read(_MOST + 1)
    except OSError as error:
        raise MailsealError(f"{path}: the key cannot be read ({error.strerror})") from None
    if not _LEAST <= len(key) <= _MOST:
        raise MailsealError(f"{path}: a key has {_LEAST} bytes at least and {_MOST} at most")
    return key
