"""The runs of a history as a list, and how one is named in it. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from audit.errors import MailsealError
from audit.findings import Verdict, timestamp

LATEST, PREVIOUS = "latest", "previous"

_NAMED = 5  # runs that an error message names
_KEPT = 2  # runs that a comparison takes
_EPOCH = "1970"  # no clock is behind it
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z")


class Series(Struct, frozen=True, kw_only=True):
    """What makes runs comparable: they were asked for the same.

    Attributes:
        inventory: the path that Ansible reads.
        limit: the pattern of hosts; empty for all.
        policies: the ids of the policies that were asked for; empty for the hosts' own.
    """

    inventory: str
    limit: str = ""
    policies: str = ""

    def __str__(self) -> str:
        """inventory/production, limited to imap, by rfc9325."""
        limit = f", limited to {self.limit}" if self.limit else ""
        return f"{self.inventory}{limit}{f', by {self.policies}' if self.policies else ''}"


class Entry(Struct, frozen=True, kw_only=True):
    """One run, without what it found.

    Attributes:
        number: rises with every run that is begun, whatever the clock says.
        run: its id.
        series: what was asked for.
        policies, editions: what was measured by, several joined by commas.
        started: RFC 3339, UTC.
        finished: likewise; None for a run that was ended before its end, or is not there yet.
        version: of the mailseal that made it.
        planned: checks that were to be made.
        counts: findings by verdict; None for a run without an end.
    """

    number: int
    run: str
    series: Series
    policies: str
    editions: str
    started: str
    finished: str | None
    version: str
    planned: int
    counts: Mapping[Verdict, int] | None

    def __post_init__(self) -> None:
        """Refuse times that cannot be counted with.

        Raises:
            ValueError: with the name of the one that is none.
        """
        for name in ("started", "finished"):
            time = getattr(self, name)
            if time is not None and not _is_a_time(time):
                raise ValueError(f"{name}: is no time in UTC")

    @property
    def complete(self) -> bool:
        """Whether it came to its end; nothing is known of any other."""
        return self.finished is not None


def _is_a_time(text: str) -> bool:
    """Whether it is one in RFC 3339 and UTC: the order of these is that of their text."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return text >= _EPOCH and _TIME.fullmatch(text) is not None


def find(entries: Sequence[Entry], name: str) -> Entry:
    """The run that is meant by an id, the beginning of one, `latest` or `previous`.

    Args:
        entries: oldest first.
        name: `latest` is the last complete run, `previous` the one that it is compared with.

    Raises:
        MailsealError: there is none, or more than one.
    """
    if name in (LATEST, PREVIOUS):
        last = next((e for e in reversed(entries) if e.complete), None)
        if last is None:
            raise MailsealError("the history has no complete run")
        return last if name == LATEST else baseline(entries, last)
    exact = [e for e in entries if e.run == name]
    meant = exact or [e for e in entries if name and e.run.startswith(name)]
    if not meant:
        raise MailsealError(f"the history has no run {name!r} (mailseal history)")
    if len(meant) > 1:
        names = ", ".join(e.run for e in meant[:_NAMED])
        more = f" and {len(meant) - _NAMED} more" if len(meant) > _NAMED else ""
        raise MailsealError(f"{name!r} may be any of {names}{more}")
    return meant[0]


def earlier(entries: Iterable[Entry], entry: Entry) -> list[Entry]:
    """The complete runs of the same series before this one, oldest first."""
    return [e for e in complete_of(entries, entry.series) if e.number < entry.number]


def baseline(entries: Iterable[Entry], entry: Entry) -> Entry:
    """The complete run of the same series before this one.

    Raises:
        MailsealError: there is none.
    """
    found = earlier(entries, entry)
    if not found:
        words = f"there is no earlier complete run of {entry.series} to compare {entry.run} with"
        raise MailsealError(words)
    return found[-1]


def backward(entries: Iterable[Entry], entry: Entry) -> Iterator[str]:
    """What has to be said where the clock was set back: a sentence, or nothing.

    Runs are ordered by number, so nothing else comes of it.
    """
    ahead = [e for e in entries if e.number < entry.number][-1:]
    for one in ahead:
        if one.started > entry.started:
            yield f"The clock was set back: {one.run}, the run before, began at {one.started}"


def unfinished(entries: Iterable[Entry], entry: Entry) -> Iterator[str]:
    """What has to be said where the run of the series before this one was killed: a sentence."""
    ahead = [e for e in entries if e.number < entry.number and e.series == entry.series][-1:]
    for one in ahead:
        if not one.complete:
            yield f"{one.run}, the run before, did not come to its end: nothing is known of it"


def complete_of(entries: Iterable[Entry], series: Series) -> list[Entry]:
    """The complete runs of a series, oldest first."""
    return [e for e in entries if e.complete and e.series == series]


def expendable(entries: Sequence[Entry], days: int) -> list[int]:
    """The numbers of the runs that began so many days before the last ones and need not be kept.

    The days are counted from the older of the last two, so that a clock that leaps ahead once
    costs no history. The last two complete ones of each series stay, however old they seem: there
    is something to compare with.
    """
    last = min(e.started for e in entries[-_KEPT:])
    until = timestamp(datetime.fromisoformat(last) - timedelta(days=days))
    kept = {e.number for one in entries for e in complete_of(entries, one.series)[-_KEPT:]}
    return [e.number for e in entries if e.started < until and e.number not in kept]
