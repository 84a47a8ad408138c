"""Have the zone hold what our domains should have, and every name server tell it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from audit import control, inventory
from audit.domain.look import Look
from audit.domain.resolver import Resolver
from audit.domain.system import system
from audit.errors import UNDETERMINED, MailsealError
from audit.facts import Fetched
from audit.findings import FAILED
from audit.publish import journal, look, site, wanted
from audit.publish.model import Change, Place, Records, Served, changes, needed, unseen
from audit.publish.zones import Zones
from audit.targets import nameserver
from audit.wire import mta_sts


class Refused(MailsealError):
    """A removal after which senders that enforce DANE would not deliver."""

    def __init__(self, words: str) -> None:
        """Take the sentence."""
        super().__init__(words, FAILED)


class Wanted(Struct, frozen=True):
    """What should be published.

    Attributes:
        records: all of them.
        policies: by mail domain its MTA-STS policy file.
        served: what the TLSA records are for.
    """

    records: Mapping[Place, Records]
    policies: Mapping[str, bytes]
    served: Mapping[str, tuple[Served, ...]]


def begin(path: str, limit: str) -> site.Site:
    """The names of an inventory that some hosts have, from where the hosts can be reached.

    Raises:
        MailsealError: there is no such inventory, or it lacks something.
    """
    every = inventory.read(path)
    chosen = site.site(every)
    control.enter(every)
    return chosen.narrowed(inventory.read(path, limit)) if limit else chosen


def hosts_of(path: str, limit: str, chosen: site.Site) -> list[str]:
    """Whose keys are changed: those that the limit leaves of all that are reached by the names.

    Raises:
        MailsealError: as `begin` does.
    """
    reached = {one.host for places in chosen.owners.values() for one in places}
    return [host.name for host in inventory.read(path, limit) if host.name in reached]


def look_up(chosen: site.Site, resolver: Resolver) -> Wanted:
    """All that should be published, for what is served now.

    Raises:
        MailsealError: something could not be seen or looked up: then nothing is said by halves.
    """
    seen = look.look(chosen)
    served = look.served(chosen, seen)
    if found := unseen(served):
        words = f"not everything that is served could be seen: {'; '.join(found)}"
        raise MailsealError(words, UNDETERMINED)
    policies = wanted.policies(chosen, resolver)
    records = wanted.tlsa(chosen, seen) | wanted.announced(chosen, policies)
    return Wanted(records, policies, served)


def difference(
    zones: Zones, what: Wanted, *, prune: bool
) -> tuple[list[Change], dict[Place, Records]]:
    """What has to be changed at the primary, and what is there afterwards.

    Raises:
        MailsealError: a name server does not answer.
    """
    there = zones.read()[zones.primary]
    found = changes(there, what.records, prune=prune)
    after = {place: records for place in what.records if (records := there.get(place))}
    after |= {one.place: one.after for one in found if one.after}
    return found, after


def harmless(found: Sequence[Change], what: Wanted, state: Path) -> None:
    """See that nothing is removed that senders need, now or after a roll-over that is under way.

    Raises:
        Refused: something is.
    """
    under_way = journal.load(state)
    coming = under_way.next if under_way else {}
    for one in found:
        if one.place.kind != "TLSA":
            continue
        owner = one.place.owner
        why = [(needed(one.removed, what.served.get(owner, ())), "vouches for what is served")]
        why += [(one.removed & coming.get(owner, frozenset()), "is that of the next key")]
        for records, words in why:
            for record in sorted(records):
                sentence = f"{owner} {record[:24]}… {words}: it is not removed without --force"
                raise Refused(sentence)


def fetched(found: Sequence[Change], what: Wanted, look_: Look) -> None:
    """See that a policy is announced only where senders can fetch it (RFC 8461, section 5.1).

    Raises:
        Refused: the policy host has another one, or none.
    """
    for domain, body in what.policies.items():
        place = Place(f"_mta-sts.{domain}", "TXT")
        if not any(one.place == place for one in found):
            continue
        said = look_.policy(domain)
        why = said.fault or said.doubt or _other(said, body)
        if why:
            words = f"{said.url}: {why}; it is not announced before (--force)"
            raise Refused(words)


def _other(said: Fetched, body: bytes) -> str:
    """Why what was fetched is not this policy; empty if it is."""
    if refused := mta_sts.refused(said.status, said.media, whole=said.whole):
        return refused
    try:
        same = mta_sts.policy(said.body) == mta_sts.policy(body)
    except ValueError as error:
        return f"is no policy: {error}"
    return "" if same else "is another policy than `mailseal dane records --out` writes"


def follow(
    zones: Zones, after: Mapping[Place, Records], seconds: float, say: Callable[[str], None]
) -> None:
    """Wait until every name server has what is to be there.

    Raises:
        MailsealError: one has not, in time.
    """
    zones.follow([Change(place, None, one) for place, one in after.items()], seconds, say)


def resolver_of(chosen: site.Site, named: str | None) -> Resolver:
    """Who is asked for what lies outside of our zones: the one named, or the inventory's.

    Raises:
        MailsealError: it is no address, or neither they nor the system name anybody.
    """
    if named is not None:
        return Resolver((nameserver(named, "--resolver"),))
    if told := chosen.settings.audit_resolver:
        return Resolver((nameserver(told, "mailseal_audit_resolver"),))
    return Resolver(system("--resolver"))
