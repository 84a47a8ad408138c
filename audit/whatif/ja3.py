"""The offer in a `ssl_ja3` of Dovecot (2.4 or newer): `version,suites,extensions,groups,points`.

It has no list of versions and no signatures. Whether TLS 1.3 is offered is told by its suites.
Source: the words of JA3 (Salesforce, 2017); Dovecot's settings, `%{ssl_ja3}`.
"""

from collections.abc import Iterable

from audit.iana import VERSIONS, group, suite, version_name
from audit.iana.versions import CODES
from audit.traffic.tally import Use
from audit.wire.client_hello import KEY_SHARE, meaningless
from audit.wire.offer import Offer

_FIELDS, _GROUPS, _LARGEST = 5, 10, 0xFFFF
_TLS13 = range(0x1301, 0x1304)
_SIGNALS = {0x00FF, 0x5600}  # RFC 5746 and RFC 7507: no suites


# Use, address, login, X=: what a tally counts clients by. Of an offer, its JA3 comes behind them.
Sight = tuple[Use, bytes, bytes, bytes]
Logged = tuple[Use, bytes, bytes, bytes, bytes]


def by_sight(logged: Iterable[Logged]) -> dict[Sight, dict[Offer, str]]:
    """The offers that were logged with each kind of session; what is no JA3 is left out."""
    found: dict[Sight, dict[Offer, str]] = {}
    for use, ip, login, x, words in logged:
        offer = parse(words.decode("ascii", "replace"))
        if offer is not None:
            found.setdefault((use, ip, login, x), {})[offer] = "the JA3 in the log"
    return found


def parse(words: str) -> Offer | None:
    """What the client offers, as far as it is told; None if the words are no JA3."""
    fields = words.split(",")
    lists = [_numbers(text) for text in fields]
    if len(fields) != _FIELDS or None in lists:
        return None
    versions, codes, extensions, groups = (found or () for found in lists[:4])
    if len(versions) != 1 or not codes:
        return None
    version = versions[0]
    newest = (
        "TLSv1.3"
        if any(c in _TLS13 for c in codes)
        else version_name(min(version, CODES["TLSv1.2"]))
    )
    if newest is None:
        return None
    named = tuple(group(code) for code in groups if not meaningless(code))
    suites = tuple(suite(c) for c in codes if c not in _SIGNALS and not meaningless(c))
    return Offer(
        legacy=version,
        versions=VERSIONS[1 : VERSIONS.index(newest) + 1][::-1],
        suites=suites,
        groups=named if _GROUPS in extensions else None,
        shares=() if KEY_SHARE in extensions else None,
        extensions=extensions,
    )


def _numbers(text: str) -> tuple[int, ...] | None:
    """A list of numbers of two bytes, between dashes; None if it is none."""
    parts = text.split("-") if text else []
    if not all(p.isascii() and p.isdigit() and len(p) <= len(str(_LARGEST)) for p in parts):
        return None
    found = tuple(map(int, parts))
    return found if all(number <= _LARGEST for number in found) else None
