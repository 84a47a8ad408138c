"""What the helper for MTA-STS (role mta_sts) writes to syslog of policies it did not take. Pure."""

import re

from audit.tlsrpt.applied import not_taken
from audit.tlsrpt.exim import Event
from audit.traffic.syslog import Calendar, prefix

TAG = b"mailseal-mta-sts"
_SAID = re.compile(rb"([A-Za-z0-9._-]+): no policy was taken, for (.*)")
_TIME = re.compile(rb"(\d\d:\d\d:\d\d)(?:[.,]\d+)? ?(?:(Z)|([+-]\d\d):?(\d\d))?")


def event(line: bytes, calendar: Calendar) -> Event | None:
    """What a line of syslog's says; None if it is about something else."""
    if TAG not in line or (head := prefix(line, calendar)) is None or head.tag != TAG:
        return None
    said, time = _SAID.fullmatch(line, head.end), _TIME.fullmatch(head.time)
    if said is None or time is None:
        return None
    clock, utc, hours, minutes = time.groups(b"")
    zone = b" +0000" if utc else b" " + hours + minutes if hours else b""
    stamp = head.day + b" " + clock + zone
    domain, words = said.groups()
    return Event(
        "no-policy", stamp, b"", domain.lower(), result=not_taken(words), words=words, policy="sts"
    )
