"""The zones that a set of records lies in: read from every name server, changed at the primary."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

import dns.tsig

from audit.domain.nameserver import Nameserver
from audit.domain.resolver import Resolver
from audit.errors import UNDETERMINED, MailsealError
from audit.publish import ask, site, update
from audit.publish.model import Change, Place, Records, Zone

_PAUSE = 1.0  # seconds between two looks at name servers that do not follow yet


class Zones:
    """All zones of some records.

    Attributes:
        primary: the name of the server that takes changes.
        negative: by owner the seconds that its absence is cached for.
    """

    def __init__(self, chosen: site.Site, places: Iterable[Place], resolver: Resolver) -> None:
        """Ask the primary for the zones, and find all of their name servers.

        Raises:
            MailsealError: it does not answer, or has no such zone.
        """
        self._at = site.primary(chosen)
        self.primary = str(self._at)
        self._zones: dict[ask.Authority, list[Place]] = defaultdict(list)
        for place in sorted(places):
            self._zones[ask.authority(place.owner, self._at)].append(place)
        self.negative = {p.owner: z.negative for z, all_ in self._zones.items() for p in all_}
        self._servers = {z: site.servers(chosen, z, self._at, resolver) for z in self._zones}

    def read(self) -> dict[str, dict[Place, Records | None]]:
        """What every name server has of the records in its zones.

        Raises:
            MailsealError: one does not answer, or not as an authority.
        """
        found: dict[str, dict[Place, Records | None]] = {self.primary: {}}
        for zone, places in self._zones.items():
            for name, addresses in self._servers[zone].items():
                for label, there in _each(name, addresses, places).items():
                    found.setdefault(label, {}).update(there)
        return found

    def change(self, changes: Sequence[Change], key: dns.tsig.Key) -> None:
        """Make changes at the primary; those of one zone all or none.

        Raises:
            MailsealError: it will not, does not answer, or somebody was faster.
        """
        for zone, places in self._zones.items():
            if mine := [one for one in changes if one.place in places]:
                update.send(zone.name, mine, self._at, key)

    def follow(self, changes: Sequence[Change], seconds: float, say: Callable[[str], None]) -> None:
        """Wait until every name server has what was changed.

        Raises:
            MailsealError: one has not, in time.
        """
        end, told = time.monotonic() + seconds, ""
        while True:
            try:
                slow = [n for n, zone in self.read().items() if not _has(zone, changes)]
                why = f"{', '.join(slow)} do not have the change"
            except MailsealError as error:
                slow, why = ["?"], str(error)
            if not slow:
                return
            if time.monotonic() >= end:
                raise MailsealError(f"after {seconds:g} s: {why}", UNDETERMINED)
            if why != told:
                say(f"waiting: {why} yet")
                told = why
            time.sleep(_PAUSE)


def _each(
    name: str, addresses: Sequence[Nameserver], places: Sequence[Place]
) -> Mapping[str, dict[Place, Records | None]]:
    """By server and address what is there; an address this machine has no way to is left out."""
    found, refused = {}, None
    for one in addresses:
        try:
            label = name if str(one) == name else f"{name} [{one}]"
            found[label] = ask.read(places, one)
        except ask.NoRoute as error:
            refused = error
    if not found and refused:
        raise refused
    return found


def _has(zone: Zone, changes: Sequence[Change]) -> bool:
    return all(zone[one.place] == one.after for one in changes if one.place in zone)
