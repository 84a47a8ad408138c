"""The two states that are asked for: what production has now, and the candidate."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from audit import inventory, waivers
from audit.errors import MailsealError
from audit.facts import Endpoint
from audit.findings import Run
from audit.inventory import Host
from audit.judge.case import PlannedEndpoint
from audit.judge.catalogue import CATALOGUE
from audit.measures import distinct, load_all
from audit.planning import profile_of
from audit.policy.load import BUILT_IN, built_in_ids
from audit.policy.model import Policy, Traffic
from audit.policy.shadow import SEPARATOR
from audit.probe.address import Pace
from audit.prospect.places import Place, Rule, place_of
from audit.runner import Driver

_MX = 25


class Foreseen(Struct, frozen=True):
    """What is known of a state before it is deployed: a deployment writes what an audit reads.

    Attributes:
        hosts: as the inventory has them.
        measures: what they are to be judged by.
    """

    hosts: tuple[Host, ...]
    measures: tuple[Policy, ...]


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

    def foreseen(self) -> Foreseen:
        """What can be known of it, and wrong with it, now.

        Raises:
            MailsealError: inventory, variables, policy or waivers are missing or malformed.
        """
        hosts = tuple(inventory.read(self.inventory, self.limit, self.variables))
        known = load_all(host.measure for host in hosts)
        today = datetime.now(tz=UTC).date()
        for host in hosts:
            place = f"host {host.name}: mailseal_waivers"
            waivers.checked(host.waivers, CATALOGUE, today, place)
        return Foreseen(hosts, distinct(known.values()))

    def driver(self, pace: Pace = "normal") -> Driver:
        """An audit of it, planned.

        Raises:
            MailsealError: as for `foreseen`; or what its deployment writes is missing.
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


def same_files(now: Side, candidate: Side, cluster: Foreseen) -> None:
    """Refuse two checkouts of which each has a policy of its own by the same name.

    Both would be deployed and judged with that of the checkout that we are, and nothing be found.

    Raises:
        MailsealError: there is such a policy.
    """
    if Path(now.inventory).resolve() == Path(candidate.inventory).resolve():
        return
    names = {host.measure for host in cluster.hosts}
    for ours, theirs in (p for name in sorted(names) for p in _twins(name, Path(now.inventory))):
        words = f"{theirs} is another policy than {ours}, which both states would have"
        raise MailsealError(f"{words}; --now-policy names the file of what there is now")


def _twins(measure: str, other: Path) -> Iterator[tuple[Path, Path]]:
    """The files of a measure that differ here and in the checkout that an inventory is of."""
    for half in {measure, *measure.split(SEPARATOR)}:
        built_in = BUILT_IN / f"{half}.yaml"
        ours = built_in if half in built_in_ids() else Path(half)
        within = Path(*BUILT_IN.parts[-2:], ours.name) if ours == built_in else ours
        if within.is_absolute() or not ours.is_file():
            continue
        for parent in other.resolve().parents:
            theirs = parent / within
            if theirs.is_file() and theirs.read_bytes() != ours.read_bytes():
                yield ours, theirs


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
    """What the ports of a run stand for, where its inventory is not there any more.

    What did not answer may have been meant to.
    """
    return {
        (facts.endpoint.host, place_of(facts.endpoint)): Rule(_usual(facts.endpoint))
        for facts in run.endpoints
        if facts.reach != "refused"
    }


def _usual(endpoint: Endpoint) -> Traffic:
    if endpoint.service != "smtp":
        return "access"
    return "mx" if endpoint.port == _MX else "submission"
