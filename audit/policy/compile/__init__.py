"""The compiler: one policy in, the complete settings of one daemon on one library out."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from audit.errors import MailsealError
from audit.policy.compile.cyrus import compile_cyrus
from audit.policy.compile.exim_gnutls import compile_exim_gnutls
from audit.policy.compile.exim_openssl import compile_exim_openssl
from audit.policy.compile.target import Compiled, Infeasible, Kind, Target, numbers
from audit.policy.model import Policy, Traffic
from audit.policy.shadow import Shadow

__all__ = ["DEFAULTS", "Compiled", "Infeasible", "Kind", "Target", "compile_policy", "numbers"]

_COMPILERS: dict[Kind, Callable[[Policy, Target, date], Compiled]] = {
    "cyrus": compile_cyrus,
    "exim-openssl": compile_exim_openssl,
    "exim-gnutls": compile_exim_gnutls,
}

_CYRUS_PORTS: dict[int, Traffic] = dict.fromkeys((143, 993, 110, 995, 4190), "access")
_EXIM_PORTS: dict[int, Traffic] = {25: "mx", 465: "submission", 587: "submission"}

# What `mailseal policy compile` assumes unless told otherwise: Debian 12.
DEFAULTS: dict[Kind, Target] = {
    "cyrus": Target(kind="cyrus", version=(3, 6, 1), library=(3, 0, 19), ports=_CYRUS_PORTS),
    "exim-openssl": Target(
        kind="exim-openssl", version=(4, 96), library=(3, 0, 19), ports=_EXIM_PORTS
    ),
    "exim-gnutls": Target(
        kind="exim-gnutls", version=(4, 96), library=(3, 7, 9), ports=_EXIM_PORTS
    ),
}


def compile_policy(policy: Policy, target: Target, day: date) -> Compiled:
    """The settings with which *target* does what *policy* says on *day*.

    Raises:
        Infeasible: it cannot; every reason is given.
        MailsealError: the policy has no profile for the traffic of a port.
    """
    if not target.ports:
        raise MailsealError(f"{target} serves no port, so there is nothing to compile")
    missing = sorted(set(target.ports.values()) - set(policy.profiles))
    if missing:
        raise MailsealError(f"{policy.id} has no profile {', '.join(missing)}")
    compiled = _COMPILERS[target.kind](policy, target, day)
    if isinstance(policy, Shadow):
        return replace(compiled, left_out=(*policy.left_off, *compiled.left_out))
    return compiled
