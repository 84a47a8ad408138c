"""TLS reports on a terminal: each domain, who reports on it, what failed; the word on it last."""

from collections.abc import Iterable, Iterator
from typing import TextIO

from audit.report.paint import Line, put
from audit.report.summary import plural
from audit.report.visible import visible
from audit.tlsrpt.document import (
    AuditDocument,
    BesideDocument,
    FailureDocument,
    OrganizationDocument,
    SessionsDocument,
    TlsReportsDocument,
)
from audit.traffic.shares import share

_MOST = 40  # rows of each kind; all are in the JSON
_NAMED = 3  # addresses of a row
_LONGEST = 200  # characters of a foreign word
_STYLES = {"the same": "bold red", "nothing wrong": "green", "did not look": "yellow"}
_DAY = 10  # characters


def show(found: TlsReportsDocument, file: TextIO) -> None:
    """Print it; with colours if the file is a terminal that wants them."""
    put(_lines(found), file)


def headline(found: TlsReportsDocument) -> tuple[str, str]:
    """The word on it, and its style."""
    sessions = found.sessions
    if not found.reports:
        return "No report was read: nothing is known", "bold yellow"
    if sessions.failed:
        of = f"{sessions.failed:,} of {plural(sessions.total, 'session')} failed"
        return f"{of} ({_percent(sessions)})", "bold red"
    if found.refused or found.lapses:
        return "No failure is told of, and not everything could be read", "bold yellow"
    return f"None of {plural(sessions.total, 'session')} failed", "bold green"


def _lines(found: TlsReportsDocument) -> Iterator[Line]:
    copies = f", and {found.copies:,} more that are the same as one of them" if found.copies else ""
    yield ((plural(found.reports, "TLS report"), "bold"), copies)
    for domain in found.domains:
        yield ()
        name = domain.domain or "(no report says which domain)"
        yield ((_text(name), "bold"), f"  {_counts(domain.sessions)}")
        for one in domain.organizations[:_MOST]:
            yield from _organization(one, found.audit)
        yield from _rest(len(domain.organizations))
    yield ()
    yield from _troubles(found)
    words, style = headline(found)
    yield ((f"{words}.", style),)


def _organization(one: OrganizationDocument, audit: AuditDocument | None) -> Iterator[Line]:
    first, last = one.first[:_DAY], one.last[:_DAY]
    days = first if first == last else f"{first} to {last}"
    yield (f"  {_text(one.organization)}  {_counts(one.sessions)}  {days}",)
    applied = ", ".join(f"{_text(name)} {row.total:,}" for name, row in one.policies.items())
    yield ((f"    applied: {applied}", "dim"),)
    for failure in one.failures[:_MOST]:
        yield from _failure(failure)
        if failure.beside and audit:
            yield from _beside(failure.beside, audit, first, last)
    yield from _rest(len(one.failures), "      ")


def _failure(one: FailureDocument) -> Iterator[Line]:
    where = f" at {_text(one.host)}" if one.host else ""
    where += f" [{_some(one.receiving)}]" if one.receiving else ""
    sender = f", from {_some(one.sending)}" if one.sending else ""
    yield ("    ", (_text(one.result), "red"), f"  {one.sessions:,}{where}{sender}")
    yield (f"      {one.meaning}: {one.advice}",)
    if one.reasons:
        yield (f"      its words: {_some(one.reasons)}",)


def _beside(one: BesideDocument, audit: AuditDocument, first: str, last: str) -> Iterator[Line]:
    day = audit.started[:_DAY]
    when = "" if first <= day <= last else f" of another day, {day}"
    sight = {"the same": "saw the same", "nothing wrong": "saw nothing wrong"}.get(one.sight)
    words = f"our audit{when} {sight or 'did not look at this'}"
    yield ("      ", (words, _STYLES[one.sight]))
    for seen in one.seen[:_MOST]:
        accepted = " (waived)" if seen.verdict == "waived" else ""
        yield (f"        {seen.check}{accepted} on {_text(seen.place)}: {_text(seen.observed)}",)


def _troubles(found: TlsReportsDocument) -> Iterator[Line]:
    for lapse in found.lapses[:_MOST]:
        who = f"{_text(lapse.organization)}, {_text(lapse.report)}"
        yield (("contradiction  ", "bold yellow"), f"{who}: {_text(lapse.words)}")
    yield from _rest(len(found.lapses))
    for one in found.refused[:_MOST]:
        yield (("refused  ", "bold yellow"), f"{_text(one.source)}: {_text(one.reason)}")
    yield from _rest(len(found.refused))
    if found.without:
        yield (f"{plural(found.without, 'mail or mailbox')} without a report",)
    if found.others:
        yield (f"{plural(found.others, 'file')} of another kind passed over",)


def _counts(sessions: SessionsDocument) -> str:
    failed = f", {sessions.failed:,} failed ({_percent(sessions)})" if sessions.failed else ""
    return f"{plural(sessions.total, 'session')}{failed}"


def _percent(sessions: SessionsDocument) -> str:
    found = share(sessions.failed, sessions.total)
    return "-" if found is None else f"{found:.1f}%"


def _some(words: Iterable[str]) -> str:
    every = list(words)
    more = f" and {len(every) - _NAMED} more" if len(every) > _NAMED else ""
    return ", ".join(map(_text, every[:_NAMED])) + more


def _text(words: str) -> str:
    return visible(words, longest=_LONGEST)


def _rest(count: int, margin: str = "  ") -> Iterator[Line]:
    if count > _MOST:
        yield (f"{margin}and {count - _MOST:,} more (--json has all)",)
