"""Which policy is in force for a domain (RFC 8461, sections 3.1, 3.3 and 5.1)."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from threading import Lock

from audit.errors import MailsealError
from audit.mta_sts.cache import Cache
from audit.mta_sts.kept import Kept
from audit.wire import mta_sts
from audit.wire.mta_sts import Policy

# Section 3.3: a policy that could not be fetched is not tried again so soon, while its id stays.
AGAIN = 300.0
# A policy is fetched anew before it ends, so that who keeps us from its host has to do so for long.
_DAY = 86_400.0
# One that nobody has asked for so long is let end.
_FORGOTTEN = 30 * _DAY
_MOST_FAILED = 10_000
_REFRESHED_AT_A_TIME = 8

Fetch = Callable[[str], Policy]
Say = Callable[[str], None]


class Discovery:
    """The policies of all domains, from what is kept and what can be fetched.

    A policy that is kept stays in force until it ends, whatever becomes of the domain's record and
    its policy host; only another one that is valid takes its place.
    """

    def __init__(self, cache: Cache, fetch: Fetch, clock: Callable[[], float], say: Say) -> None:
        """Take what it works with.

        Args:
            cache: what is kept.
            fetch: gets the policy of a domain; ValueError if there is none that counts.
            clock: seconds since the epoch.
            say: takes a sentence for the log.
        """
        self._cache, self._fetch, self._clock, self._say = cache, fetch, clock, say
        self._guard = Lock()
        self._running: dict[str, Future[Kept | None]] = {}
        self._failed: dict[str, tuple[str, float]] = {}

    def policy(self, domain: str, records: Iterable[str]) -> Kept | None:
        """The policy in force; None if there is none.

        Args:
            domain: A-labels, in lower case.
            records: the TXT records of _mta-sts below it; none if they could not be had.
        """
        now = self._clock()
        old = self._cache.get(domain, now)
        self._cache.asked(domain, now)
        identity = _identity(records)
        if not identity or (old and old.identity == identity):
            return old
        failed, at = self._failed.get(domain, ("", 0.0))
        if failed == identity and 0 <= now - at < AGAIN:  # before it, if the clock was put back
            return old
        return self._together(domain, identity) or old

    def refresh(self) -> None:
        """Fetch anew what has been kept for a day, or half its time; forget what has ended."""
        now = self._clock()
        with ThreadPoolExecutor(_REFRESHED_AT_A_TIME) as pool:
            for domain, asked in self._cache.entries():
                old = self._cache.get(domain, now)
                if old is None:
                    with suppress(OSError):  # the others are none the worse
                        self._cache.drop(domain)
                    continue
                if old.at > now:  # the clock was put back: nothing is kept longer than its time
                    old = replace(old, at=int(now))
                    self._keep(domain, old)
                if now - old.at >= min(_DAY, old.policy.max_age / 2) and now - asked < _FORGOTTEN:
                    pool.submit(self._together, domain, old.identity)

    def _together(self, domain: str, identity: str) -> Kept | None:
        """Fetch it once, however many want it at this moment."""
        with self._guard:
            running = self._running.get(domain)
            if running is None:
                mine: Future[Kept | None] = Future()
                self._running[domain] = mine
        if running is not None:
            return running.result()
        found = None
        try:
            found = self._new(domain, identity)
        finally:
            with self._guard:
                del self._running[domain]
            mine.set_result(found)
        return found

    def _new(self, domain: str, identity: str) -> Kept | None:
        """What its host says now, which is kept; None if that is nothing that counts."""
        try:
            one = Kept(self._fetch(domain), identity, int(self._clock()))
        except (ValueError, MailsealError) as error:
            self._say(f"{domain}: no policy was taken, for {error}")
            if len(self._failed) >= _MOST_FAILED:
                self._failed.clear()
            self._failed[domain] = (identity, self._clock())
            return None
        self._keep(domain, one)
        self._failed.pop(domain, None)
        return one

    def _keep(self, domain: str, one: Kept) -> None:
        try:
            self._cache.put(domain, one)
        except OSError as error:
            self._say(f"{domain}: the policy cannot be kept ({error.strerror})")


def _identity(records: Iterable[str]) -> str:
    """The id that a domain announces; empty where there is not exactly one record, and valid."""
    found = mta_sts.announced(records)
    if len(found) != 1:
        return ""
    try:
        return mta_sts.identity(found[0])
    except ValueError:
        return ""
