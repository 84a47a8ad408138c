"""Sessions with the servers of each domain, out of the events of Exim's log. Pure.

A session is a connection, as RFC 8460 wants it: a mail that goes over one that is open already is
none, and one that serves recipients of several domains is one for each. Exim says of a connection
that failed which host it was, and later which recipients the mail had; what cannot be brought
together is counted apart, and is in no report.
"""

from collections import defaultdict
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from audit.tlsrpt.applied import Applied, Policies
from audit.tlsrpt.clock import Clock
from audit.tlsrpt.counts import Counts, Day, Why
from audit.tlsrpt.exim import Event
from audit.tlsrpt.results import ResultType

_TOGETHER = timedelta(seconds=1)  # lines of the recipients that one connection was for
_ATTEMPT = timedelta(minutes=5)  # from a connection to the recipients' lines
_CLEAR: ResultType = "starttls-not-supported"


@dataclass(slots=True)
class _Failure:
    """One connection that failed; *seen* is when recipients' lines named it last."""

    time: datetime
    event: Event
    result: ResultType
    domains: set[bytes] = field(default_factory=set)
    seen: datetime | None = None


@dataclass(slots=True)
class _Message:
    """What is known of a mail that is on its way."""

    domains: set[bytes] = field(default_factory=set)
    failures: list[_Failure] = field(default_factory=list)
    verify: dict[bytes, ResultType] = field(default_factory=dict)
    session: tuple[Event, set[bytes]] | None = None


class Sessions:
    """Counts events of logs, each node's in the order of time.

    Attributes:
        unclear: lines that speak of TLS or of another server, and cannot be read.
        homeless: sessions that failed, and nobody knows with which domain.
    """

    def __init__(
        self,
        clock: Clock,
        own: Container[bytes] = (),
        days: tuple[str, str] = ("", "~"),
        *,
        policies: Policies | None = None,
        clear: bool = False,
    ) -> None:
        """Begin.

        Args:
            clock: makes times of stamps.
            own: addresses that are one's own: what goes there is no session with anybody.
            days: the first and the last that count.
            policies: those of MTA-STS that are known, by domain.
            clear: TLS is tried with everybody: what goes in clear was not offered it.
        """
        self._clock, self._own, self._days, self._clear_fails = clock, own, days, clear
        self.unclear = self.homeless = 0
        self._seen: tuple[datetime, datetime] | None = None
        self._messages: defaultdict[tuple[bytes, bytes], _Message] = defaultdict(_Message)
        self._counts: defaultdict[Day, Counts] = defaultdict(Counts)
        self._hosts: defaultdict[bytes, set[bytes]] = defaultdict(set)
        self._applied = Applied(policies or {})
        self._open: list[tuple[_Failure, set[bytes]]] = []
        self._settled: list[_Failure] = []

    def take(self, event: Event, node: bytes = b"") -> None:
        """One event of a node more."""
        try:
            time = self._clock(event.stamp)
        except (ValueError, OverflowError):
            self.unclear += 1
            return
        first, last = self._seen or (time, time)
        self._seen = min(first, time), max(last, time)
        if event.kind == "completed":
            if message := self._messages.pop((node, event.id), None):
                self._settle(message)
        elif event.kind == "unclear":
            self.unclear += self._wanted(time)
        elif event.ip not in self._own:
            self._go_on(
                self._messages[node, event.id], event._replace(host=event.host.lower()), time
            )

    def _go_on(self, message: _Message, event: Event, time: datetime) -> None:
        if event.domain:
            event = event._replace(domain=event.domain.lower())
            message.domains.add(event.domain)
            if event.host:
                self._hosts[event.domain].add(event.host)
        self._applied.learn(event)
        if event.kind == "no-policy":
            self._not_taken(event, time)
        elif event.kind == "verify":
            message.verify[event.ip] = event.result
        elif event.kind == "failed":
            self._fail(message, event, time)
        elif event.kind == "sent":
            message.session = (event, set())
            self._send(message, event, time)
        elif event.kind == "copy" and message.session:
            first, _ = message.session
            self._send(message, event._replace(again=first.again), time)

    def _send(self, message: _Message, event: Event, time: datetime) -> None:
        """A mail went over, to the first recipient of a domain or to one more."""
        assert message.session is not None  # noqa: S101 - it is what the event is of
        _, domains = message.session
        verify = message.verify.pop(event.ip, None)
        if event.again or event.domain in domains or not event.domain or not self._wanted(time):
            return
        domains.add(event.domain)
        counts = self._counts[self._day(time, event.domain)]
        applied = self._applied.to(event, event.domain)
        if event.tls:
            if wrong := self._applied.fault(event, verify):
                result, words = wrong
                counts.failed[Why(applied, result, event.host, event.ip, words)] += 1
            else:
                counts.ok[applied] += 1
        elif not any(_went_on(one, event, time) for one in message.failures):
            if self._clear_fails:
                counts.failed[Why(applied, _CLEAR, event.host, event.ip, b"")] += 1
            else:
                counts.clear += 1

    def _fail(self, message: _Message, event: Event, time: datetime) -> None:
        """A connection failed: a line of its own, or that of a recipient it was for."""
        known = next((one for one in reversed(message.failures) if _same(one, event, time)), None)
        if known is None:
            result = message.verify.pop(event.ip, event.result)
            known = _Failure(time, event, result)
            message.failures.append(known)
        if event.domain:
            known.event = known.event._replace(via=event.via)
            known.domains.add(event.domain)
            known.seen = time

    def _settle(self, message: _Message) -> None:
        """Nothing more is to come of a mail: its failures belong to the domains it went to."""
        for one in message.failures:
            one.domains = one.domains or (message.domains if len(message.domains) == 1 else set())
            if one.domains:
                self._settled.append(one)
            else:
                self._open.append((one, message.domains))

    def finish(self) -> dict[Day, Counts]:
        """Everything counted; nothing more is to come."""
        for message in self._messages.values():
            self._settle(message)
        self._messages.clear()
        for one, domains in self._open:
            one.domains = {name for name in domains if one.event.host in self._hosts[name]}
            self.homeless += not one.domains and self._wanted(one.time)
        for one in (*self._settled, *(one for one, _ in self._open)):
            if self._wanted(one.time):
                self._count(one)
        self._settled, self._open = [], []
        return {day: counts for day, counts in self._counts.items() if counts != Counts()}

    def notices(self, counts: Mapping[Day, Counts]) -> Iterator[str]:
        """What has to be said beside the reports, a sentence each."""
        clear = sum(one.clear for one in counts.values())
        yield from self._partly()
        if self.unclear:
            yield f"lines that speak of sessions and cannot be read: {self.unclear:,}"
        if self.homeless:
            yield f"failed sessions that belong to no domain for certain: {self.homeless:,}"
        if clear:
            yield (
                f"mails that went in clear, of which the log does not say why: {clear:,};"
                " no report has them (--count-clear)"
            )
        if counts and not any(one.ok for one in counts.values()):
            yield "no line names a TLS session: does Exim log +tls_cipher?"

    def _partly(self) -> Iterator[str]:
        """Whether the logs may have only a part of the days that were asked for."""
        for time, words in zip(self._seen or (), ("begin", "end"), strict=False):
            if self._wanted(time):
                yield f"the logs {words} within these days, at {time:%Y-%m-%d %H:%M} UTC"

    def _count(self, failure: _Failure) -> None:
        event = failure.event
        for domain in failure.domains:
            applied = self._applied.to(event, domain)
            why = Why(applied, failure.result, event.host, event.ip, event.words)
            self._counts[self._day(failure.time, domain)].failed[why] += 1

    def _not_taken(self, event: Event, time: datetime) -> None:
        """A policy was announced and could not be had."""
        if self._wanted(time):
            why = Why("sts", event.result, b"", b"", event.words)
            self._counts[self._day(time, event.domain)].failed[why] += 1

    def _day(self, time: datetime, domain: bytes) -> Day:
        return Day(time.date().isoformat(), domain)

    def _wanted(self, time: datetime) -> bool:
        first, last = self._days
        return first <= time.date().isoformat() <= last


def _went_on(known: _Failure, event: Event, time: datetime) -> bool:
    """Whether mail in clear is what Exim went on with once TLS had failed there."""
    here = known.event.ip == event.ip and known.event.policy == "no-policy-found"
    return here and time - known.time <= _ATTEMPT


def _same(known: _Failure, event: Event, time: datetime) -> bool:
    """Whether a line of a recipient is about a connection that is known to have failed.

    Where Exim could not even look for records, that line names no host.
    """
    here = known.event.ip == event.ip or (not event.ip and known.event.words == event.words)
    if not event.domain or not here:
        return False
    if known.seen is None:
        return time - known.time <= _ATTEMPT
    return time - known.seen <= _TOGETHER
