"""A run as bytes, and back. Pure.

Servers choose what they say, so texts may hold halves of characters (lone surrogates) and primes
thousands of digits: JSON with escapes carries the ones, hexadecimal the others. LZMA finds what is
alike on all endpoints, and its checksum finds what the disk has changed.
"""

import json
import lzma
from typing import Any

import msgspec

from audit.errors import MALFORMED
from audit.findings import Run

_LARGEST = 1 << 28  # bytes; a night of 25 hosts has 7 MB
_PRESET = 1  # higher ones take ten times as long for the last few percent


class UnreadableError(ValueError):
    """The bytes are no run, or one of another edition of this program."""


def pack(run: Run) -> bytes:
    """The run as bytes."""
    document = msgspec.to_builtins(run)
    for endpoint in document["endpoints"]:
        endpoint["dh_primes"] = _each(endpoint["dh_primes"], hex)
    text = json.dumps(document, separators=(",", ":"))
    return lzma.compress(text.encode("ascii"), preset=_PRESET)


def unpack(content: bytes) -> Run:
    """The run.

    Raises:
        UnreadableError: it cannot be read.
    """
    try:
        opened = lzma.LZMADecompressor()
        text = opened.decompress(content, _LARGEST)
        if not opened.eof:
            raise UnreadableError("it has no end, or is too long for a run")
        document = json.loads(text)
        for endpoint in document["endpoints"]:
            endpoint["dh_primes"] = _each(endpoint["dh_primes"], lambda text: int(text, 16))
        return msgspec.convert(document, Run)
    except (lzma.LZMAError, LookupError, TypeError, *MALFORMED) as error:
        raise UnreadableError(str(error)) from None


def _each(primes: Any, change: Any) -> Any:  # noqa: ANN401 - None or a list, of either kind
    return primes if primes is None else [change(prime) for prime in primes]
