"""The two states that are asked for: what production has now, and the candidate."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from audit.errors import MailsealError
from audit.facts import Endpoint
from audit.findings import Run
from audit.judge.case import PlannedEndpoint
from audit.planning import profile_of
from audit.policy.load import built_in_ids
from audit.policy.model import Traffic
from audit.policy.shadow import SEPARATOR
from audit.probe.address import Pace
from audit.prospect.places import Place, Rule, place_of
from audit.runner import Driver

_MX = 25


class Side(Struct, frozen=True):
    """One state of a cluster, as it is asked for.

    Attributes:
        inventory: what Ansible reads.
        limit: only these hosts.
        variables: the words of each `-e`; roles and audit get the same ones.
    """

    inventory: str
    limit: str = ""
    variables: tuple[str, ...] = ()

    @property
    def options(self) -> list[str]:
        """As Ansible's programs take them."""
        limit = ["--limit", self.limit] if self.limit else []
        return ["-i", self.inventory, *limit, *(w for v in self.variables for w in ("-e", v))]

    def driver(self, pace: Pace = "normal") -> Driver:
        """An audit of it, planned.

        Raises:
            MailsealError: inventory, variables or policy are missing or malformed.
        """
        return Driver.read(self.inventory, self.limit, pace=pace, variables=self.variables)


def variables(policy: str | None, words: Sequence[str]) -> tuple[str, ...]:
    """What `-e` gets; a policy is one variable more, and a file of either has its whole path.

    Raises:
        MailsealError: a word is no variable.
    """
    found = [_whole(word) for word in words]
    if policy:
        found.append(json.dumps({"mailseal_policy": _path(policy)}))
    return tuple(found)


def _whole(word: str) -> str:
    if word.startswith("@"):
        path = Path(word[1:])
        if not path.is_file():
            raise MailsealError(f"-e {word}: there is no such file")
        return f"@{path.resolve()}"
    # What is none of these Ansible passes over without a word.
    if not word.lstrip().startswith(("{", "[")) and "=" not in word:
        raise MailsealError(f"-e {word}: must be NAME=VALUE, JSON or @FILE")
    return word


def _path(policy: str) -> str:
    """Roles and audit are not started in the same directory."""
    whole = (
        half if half in built_in_ids() else _resolved(half) for half in policy.split(SEPARATOR)
    )
    return _resolved(policy) if Path(policy).is_file() else SEPARATOR.join(whole)


def _resolved(path: str) -> str:
    return str(Path(path).resolve()) if Path(path).is_file() else path


def rules(driver: Driver) -> Mapping[tuple[str, Place], Rule]:
    """What is meant to be at each endpoint of it."""
    policies = {policy.id: policy for policy in driver.audit.measures}
    found = {}
    for planned in driver.audit.plan:
        target = planned.target
        if isinstance(target, PlannedEndpoint) and target.traffic is not None:
            profile = profile_of(target, policies[planned.policy])
            at = target.endpoint.host, place_of(target.endpoint)
            found[at] = Rule(target.traffic, profile)
    return found


def usual_rules(run: Run) -> Mapping[tuple[str, Place], Rule]:
    """What the ports of a run stand for, where its inventory is not there any more."""
    return {
        (facts.endpoint.host, place_of(facts.endpoint)): Rule(_usual(facts.endpoint))
        for facts in run.endpoints
        if facts.reach == "open"
    }


def _usual(endpoint: Endpoint) -> Traffic:
    if endpoint.service != "smtp":
        return "access"
    return "mx" if endpoint.port == _MX else "submission"
