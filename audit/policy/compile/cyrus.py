"""Cyrus IMAP: imapd.conf options, and the openssl.cnf beside them.

Options and their history: lib/imapoptions of the releases 2.4.17 to 3.10.2.
"""

from datetime import date

from audit.policy.compile import openssl
from audit.policy.compile.target import DH_FILE, Compiled, Infeasible, Numbers, Target
from audit.policy.model import Policy, Profile

_VERSION_NAMES = {
    "TLSv1.0": "tls1_0",
    "TLSv1.1": "tls1_1",
    "TLSv1.2": "tls1_2",
    "TLSv1.3": "tls1_3",
}
# First releases with tls_versions, server order and ECDHE; with TLS 1.3; with tls_required.
_MODERN_TLS: Numbers = (2, 4, 18)
_NEW_NAMES: Numbers = (2, 5)
_TLS_REQUIRED: Numbers = (2, 5, 6)
_TLS13: Numbers = (3, 0, 12)
_DHPARAM: Numbers = (3, 1, 4)
_DHPARAM_IGNORED: Numbers = (3, 10)
# From these on STARTTLS is off unless this option turns it on.
_STARTTLS_OFF: tuple[Numbers, ...] = ((3, 8, 6), (3, 10, 2), (3, 12, 1))


def compile_cyrus(policy: Policy, target: Target, day: date) -> Compiled:
    """Options for every service of one Cyrus master.

    Raises:
        Infeasible: this release or library cannot do it; nothing weaker is written instead.
    """
    kinds = set(target.ports.values())
    profile = policy.profiles[next(iter(target.ports.values()))]
    refused, left_out = openssl.lacks(profile, target.library, day)
    refused += openssl.holes(profile, day)
    refused += _limits(profile, target, day)
    if len(kinds) > 1:
        refused.append("Cyrus serves one profile, not several")
    if refused:
        raise Infeasible(policy.id, target, refused)
    versions = profile.allowed_versions(day)
    options = {
        "tls_versions": " ".join(_VERSION_NAMES[v] for v in versions),
        "tls_ciphers": openssl.cipher_string(profile, target.library, day),
        "tls_prefer_server_ciphers": "yes" if profile.preference == "server" else "no",
        "tls_eccurve": _curve(profile, target, day),
        "tls_compression": "yes" if profile.compression == "allowed" else "no",
        "allowplaintext": "yes" if profile.clear_logins == "allowed" else "no",
        "tls_required": "yes" if profile.tls == "required" else "no",
    }
    dh = openssl.dh_group(profile) if openssl.has_dhe(profile, day) else None
    if dh:
        options["tls_server_dhparam"] = DH_FILE
    if _starttls_off(target.version):
        options["allowstarttls"] = "yes"
    if target.version < _NEW_NAMES:
        options["tls_cipher_list"] = options.pop("tls_ciphers")
    return Compiled(
        options=options,
        openssl_cnf=openssl.cnf(profile, target.library, day),
        required_ports=tuple(target.ports) if profile.tls == "required" else (),
        dh_group=dh,
        left_out=tuple(left_out),
    )


def _limits(profile: Profile, target: Target, day: date) -> list[str]:
    """Why this release cannot, in the words of its own history."""
    versions = profile.allowed_versions(day)
    if target.version < _MODERN_TLS:
        return [
            (
                "before 2.4.18 Cyrus has no ECDHE, no server order and no choice of versions:"
                " nothing of this policy is left"
            )
        ]
    reasons = []
    if "TLSv1.3" in versions and target.version < _TLS13:
        reasons.append("TLS 1.3 needs Cyrus 3.0.12")
    if profile.tls == "required" and target.version < _TLS_REQUIRED:
        reasons.append(
            "before 2.5.6 Cyrus has no tls_required, and challenge-response logins start in clear"
        )
    if {"SSLv2", "SSLv3"} & set(versions):
        reasons.append("SSLv2 and SSLv3 are nothing Cyrus should be told to serve")
    if not openssl.cnf(profile, target.library, day) and len(profile.groups) > 1:
        reasons.append("Cyrus takes one group, and this OpenSSL reads no list from its own file")
    fitting = _DHPARAM <= target.version < _DHPARAM_IGNORED
    if openssl.has_dhe(profile, day) and not fitting:
        reasons.append("this Cyrus ignores tls_server_dhparam, so the DH size cannot be set")
    return reasons


def _curve(profile: Profile, target: Target, day: date) -> str:
    """`auto` leaves the list to openssl.cnf; any other value would be the only group."""
    if openssl.cnf(profile, target.library, day):
        return "auto"
    return {"P-256": "prime256v1", "P-384": "secp384r1", "P-521": "secp521r1"}[
        openssl.groups(profile, target.library, day)[0]
    ]


def _starttls_off(version: Numbers) -> bool:
    return any(version[:2] == since[:2] and version >= since for since in _STARTTLS_OFF) or (
        version >= _STARTTLS_OFF[-1]
    )
