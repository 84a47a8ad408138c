"""Waivers: failures that somebody has accepted until a day. Pure.

A waived check still runs. Only a failure can be waived: what could not be determined is not fine
because somebody says so. The shape follows InSpec's waiver file.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from fnmatch import fnmatchcase

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


def waived_by(waivers: Iterable[Waiver], finding: Finding, today: date) -> Waiver | None:
    """The waiver that is in force for a failure, if there is one."""
    if finding.verdict != "fail":
        return None
    return next((w for w in waivers if covers(w, finding) and today <= w.expires), None)


def notices(
    waivers: Iterable[Waiver], findings: Iterable[Finding], today: date, *, whole: bool
) -> Iterator[str]:
    """What their owners should know, a sentence each.

    Args:
        waivers: of every host; alike ones are one.
        findings: of the run, waived ones as such.
        today: the day of judgement.
        whole: whether every host was audited; otherwise a waiver may be for another one.
    """
    found = list(findings)
    for waiver in dict.fromkeys(waivers):
        covered = [f for f in found if covers(waiver, f)]
        if not covered and not whole:
            continue
        if not any(f.verdict in ("fail", "waived") for f in covered):
            why = "nothing that it covers failed" if covered else "it covers nothing"
            yield f"Waiver not used: {waiver}: {why} ({waiver.owner})"
        elif waiver.expires < today:
            yield f"Waiver expired on {waiver.expires}: {waiver}: it fails again ({waiver.owner})"
        elif waiver.expires - today <= SOON:
            # The day and not the days until then: who is told of changes is told of it once.
            left = "today" if waiver.expires == today else f"on {waiver.expires}"
            yield f"Waiver expires {left}: {waiver} ({waiver.owner})"
