"""What `mailseal policy list --json` and `show --json` say, as types."""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct

from audit.policy.model import Policy, Status


class Listed(Struct, frozen=True):
    """One policy that comes with mailseal."""

    id: str
    title: str
    date: Annotated[date, Meta(description="the day of this edition, which is its version")]
    status: Status
    source: Annotated[str, Meta(description="where its rules come from")]


class PoliciesDocument(Struct, frozen=True):
    """What `mailseal policy list --json` says."""

    schema: Literal["mailseal/policies/1"]
    policies: tuple[Listed, ...]


class PolicyDocument(Struct, frozen=True):
    """What `mailseal policy show --json` says."""

    schema: Literal["mailseal/policy/1"]
    policy: Policy


def listed(policies: Iterable[Policy]) -> PoliciesDocument:
    """Those policies."""
    rows = (Listed(p.id, p.title, p.date, p.status, p.source) for p in policies)
    return PoliciesDocument("mailseal/policies/1", tuple(rows))


def shown(policy: Policy) -> PolicyDocument:
    """The whole of one; of a pair in shadow, what it comes to."""
    fields = {name: getattr(policy, name) for name in Policy.__struct_fields__}
    return PolicyDocument("mailseal/policy/1", Policy(**fields))
