"""An audit whose time was over: how much of it was not looked at."""

from collections.abc import Collection

from audit.facts import EndpointFacts, HostFacts


def notice(endpoints: Collection[EndpointFacts], hosts: Collection[HostFacts]) -> str:
    """The sentence about it."""
    missed = sum(facts.reach == "not-asked" for facts in endpoints)
    silent = sum(not facts.reached for facts in hosts)
    return (
        "The time for this audit was over before everything was looked at: not asked were"
        f" {missed} of {len(endpoints)} endpoints, and from inside"
        f" {silent} of {len(hosts)} hosts were not seen"
    )
