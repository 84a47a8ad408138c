"""The policies that a run measures by: loaded once, named in its findings."""

from collections.abc import Iterable, Sequence

from audit.errors import MailsealError
from audit.findings import PolicyId
from audit.policy.load import load
from audit.policy.model import Policy


def load_all(names: Iterable[str]) -> dict[str, Policy]:
    """The policies with these ids or files.

    Raises:
        MailsealError: one is missing or malformed, or two that differ have one id.
    """
    by_name = {name: load(name) for name in dict.fromkeys(names)}
    by_id: dict[str, Policy] = {}
    for name, policy in by_name.items():
        if by_id.setdefault(policy.id, policy) != policy:
            raise MailsealError(f"{name}: another policy has the id {policy.id} too")
    return by_name


def distinct(policies: Iterable[Policy]) -> tuple[Policy, ...]:
    """Each policy once, in order, by whatever names it was loaded."""
    return tuple({policy.id: policy for policy in policies}.values())


def named(policy: Policy) -> PolicyId:
    """Which edition of which policy it is."""
    return PolicyId(id=policy.id, version=str(policy.date))


def joined(policies: Sequence[Policy]) -> PolicyId:
    """All of them as one, for whoever reads one."""
    return PolicyId(
        id=", ".join(p.id for p in policies), version=", ".join(str(p.date) for p in policies)
    )
