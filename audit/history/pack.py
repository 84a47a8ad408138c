"""A run as bytes, and back. Pure.

Servers choose what they say, so texts may hold halves of characters (lone surrogates) and primes
thousands of digits: JSON with escapes carries the ones, hexadecimal the others. LZMA finds what is
alike on all endpoints, and its checksum finds what the disk has changed.
"""

import json
import lzma
import re
from typing import Any

import msgspec
from msgspec.structs import replace

from audit.facts import HostFacts
from audit.findings import Run

_PRESET = 1  # higher ones take ten times as long for the last few percent
# Names of settings of daemons. Narrower than what `audit.rollout.discreet` takes out of texts: a
# setting that is not kept cannot be seen to drift.
_SECRET = re.compile("passw|secret|_pw$")
_NOT_KEPT = "(not kept)"


class UnreadableError(ValueError):
    """The bytes are no run, or one of another edition of this program."""


def pack(run: Run) -> bytes:
    """The run, without the passwords that stand in a configuration."""
    bare = replace(run, hosts=tuple(map(_without_secrets, run.hosts)))
    document = msgspec.to_builtins(bare)
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
        document = json.loads(lzma.decompress(content))
        for endpoint in document["endpoints"]:
            endpoint["dh_primes"] = _each(endpoint["dh_primes"], lambda text: int(text, 16))
        return msgspec.convert(document, Run)
    except (lzma.LZMAError, ValueError, LookupError, TypeError) as error:
        raise UnreadableError(str(error)) from None


def _each(primes: Any, change: Any) -> Any:  # noqa: ANN401 - None or a list, of either kind
    return primes if primes is None else [change(prime) for prime in primes]


def _without_secrets(facts: HostFacts) -> HostFacts:
    options = {
        daemon: {name: _NOT_KEPT if _SECRET.search(name) else value for name, value in told.items()}
        for daemon, told in facts.options.items()
    }
    return replace(facts, options=options)
