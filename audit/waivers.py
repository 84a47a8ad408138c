"""Waivers: failures that somebody has accepted until a day. Pure.

A waived check still runs. Only a failure can be waived: what could not be determined is not fine
because somebody says so. The shape follows InSpec's waiver file.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import date, timedelta
from fnmatch import fnmatchcase

from msgspec.structs import replace

from audit.errors import MailsealError
from audit.findings import Finding, Waiver

# A decision for longer than that is a policy.
MOST_DAYS = 366
# How long before its end a waiver is talked about.
SOON = timedelta(days=14)


def covers(waiver: Waiver, finding: Finding) -> bool:
    """Whether this finding, as a failure, would be waived."""
    return (
        finding.check == waiver.check
        and fnmatchcase(finding.host, waiver.hosts)
        and (not waiver.ports or finding.port in waiver.ports)
    )


def checked(waivers: Iterable[Waiver], known: Iterable[str], today: date, place: str) -> None:
    """Look at what the types do not say.

    Args:
        waivers: those of one host.
        known: the ids of all checks.
        today: the day of judgement.
        place: where they are from, for the error message.

    Raises:
        MailsealError: a check that there is none of, or an end too far away.
    """
    ids = set(known)
    for waiver in waivers:
        if waiver.check not in ids:
            raise MailsealError(f"{place}: there is no check {waiver.check!r} (docs/checks.md)")
        if (waiver.expires - today).days > MOST_DAYS:
            words = f"{waiver}: {waiver.expires} is more than {MOST_DAYS} days away"
            raise MailsealError(f"{place}: {words}")


def waived(finding: Finding, waivers: Iterable[Waiver], today: date) -> Finding:
    """The finding, as waived by the first that is in force for it if it is a failure."""
    if finding.verdict == "fail":
        for waiver in waivers:
            if covers(waiver, finding) and today <= waiver.expires:
                return replace(finding, verdict="waived", waiver=waiver)
    return finding


def notices(
    waivers: Iterable[Waiver],
    judged: Iterable[tuple[Finding, Collection[Waiver]]],
    today: date,
    *,
    whole: bool,
) -> Iterator[str]:
    """What their owners should know, a sentence each.

    Args:
        waivers: of every host; alike ones are one.
        judged: each finding of the run, waived ones as such, and what the hosts that it is about
            have of waivers.
        today: the day of judgement.
        whole: whether every host was audited; otherwise a waiver may be for another one.
    """
    covered = {waiver: list[Finding]() for waiver in waivers}
    for finding, own in judged:
        for waiver in {*own}:
            if covers(waiver, finding):
                covered[waiver].append(finding)
    for waiver, found in covered.items():
        verdicts = {f.verdict for f in found}
        if waiver.expires < today and "fail" in verdicts:
            yield f"Waiver expired on {waiver.expires}: {waiver}: it fails again ({waiver.owner})"
        elif any(f.waiver == waiver for f in found):
            if waiver.expires - today <= SOON:
                # The day and not the days until then: who is told of changes is told of it once.
                left = "today" if waiver.expires == today else f"on {waiver.expires}"
                yield f"Waiver expires {left}: {waiver} ({waiver.owner})"
        elif "inconclusive" not in verdicts and (found or whole):
            why = "nothing that it covers failed" if found else "it covers nothing"
            why = "another one is in force" if "waived" in verdicts else why
            yield f"Waiver not used: {waiver}: {why} ({waiver.owner})"
