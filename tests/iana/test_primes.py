"""The primes that servers share, against tlslite-ng's copies of them."""

import pytest
from tlslite import mathtls

from audit.iana.primes import is_doubtful, prime_name

_NAMES = {
    "RFC2409_GROUP1": "RFC 2409 (768 bits)",
    "RFC2409_GROUP2": "RFC 2409 (1024 bits)",
    "RFC3526_GROUP5": "RFC 3526 (1536 bits)",
    "RFC3526_GROUP14": "RFC 3526 (2048 bits)",
    "RFC3526_GROUP15": "RFC 3526 (3072 bits)",
    "RFC3526_GROUP16": "RFC 3526 (4096 bits)",
    "RFC3526_GROUP17": "RFC 3526 (6144 bits)",
    "RFC3526_GROUP18": "RFC 3526 (8192 bits)",
    "RFC5114_GROUP22": "RFC 5114 group 22 (1024 bits)",
    "RFC5114_GROUP23": "RFC 5114 group 23 (2048 bits)",
    "RFC5114_GROUP24": "RFC 5114 group 24 (2048 bits)",
    **{f"FFDHE{bits}": f"ffdhe{bits}" for bits in (2048, 3072, 4096, 6144, 8192)},
}


@pytest.mark.parametrize(("constant", "name"), _NAMES.items())
def test_every_known_prime_has_its_name(constant: str, name: str) -> None:
    """Those from a formula too."""
    assert prime_name(getattr(mathtls, constant)[1]) == name


def test_small_and_unexplained_primes_are_doubtful() -> None:
    """And those of RFC 3526 and RFC 7919 from 2048 bits on are not."""
    doubtful = {name for name in _NAMES.values() if is_doubtful(name)}
    assert doubtful == {n for n in _NAMES.values() if n.startswith(("RFC 2409", "RFC 5114"))} | {
        "RFC 3526 (1536 bits)"
    }


def test_other_primes_have_no_name() -> None:
    """A server's own."""
    assert prime_name((1 << 2047) + 1) == ""
