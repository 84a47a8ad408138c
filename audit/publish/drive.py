"""A roll-over, step by step: each is noted, done, and looked at from outside."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from audit.domain.resolver import Resolver
from audit.errors import UNDETERMINED, MailsealError
from audit.findings import FAILED
from audit.publish import journal as journals
from audit.publish import look, site, wanted
from audit.publish.model import Change, Place, unseen
from audit.publish.rollover import Journal, Step, Stopped, View, decide
from audit.publish.tlsa import record
from audit.publish.zones import Zones

if TYPE_CHECKING:
    import dns.tsig

_TELL = 30.0  # seconds between two words while nothing happens
_PAUSE = 5.0  # seconds between two looks at name servers that are late


class Hands(Struct, frozen=True):
    """What is done outside of this process.

    Attributes:
        prepare: have the next keys and certificates made; gives the chains in DER by host.
        switch: put them in force on these hosts.
        say: told what goes on, a line each.
    """

    prepare: Callable[[], Mapping[str, Sequence[Sequence[bytes]]]]
    switch: Callable[[Sequence[str]], None]
    say: Callable[[str], None]


class Pace(Struct, frozen=True):
    """How long is waited, in seconds.

    Attributes:
        margin: beyond the time to live: who has just asked may still connect.
        patience: for a name server to follow the primary.
    """

    margin: float
    patience: float


class Rollover:
    """One roll-over of some hosts."""

    def __init__(
        self,
        chosen: site.Site,
        directory: Path,
        resolver: Resolver,
        hands: Hands,
        pace: Pace,
    ) -> None:
        """Take what it needs.

        Args:
            chosen: the names whose records are changed, with all hosts that are reached by them.
            directory: where it is noted how far it came.
            resolver: for the addresses of name servers.
            hands: what is done elsewhere.
            pace: how long is waited.

        Raises:
            MailsealError: the primary or its key cannot be used.
        """
        self._site, self._directory, self._hands = chosen, directory, hands
        self._pace = pace
        self._key: dns.tsig.Key = site.key(chosen)
        self._zones = Zones(chosen, [Place(o, "TLSA") for o in chosen.owners], resolver)

    def run(self) -> None:
        """Go on from where it is to the end.

        Raises:
            Stopped: it would not be safe.
            MailsealError: something could not be done; the same call goes on later.
        """
        kept = self._kept()
        journal = kept or Journal(time.time())
        self._hands.say("going on with" if kept else "beginning with")
        last, switched, awaited = "", frozenset[str](), time.monotonic()
        while True:
            step = self._next(journal)
            # A switch that changes nothing would be tried for ever.
            if step.name == "switch" and switched & {*step.hosts}:
                words = f"{', '.join(step.hosts)}: not only the next keys are seen after the switch"
                raise MailsealError(words, UNDETERMINED)
            switched = frozenset(step.hosts if step.name == "switch" else ())
            if step.journal != journal or kept is None:
                journals.keep(self._directory, step.journal)
            kept = journal = step.journal
            if step.name == "done":
                journals.end(self._directory)
                self._hands.say(step.words)
                return
            if step.words != last:
                self._hands.say(f"{step.name}: {step.words}")
            last = step.words
            if step.name != "await":
                awaited = time.monotonic()
            elif time.monotonic() - awaited > self._pace.patience:
                raise MailsealError(
                    f"after {self._pace.patience:g} s: still {step.words}", UNDETERMINED
                )
            journal = self._do(step)

    def next(self) -> str:
        """The step that would be next, for who only wants to know."""
        step = self._next(self._kept() or Journal(time.time()))
        when = f" ({datetime.fromtimestamp(step.until, UTC):%F %H:%M:%S} UTC)" if step.until else ""
        return "\n".join((f"{step.name}: {step.words}{when}", *map(str, step.changes)))

    def _kept(self) -> Journal | None:
        """The journal, if one is under way; it must be of these names."""
        kept = journals.load(self._directory)
        if kept and kept.next and set(kept.next) != set(self._site.owners):
            names = ", ".join(sorted(kept.next))
            raise MailsealError(
                f"{self._directory}: a roll-over of other names is under way: {names}"
            )
        return kept

    def _next(self, journal: Journal) -> Step:
        seen = look.look(self._site)
        view = View(
            self._zones.primary,
            self._zones.read(),
            self._zones.negative,
            look.served(self._site, seen),
        )
        try:
            return decide(
                journal, view, time.time(), self._site.settings.tlsa_ttl, self._pace.margin
            )
        except Stopped as stopped:
            raise MailsealError(str(stopped), FAILED if stopped.broken else UNDETERMINED) from None

    def _do(self, step: Step) -> Journal:
        match step.name:
            case "prepare":
                journal = self._prepared(step.journal)
                journals.keep(self._directory, journal)
                return journal
            case "publish" | "retire":
                self._change(step.changes)
            case "await":
                time.sleep(_PAUSE)
            case "wait":
                self._wait(step.until)
            case "switch":
                self._hands.switch(step.hosts)
        return step.journal

    def _change(self, changes: Sequence[Change]) -> None:
        for one in changes:
            self._hands.say(str(one))
        self._zones.change(changes, self._key)
        self._zones.follow(changes, self._pace.patience, self._hands.say)

    def _prepared(self, journal: Journal) -> Journal:
        chains = self._hands.prepare()
        seen = look.look(self._site)
        if hidden := unseen(look.served(self._site, seen)):
            words = f"not everything that is served could be seen: {'; '.join(hidden)}"
            raise MailsealError(words, UNDETERMINED)
        present = {
            place.owner: records.data for place, records in wanted.tlsa(self._site, seen).items()
        }
        following = {
            owner: wanted.records(
                self._site,
                owner,
                [chain for e in places for chain in chains.get(e.host, ())],
            )
            for owner, places in self._site.owners.items()
        }
        keys = {h: frozenset(record("3 1 1", c) for c in all_) for h, all_ in chains.items()}
        return replace(journal, next=following, present=present, keys=keys)

    def _wait(self, until: float) -> None:
        """By the clock that nobody sets while we wait."""
        end = time.monotonic() + until - time.time()
        when = datetime.fromtimestamp(until, UTC)
        while (left := end - time.monotonic()) > 0:
            self._hands.say(f"{left:.0f} s left, until {when:%H:%M:%S} UTC")
            time.sleep(min(left, _TELL))
