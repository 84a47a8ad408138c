"""What both kinds of Exim share: values by port, and the options that are not about suites."""

from collections.abc import Mapping

from audit.policy.compile.target import Target
from audit.policy.model import Policy, Profile, Traffic

# Who is offered AUTH, by what the policy says of logins in clear.
_AUTH = {"forbidden": "${if def:tls_in_cipher{*}{}}", "allowed": "*"}


def by_port(values: Mapping[int, str]) -> str:
    """One Exim value for all ports, or an expansion over $received_port (spec, chapter 11)."""
    distinct = list(dict.fromkeys(values.values()))
    rest = distinct[-1]
    result = rest
    for value in distinct[:-1]:
        ports = [port for port, v in values.items() if v == value]
        for port in ports:
            result = f"${{if =={{$received_port}}{{{port}}}{{{value}}}{{{result}}}}}"
    return result


def profiles(policy: Policy, ports: Mapping[int, Traffic]) -> dict[int, Profile]:
    """The profile of each port."""
    return {port: policy.profiles[kind] for port, kind in ports.items()}


def common_options(target: Target, profiles: Mapping[int, Profile]) -> dict[str, str]:
    """Offer TLS to everyone; AUTH exists only inside TLS, unless logins in clear are allowed."""
    implicit = [str(port) for port in target.ports if port in target.implicit]
    return {
        "tls_advertise_hosts": "*",
        "tls_on_connect_ports": " : ".join(implicit),
        "auth_advertise_hosts": by_port({p: _AUTH[r.clear_logins] for p, r in profiles.items()}),
    }


def required_ports(ports: Mapping[int, Profile]) -> tuple[int, ...]:
    """The ports where MAIL before STARTTLS is refused."""
    return tuple(p for p, profile in ports.items() if profile.tls == "required")
