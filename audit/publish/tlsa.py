"""TLSA records for certificate chains (RFC 6698, section 2.1; RFC 7672, section 3.1). Pure."""

import hashlib
from collections.abc import Sequence

from audit.wire.certificate import public_key

_ANCHOR, _LEAF = 2, 3
_DIGESTS = {1: hashlib.sha256, 2: hashlib.sha512}


def record(usage: str, chain: Sequence[bytes]) -> str:
    """The record of a kind for a chain in DER, leaf first.

    `2 1 1` names the last certificate that is served: what is above it no sender is given.

    Raises:
        ValueError: a chain without its authority, which `2 1 1` needs in it (RFC 7672, 3.1.2).
    """
    if usage[0] == str(_ANCHOR):
        if len(chain) < 2:  # noqa: PLR2004 - a leaf and what is above it
            raise ValueError(
                f"{usage} needs the authority's certificate in the chain that is served"
            )
        return _record(_ANCHOR, 1, 1, chain[-1])
    return _record(_LEAF, 1, 1, chain[0])


def vouching(chain: Sequence[bytes]) -> frozenset[str]:
    """Every record that would vouch for a chain: for its leaf, and for each authority in it."""
    named = [(_LEAF, chain[0]), *((_ANCHOR, one) for one in chain[1:])]
    return frozenset(
        _record(usage, selector, matching, der)
        for usage, der in named
        for selector in (0, 1)
        for matching in (0, *_DIGESTS)
    )


def _record(usage: int, selector: int, matching: int, der: bytes) -> str:
    data = public_key(der) if selector else der
    found = _DIGESTS[matching](data).digest() if matching else data
    return f"{usage} {selector} {matching} {found.hex()}"
