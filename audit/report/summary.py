"""The numbers every report starts with, and the order it goes on in."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import get_args

from msgspec import Struct
from msgspec.structs import replace

from audit.drift import Drift
from audit.findings import Finding, Run, Verdict
from audit.judge.catalogue import CATALOGUE

# Findings of these are about something else than one place on one host.
_TOGETHER = {
    c.id for c in CATALOGUE.values() if c.scope in ("cluster", "domain", "mx", "mx-address")
}
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


class Summary(Struct, frozen=True):
    """A run in numbers.

    Attributes:
        counts: findings by verdict, every verdict present.
        hosts, endpoints: how many were judged.
        missing: checks that were planned and not made; never to be passed over in silence.
        seconds: wall time of the run; None if its times cannot be read, or the clock was set back.
    """

    counts: Mapping[Verdict, int]
    hosts: int
    endpoints: int
    missing: int
    seconds: float | None


def by_policy(run: Run) -> Iterator[Run]:
    """The run once for each policy that it measured by, with that policy's findings.

    A check that was planned and not made is no policy's: it is missing from the whole run. What is
    said beside the findings is said with the last of them.
    """
    for policy in run.policies:
        mine = tuple(f for f in run.findings if f.policy == policy.id)
        notices = run.notices if policy == run.policies[-1] else ()
        yield replace(
            run,
            policy=policy,
            policies=(policy,),
            findings=mine,
            planned=len(mine),
            notices=notices,
        )


def summarize(run: Run) -> Summary:
    """Count what a run found."""
    counted = Counter(f.verdict for f in run.findings)
    # A finding about several endpoints together names what they have in common, and no place.
    single = [f for f in run.findings if f.check not in _TOGETHER]
    places = {(f.host, f.address, f.port) for f in single if f.port}
    places |= {(e.endpoint.host, e.endpoint.address, e.endpoint.port) for e in run.endpoints}
    hosts = {f.host for f in single} | {host for host, _, _ in places}
    return Summary(
        counts={verdict: counted[verdict] for verdict in VERDICTS},
        hosts=len(hosts),
        endpoints=len(places),
        missing=run.planned - run.executed,
        seconds=_seconds(moment(run.started), moment(run.finished)),
    )


def _seconds(started: datetime | None, finished: datetime | None) -> float | None:
    if started is None or finished is None or finished < started:
        return None
    return (finished - started).total_seconds()


def moment(stamp: str) -> datetime | None:
    """An RFC 3339 time in UTC, or None if it is not one."""
    try:
        return utc(datetime.fromisoformat(stamp))
    except (ValueError, OverflowError):  # the last day that there is may be over in UTC
        return None


def utc(time: datetime) -> datetime:
    """The same moment in UTC; a time without zone is taken to be UTC, as all our facts are."""
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def place(found: Finding | Drift) -> str:
    """Where it was found, as people write it: mx1 [fd00::1]:25 smtp."""
    if not found.port:
        return found.host
    address = f" [{found.address}]" if found.address else ""
    return f"{found.host}{address}:{found.port} {found.service}".rstrip()


def by_place(findings: Iterable[Finding], verdict: Verdict) -> dict[str, list[Finding]]:
    """The findings of one verdict by host and endpoint, in the order of the run."""
    chosen: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.verdict == verdict:
            chosen.setdefault(place(finding), []).append(finding)
    return chosen


def plural(number: int, noun: str) -> str:
    """1 host, 2 hosts."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
