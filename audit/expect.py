"""What a policy makes an endpoint do: the prediction that an audit tests."""

from collections.abc import Iterable
from datetime import date

from audit.iana import group
from audit.policy.model import KEY_TYPES, KeyType, Profile
from audit.probe.foresee import Expectation


def expectation(
    profile: Profile, day: date, key_types: Iterable[KeyType] | None = None
) -> Expectation:
    """How an endpoint behaves that follows this profile with such certificates.

    Optional groups are left out: a server that has one costs a few questions more.
    """
    kinds = tuple(KEY_TYPES if key_types is None else key_types)
    insufficient = {g.name for g in profile.groups if g.level_on(day) == "insufficient"}
    return Expectation(
        suites={v: profile.allowed_suites(v, day, kinds) for v in profile.allowed_versions(day)},
        groups=tuple(
            group(g.name) for g in profile.groups if not g.optional and g.name not in insufficient
        ),
        preference="client" if profile.preference == "client" else "server",
    )
