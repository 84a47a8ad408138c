"""What there was before the candidate: meant to be where, and as the candidate judges it."""

from pathlib import Path
from typing import get_args

from msgspec import Struct
from msgspec.structs import replace

from audit.findings import Run
from audit.forecast.server import strange
from audit.iana import VERSIONS
from audit.inventory import Host
from audit.policy.compile.reported import Daemon
from audit.prospect.foresight import Daemons
from audit.prospect.places import Place, Scene, Served, place_of
from audit.runner import Driver
from audit.staging.order import Order
from audit.staging.sides import Foreseen, Side, rules, usual_rules

_BLIND = "the run that stands for what there is did not look there"


class Before(Struct, frozen=True, kw_only=True):
    """How a run of what there was is read; known before anything is touched.

    Attributes:
        order: what is staged.
        candidate: its hosts and measures.
        side: what the run is a run of; None where its inventory is gone.
        hosts: of that.
        outside: hosts that the candidate's inventory has, and its limit leaves out.
        elsewhere: places that only those have.
    """

    order: Order
    candidate: Foreseen
    side: Side | None
    hosts: tuple[Host, ...] = ()
    outside: frozenset[str] = frozenset()
    elsewhere: frozenset[Place] = frozenset()

    @classmethod
    def read(cls, order: Order, now: Foreseen, candidate: Foreseen) -> "Before":
        """Find the inventory that a run is to be read by.

        Raises:
            MailsealError: it is malformed.
        """
        if not order.baseline:
            return cls(order=order, candidate=candidate, side=order.now, hosts=now.hosts)
        side = Side(order.production or order.baseline.inventory, order.baseline.limit)
        there = side if Path(side.inventory).exists() else None
        whole = candidate
        if order.candidate.limit:
            whole = replace(order.candidate, limit="").foreseen()
        return cls(
            order=order,
            candidate=candidate,
            side=there,
            hosts=there.foreseen().hosts if there else (),
            outside=frozenset({h.name for h in whole.hosts} - {h.name for h in candidate.hosts}),
            elsewhere=frozenset(_places(whole) - _places(candidate)),
        )

    def silent(self, run: Run) -> str:
        """Why its findings cannot be compared, if they could not be judged."""
        if _foreign(run):
            words = "has suites or groups that this edition does not know"
            return f"{run.run} {words}: its findings are not compared"
        name = self.order.baseline.inventory if self.order.baseline else ""
        words = f"the inventory of {run.run} is gone ({name}): its findings are not compared"
        return f"{words}; --production names it"

    def scene(self, run: Run) -> Scene:
        """The run, and what is meant to be at each endpoint; without what a limit leaves out."""
        meant = rules(self.side.driver()) if self.side else usual_rules(run)
        within = {
            at: rule
            for at, rule in meant.items()
            if at[0] not in self.outside and at[1] not in self.elsewhere
        }
        return Scene(run=run, rules=within)

    def judged(self, run: Run) -> Run | None:
        """The run by the candidate's measures; None where it cannot be (`silent` says why).

        On the candidate's own hosts its inventory says by what; on others that has to be one
        measure for all of them.
        """
        if _foreign(run):
            return None
        candidate = self.order.candidate
        there = {(f.endpoint.host, f.endpoint.address) for f in run.endpoints}
        own = {(host.name, address) for host in self.candidate.hosts for address in host.addresses}
        if there and (own <= there or there <= own):
            return candidate.driver().audit.rejudged(run)
        if not self.side:
            return None
        measures = {host.measure for host in self.candidate.hosts}
        policies = tuple(measures) if len(measures) == 1 else ()
        words, side = candidate.variables, self.side
        driver = Driver.read(side.inventory, side.limit, policies, variables=words)
        return driver.audit.rejudged(run)

    def proven(self, place: Served, run: Run) -> Served:
        """A place that is new only because nobody looked there before is none that can be told."""
        looked = {place_of(facts.endpoint) for facts in run.endpoints}
        if not place.opened or Place(place.port, place.service, place.mode) in looked:
            return place
        return replace(place, untold=(*place.untold, _BLIND)) if self.order.baseline else place

    def daemons(self, run: Run) -> Daemons:
        """The mail daemon of each host, before and after."""
        named = {host.name: host.daemon for host in (*self.hosts, *self.candidate.hosts)}
        told = {f.host: one for f in run.hosts for one in get_args(Daemon) if one in f.reports}
        return {**told, **named}


def _foreign(run: Run) -> bool:
    """Whether it has names of a later edition."""
    return any(strange(facts, v) for facts in run.endpoints for v in VERSIONS)


def _places(cluster: Foreseen) -> set[Place]:
    return {place_of(endpoint) for host in cluster.hosts for endpoint, _ in host.expected()}
