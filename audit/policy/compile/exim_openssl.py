"""Exim on OpenSSL (Exim specification, chapter 43; src/tls-openssl.c of 4.96)."""

from datetime import date

from audit.policy.compile import exim, openssl
from audit.policy.compile.target import Compiled, Infeasible, Numbers, Target
from audit.policy.model import Policy, Profile

_OPTION_OFF = {
    "SSLv2": "+no_sslv2",
    "SSLv3": "+no_sslv3",
    "TLSv1.0": "+no_tlsv1",
    "TLSv1.1": "+no_tlsv1_1",
    "TLSv1.2": "+no_tlsv1_2",
    "TLSv1.3": "+no_tlsv1_3",
}
_TLS13_LIBRARY: Numbers = (1, 1, 1)
_CURVE_AUTO: Numbers = (4, 88)
# dh_bits beyond this are ignored unless tls_dh_max_bits says otherwise.
_DH_LIMIT = 2236


def compile_exim_openssl(policy: Policy, target: Target, day: date) -> Compiled:
    """Options for all ports of one Exim daemon.

    Raises:
        Infeasible: this release or library cannot do it.
    """
    ports = exim.profiles(policy, target.ports)
    refused: list[str] = []
    left_out: list[str] = []
    for profile in ports.values():
        lack, optional = openssl.lacks(profile, target.library, day)
        refused += lack + openssl.holes(profile, day)
        left_out += optional
    refused += _limits(list(ports.values()), target, day)
    if refused:
        raise Infeasible(policy.id, target, list(dict.fromkeys(refused)))
    first = next(iter(ports.values()))
    suites = {
        p: openssl.cipher_string(profile, target.library, day) for p, profile in ports.items()
    }
    dh = openssl.dh_group(first) if any(openssl.has_dhe(p, day) for p in ports.values()) else None
    options = {
        **exim.common_options(target, ports),
        "tls_require_ciphers": exim.by_port(suites),
        "openssl_options": _openssl_options(first, target.library, day),
        "tls_eccurve": _curve(first, target.library, day),
        "tls_dhparam": dh or "none",
    }
    if dh and (first.dh_bits or 0) > _DH_LIMIT:
        options["tls_dh_max_bits"] = str(first.dh_bits)
    return Compiled(
        options=options,
        openssl_cnf=openssl.cnf(first, target.library, day),
        required_ports=exim.required_ports(ports),
        left_out=tuple(dict.fromkeys(left_out)),
    )


def _curve(profile: Profile, library: Numbers, day: date) -> str:
    """`auto` leaves the list to openssl.cnf; a library that reads none would serve every curve."""
    if openssl.cnf(profile, library, day):
        return "auto"
    curves = {"P-256": "prime256v1", "P-384": "secp384r1", "P-521": "secp521r1"}
    return curves[openssl.groups(profile, library, day)[0]]


def _openssl_options(profile: Profile, library: Numbers, day: date) -> str:
    served = profile.allowed_versions(day)
    words = [off for version, off in _OPTION_OFF.items() if version not in served]
    if library < _TLS13_LIBRARY and "TLSv1.3" not in served:
        words.remove(_OPTION_OFF["TLSv1.3"])  # the word is unknown to a build on old headers
    if profile.compression == "forbidden":
        words.append("+no_compression")
    if profile.preference == "server":
        words.append("+cipher_server_preference")
    return " ".join(words)


def _limits(profiles: list[Profile], target: Target, day: date) -> list[str]:
    reasons = []
    if target.version < _CURVE_AUTO:
        reasons.append("a list of groups needs Exim 4.88")
    if target.library < openssl.CNF_SINCE and any(len(p.groups) > 1 for p in profiles):
        reasons.append("this OpenSSL reads no list of groups from its own file")
    if len({p.allowed_versions(day) for p in profiles}) > 1:
        reasons.append("openssl_options sets the versions of every port at once")
    if len({p.groups for p in profiles}) > 1:
        reasons.append("the groups are the library's and the same on every port")
    if len({p.preference for p in profiles}) > 1:
        reasons.append("openssl_options sets whose order decides on every port at once")
    return reasons
