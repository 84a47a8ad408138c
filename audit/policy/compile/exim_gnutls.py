"""Exim on GnuTLS (Exim specification, chapter 43): one expanded option says it all."""

from datetime import date

from audit.iana import group
from audit.policy.compile import exim, gnutls
from audit.policy.compile.openssl import has_dhe, holes
from audit.policy.compile.target import Compiled, Infeasible, Numbers, Target, dotted
from audit.policy.model import Policy, Profile

_TLS13: Numbers = (3, 6, 5)


def compile_exim_gnutls(policy: Policy, target: Target, day: date) -> Compiled:
    """Options for all ports of one Exim daemon.

    Raises:
        Infeasible: no priority string means exactly this policy.
    """
    ports = exim.profiles(policy, target.ports)
    refused: list[str] = []
    left_out: list[str] = []
    for profile in dict.fromkeys(ports.values()):
        refused += _limits(profile, target, day) + gnutls.obstacles(profile, day)
        for item in profile.groups:
            if not group(item.name).gnutls:
                lack = f"GnuTLS has no {item.name}"
                (left_out if item.optional else refused).append(lack)
    if refused:
        raise Infeasible(policy.id, target, list(dict.fromkeys(refused)))
    strings = {port: gnutls.priority(profile, day) for port, profile in ports.items()}
    return Compiled(
        options={
            **exim.common_options(target, ports),
            "tls_require_ciphers": exim.by_port(strings),
        },
        required_ports=exim.required_ports(ports),
        left_out=tuple(dict.fromkeys(left_out)),
    )


def _limits(profile: Profile, target: Target, day: date) -> list[str]:
    reasons = []
    if "TLSv1.3" in profile.allowed_versions(day) and target.library < _TLS13:
        reasons.append(f"TLS 1.3 needs GnuTLS {dotted(_TLS13)}")
    if has_dhe(profile, day):
        reasons.append(
            "with DHE, GnuTLS takes the client's ffdhe group or its own default, so the size"
            " cannot be set"
        )
    return reasons + holes(profile, day)
