"""GnuTLS priority strings: what they can say, and what they cannot.

A priority lists key exchanges, ciphers and MACs; the suites are their product, ordered by key
exchange, then cipher, then MAC, and the order of the ciphers is that of TLS 1.3 too (GnuTLS
manual, "Priority strings"). So the compiler expands the product and compares it with the policy.
"""

from datetime import date

from audit.iana import SUITES, Suite, group, suite
from audit.policy.model import Profile, allowed

_VERSIONS = {"TLSv1.0": "TLS1.0", "TLSv1.1": "TLS1.1", "TLSv1.2": "TLS1.2", "TLSv1.3": "TLS1.3"}
_CIPHERS = {
    "AES_256_GCM": "AES-256-GCM",
    "CHACHA20_POLY1305": "CHACHA20-POLY1305",
    "AES_128_GCM": "AES-128-GCM",
    "AES_256_CCM": "AES-256-CCM",
    "AES_128_CCM": "AES-128-CCM",
    "AES_256_CBC": "AES-256-CBC",
    "AES_128_CBC": "AES-128-CBC",
    "CAMELLIA_256_CBC": "CAMELLIA-256-CBC",
    "CAMELLIA_128_CBC": "CAMELLIA-128-CBC",
    "3DES_EDE_CBC": "3DES-CBC",
}
_EXCHANGES = {
    ("ECDHE", "ECDSA"): "ECDHE-ECDSA",
    ("ECDHE", "RSA"): "ECDHE-RSA",
    ("DHE", "RSA"): "DHE-RSA",
    ("RSA", "RSA"): "RSA",
}
_MACS = {"SHA": "SHA1", "SHA256": "SHA256", "SHA384": "SHA384"}
_SIGNATURES = {
    "sha256": ("ECDSA-SECP256R1-SHA256", "ECDSA-SHA256"),
    "sha384": ("ECDSA-SECP384R1-SHA384", "ECDSA-SHA384"),
    "sha512": ("ECDSA-SECP521R1-SHA512", "ECDSA-SHA512"),
}

Axes = tuple[list[tuple[str, str]], list[str], list[str]]


def _axes(suites: list[Suite]) -> Axes:
    """The key exchanges, ciphers and MACs in order of first appearance."""
    older = [s for s in suites if not s.tls13]
    exchanges = dict.fromkeys((s.key_exchange, s.authentication) for s in older)
    macs = dict.fromkeys(_mac(s) for s in older)
    return list(exchanges), list(dict.fromkeys(s.cipher for s in suites)), list(macs)


def _mac(found: Suite) -> str:
    return "AEAD" if found.aead else _MACS.get(found.hash or "", "none")


def product(suites: list[Suite]) -> list[Suite]:
    """The suites that a priority for these ones gives, in the order GnuTLS puts them."""
    exchanges, ciphers, macs = _axes(suites)
    tls13 = [s for c in ciphers for s in SUITES if s.tls13 and s.cipher == c]
    by_axes: dict[tuple[str, str, str, str], Suite] = {
        (s.key_exchange, s.authentication, s.cipher, _mac(s)): s
        for s in SUITES
        if not s.tls13 and "EXPORT" not in s.name
    }
    older = [
        by_axes[(*kx, cipher, mac)]
        for kx in exchanges
        for cipher in ciphers
        for mac in macs
        if (*kx, cipher, mac) in by_axes
    ]
    return [*tls13, *older]


def obstacles(profile: Profile, day: date) -> list[str]:
    """Why no priority string serves exactly these suites; empty if one does."""
    wanted = [suite(name) for name in allowed(profile.suites, day)]
    unknown = [
        s.name
        for s in wanted
        if s.cipher not in _CIPHERS
        or (not s.tls13 and (s.key_exchange, s.authentication) not in _EXCHANGES)
        or _mac(s) == "none"
    ]
    if unknown:
        return [f"GnuTLS has no {name}" for name in unknown]
    served = [s for s in product(wanted) if _reachable(s, profile, day)]
    reasons = [
        f"its suites are a product of key exchanges, ciphers and MACs, and {s.name} comes with them"
        for s in served
        if s not in wanted
    ]
    if not reasons and served != [s for s in wanted if _reachable(s, profile, day)]:
        reasons.append(
            "its order is by key exchange, then cipher, then MAC, the same ciphers first in every"
            " version, and this policy's is another"
        )
    return reasons


def _reachable(found: Suite, profile: Profile, day: date) -> bool:
    return any(found.usable_in(v) for v in profile.allowed_versions(day))


def priority(profile: Profile, day: date) -> str:
    """The priority string: NONE, then every single thing the policy wants.

    So nothing implicit comes in with a library update.
    """
    suites = [suite(name) for name in allowed(profile.suites, day)]
    exchanges, ciphers, macs = _axes(suites)
    groups = [g.gnutls for g in map(group, allowed(profile.groups, day)) if g.gnutls]
    hashes = list(allowed(profile.certificate.signature_hashes, day))
    words = [
        "NONE",
        *(f"+VERS-{_VERSIONS[v]}" for v in reversed(profile.allowed_versions(day))),
        *(f"+{mac}" for mac in macs or ["AEAD"]),
        *(f"+{_EXCHANGES[kx]}" for kx in exchanges),
        *(f"+{_CIPHERS[cipher]}" for cipher in ciphers),
        *(f"+{name}" for name in groups),
        *(f"+SIGN-{name}" for h in hashes for name in _SIGNATURES.get(h, ())),
        # An unknown name voids the whole string, and PSS is not defined with older hashes.
        *(f"+SIGN-RSA-PSS-RSAE-{h.upper()}" for h in hashes if h in _SIGNATURES),
        *(f"+SIGN-RSA-{h.upper()}" for h in hashes),
        "+COMP-NULL",
        "+CTYPE-X509",
    ]
    if profile.preference == "server":
        words.append("%SERVER_PRECEDENCE")
    return ":".join(words)
