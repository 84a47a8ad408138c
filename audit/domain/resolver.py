"""Questions to a validating resolver, and what its answers are worth.

The resolver validates, and says so by the AD bit; we only tell its silence apart:

- AD: secure.
- SERVFAIL, but an answer where validation is switched off (CD): bogus. SERVFAIL both ways: the zone
  is lame or down, and nothing can be said.
- No AD and no signatures: unsigned, if the resolver has shown with anything above the name, at the
  latest with the root, that it does validate. Otherwise nothing can be said.
- No AD and signatures: some zone on the way up has no DS, and the chain of trust ends there. If all
  have one, the resolver does not validate.
"""

import math
import threading
import time
from collections import Counter
from collections.abc import Sequence

import dns.exception
import dns.flags
import dns.message

from audit.domain import transport
from audit.domain.nameserver import Nameserver
from audit.domain.reading import Read, read
from audit.facts import Answer, Kind, Security

_SECONDS = 5.0  # for one message there and one back; a resolver may have a long way to go for it
_TRIES = 2
_BUDGET = 90.0  # for all that is asked of a resolver in one look
_PAYLOAD = 1232  # octets of UDP that pass everywhere (DNS flag day 2020)
_MOST_SILENT = 4  # questions to one that has answered none at all; it is asked no more
_MOST_ZONES = 16
_MOST_ABOVE = 4
_ANOTHER = "name a resolver that does with --resolver"


class Resolver:
    """One look: each question is asked once, and all of them in bounded time."""

    def __init__(self, nameservers: Sequence[Nameserver], until: float = math.inf) -> None:
        """Take the resolvers; a later one is asked where an earlier one does not answer.

        After the moment *until* (time.monotonic()) nothing more is asked.
        """
        self._nameservers, self._until = nameservers, until
        self._end = 0.0
        self._answers: dict[tuple[str, Kind], Answer] = {}
        self._heard: set[Nameserver] = set()
        self._silent: Counter[Nameserver] = Counter()
        self._lock = threading.Lock()
        self._validated = False  # whether it has shown that it does, of whatever
        self._unproven: set[str] = set()  # the zones that were asked for to see that

    def __str__(self) -> str:
        """For sentences."""
        return " and ".join(f"{one}" for one in self._nameservers)

    def begin(self) -> None:
        """Count the time for what is asked from now on."""
        self._end = min(time.monotonic() + _BUDGET, self._until)

    def ask(self, name: str, kind: Kind) -> Answer:
        """The answer, and what it is worth; whatever goes wrong is in it."""
        key = (name.lower().rstrip("."), kind)
        if key not in self._answers:  # twice at once is no harm
            self._answers[key] = self._ask(*key)
        return self._answers[key]

    def _ask(self, name: str, kind: Kind) -> Answer:
        said = self._exchange(name, kind)
        if not said.broken:
            return self._answer(name, kind, said, *self._worth(name, said))
        if not said.failed:
            return Answer(name, kind, "failed", why=f"{self} {said.broken}")
        unchecked = self._exchange(name, kind, check=False)
        if unchecked.broken or not (unchecked.records or unchecked.denied):
            why = f"{self} {said.broken}, also without validation: the zone is lame or down"
            return Answer(name, kind, "failed", why=why)
        again = self._exchange(name, kind)  # it may have been for that moment
        if not again.broken:
            return self._answer(name, kind, again, *self._worth(name, again))
        if not again.failed:
            return Answer(name, kind, "failed", why=f"{self} {again.broken}")
        return self._answer(name, kind, unchecked, "bogus", f"{self} {again.broken}")

    def _answer(self, name: str, kind: Kind, said: Read, worth: Security, why: str) -> Answer:
        return Answer(
            name,
            kind,
            "found" if said.records else "none" if said.exists else "no-name",
            worth,
            said.records,
            said.alias,
            said.signed,
            said.unread,
            why,
        )

    def _worth(self, name: str, said: Read) -> tuple[Security, str]:
        if said.validated:
            self._validated = True
            return "secure", ""
        if said.records and said.zones:
            return self._broken_chain(said.zones)
        if self._validates(name):
            return "unsigned", ""
        words = "does not show of the root or anything else that it validates (AD)"
        return "untold", f"{self} {words}; {_ANOTHER}"

    def _broken_chain(self, zones: Sequence[str]) -> tuple[Security, str]:
        """Where the chain of trust ends, from signed zones upwards."""
        waiting, passed = list(zones), {"."}
        while waiting and len(passed) <= _MOST_ZONES:
            if (zone := waiting.pop()) in passed:
                continue
            passed.add(zone)
            said = self._exchange(zone, "DS")
            if said.broken:
                return "untold", f"whether {zone} has a DS: {self} {said.broken}"
            if not said.records:
                return "no-chain", f"{zone} is signed, but there is no DS for it in its parent"
            if not said.zones:
                return "no-chain", f"{zone} has a DS, but the parent that has it is not signed"
            waiting += said.zones
        names = " and ".join(zones)
        words = f"does not validate {names}, or does not know its algorithm: there is a DS for it"
        return "untold", f"{self} {words}; {_ANOTHER}"

    def _validates(self, name: str) -> bool:
        """Whether anything is secure that was asked for, or is above the name, up to the root."""
        with self._lock:
            for zone in (*_above(name), "."):
                if not self._validated and zone not in self._unproven:
                    self._unproven.add(zone)
                    if self._exchange(zone, "DNSKEY").validated:
                        self._validated = True
            return self._validated

    def _exchange(self, name: str, kind: Kind, *, check: bool = True) -> Read:
        try:
            query = dns.message.make_query(name, kind, want_dnssec=True, payload=_PAYLOAD)
        except (dns.exception.DNSException, ValueError) as error:
            return Read(broken=f"cannot be asked for {name!r}: {error}")
        query.flags |= dns.flags.AD | (dns.flags.Flag(0) if check else dns.flags.CD)
        said = Read(broken="was not asked")
        for nameserver in self._nameservers:
            message, reason = self._message(query, nameserver)
            said = read(message, name, kind) if message else Read(broken=reason)
            if said.failed or not said.broken:
                break
        return said

    def _message(
        self, query: dns.message.Message, at: Nameserver
    ) -> tuple[dns.message.Message | None, str]:
        """By UDP, and by TCP where that says too little; or why there is none."""
        if at not in self._heard and self._silent[at] >= _MOST_SILENT:
            return None, f"does not answer: {_MOST_SILENT} questions before got no answer in time"
        reason = "was not asked: all the time that there is was spent on what came before"
        waited = False
        ways = [transport.udp] * _TRIES
        while ways and (left := min(_SECONDS, self._end - time.monotonic())) > 0:
            try:
                answer = ways.pop()(query, at.address, at.port, left)
            except OSError as error:
                reason, waited = _reason(error), isinstance(error, TimeoutError)
            else:
                self._heard.add(at)
                if answer is not None:
                    return answer, ""
                ways = [transport.tcp]
        self._silent[at] += waited
        return None, reason


def _above(name: str) -> list[str]:
    """The names above a name, the nearest first; of many the highest."""
    labels = name.split(".")[1:][-_MOST_ABOVE:]
    return [".".join(labels[depth:]) for depth in range(len(labels))]


def _reason(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "does not answer in time (it, or the servers of the zone)"
    return f"does not answer: {error.strerror or error}"
