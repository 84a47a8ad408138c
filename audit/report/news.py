"""What is worth telling about a run, for people and for programs. Pure.

Subjects are ours and the inventory's: nothing that a server says ever stands in one.
"""

from collections import Counter
from typing import Annotated, Literal

from msgspec import Meta, Struct

from audit.findings import Run, Verdict
from audit.history.entry import Series
from audit.past import Past
from audit.report.diff import (
    ChangeDocument,
    DriftDocument,
    change_document,
    drift_document,
)
from audit.report.encode import Time, pretty, text
from audit.report.summary import plural, summarize
from audit.report.terminal import words
from audit.report.visible import visible

Reason = Literal["changes", "drift", "notices", "first", "incomplete", "trouble", "failed"]

_LONGEST = 200_000  # characters of a mail; the reports have all of it
_MOST = 500  # changes and facts in a document; likewise
_NAME = 80  # characters of an inventory in a subject
_BAD: tuple[Verdict, ...] = ("fail", "inconclusive")


class NotificationDocument(Struct, frozen=True, kw_only=True):
    """What a webhook is told of a run."""

    schema: Literal["mailseal/notification/1"]
    reasons: Annotated[
        list[Reason],
        Meta(
            description="changes: of verdicts and checks; drift: of other facts; notices: something"
            " new is said about waivers or earlier runs; first: there is no earlier run, and not"
            " everything is fine; incomplete: the time was over before all was looked at; trouble:"
            " the run could not be compared, reported or kept; failed: there was no run at all"
        ),
    ]
    subject: Annotated[str, Meta(description="one line, as of a mail")]
    text: Annotated[str, Meta(description="what the mail says; cut where it is very long")]
    inventory: str
    limit: Annotated[str, Meta(description="the pattern of hosts; empty for all")]
    run: Annotated[str, Meta(description="the run's id; empty if there was none")]
    before: Annotated[str, Meta(description="the run it is compared with; empty if there is none")]
    started: Annotated[Time | None, Meta(description="null if there was no run")]
    verdicts: Annotated[dict[Verdict, int], Meta(description="checks by verdict; empty without")]
    changes: list[ChangeDocument]
    drift: list[DriftDocument]
    notices: Annotated[list[str], Meta(description="those that were not said of the run before")]
    omitted: Annotated[
        int, Meta(ge=0, description="changes and facts left out because there are too many")
    ]
    error: Annotated[str, Meta(description="why there was no run, or it was not kept; else empty")]


class News(Struct, frozen=True):
    """What is told.

    Attributes:
        subject: one line of visible characters.
        text: what a mail says.
        document: "mailseal/notification/1".
    """

    subject: str
    text: str
    document: bytes


def news(
    run: Run, past: Past, series: Series, *, late: bool = False, trouble: str = ""
) -> News | None:
    """What is worth telling about a run; None where it is as the one before.

    Args:
        run: what was found.
        past: the run before it, and what differs from it.
        series: what was asked for.
        late: the time was over before everything was looked at.
        trouble: why it could not be compared, reported or kept; empty if it could.
    """
    fresh = [notice for notice in run.notices if notice not in past.notices]
    counts = summarize(run).counts
    bad = any(counts[verdict] for verdict in _BAD)
    told: dict[Reason, object] = {
        "changes": past.changes,
        "drift": past.drift,
        "notices": fresh,
        "first": bad and not past.nights and not trouble,
        "incomplete": late,
        "trouble": trouble,
    }
    reasons = [reason for reason, holds in told.items() if holds]
    if not reasons:
        return None
    kinds = Counter(change.kind for change in past.changes)
    headline = [f"{number} {kind}" for kind, number in kinds.items()]
    headline += [plural(len(past.drift), "other fact")] if past.drift else []
    headline += [plural(len(fresh), "notice")] if fresh else []
    headline += [_HEADLINES[reason] for reason in reasons if reason in _HEADLINES]
    state = f"{counts['fail']} failed, {counts['inconclusive']} inconclusive of {run.executed}"
    subject = _subject(f"{', '.join(headline)}; {state}", series)
    body = _cut("\n\n".join(filter(None, (_head(run, series), visible(trouble), words(run, past)))))
    return _told(
        subject,
        body,
        series,
        reasons=reasons,
        run=run.run,
        before=past.nights[-1].run if past.nights else "",
        started=run.started,
        verdicts=dict(counts),
        changes=[change_document(change) for change in past.changes[:_MOST]],
        drift=[drift_document(one) for one in past.drift[:_MOST]],
        notices=[text(notice) for notice in fresh],
        omitted=sum(max(0, len(all_) - _MOST) for all_ in (past.changes, past.drift)),
        error=text(trouble),
    )


_HEADLINES: dict[Reason, str] = {
    "first": "first run",
    "incomplete": "not in time",
    "trouble": "not compared, reported or kept",
}


def no_run(why: str, series: Series) -> News:
    """What is told where there was no run, and why."""
    body = f"There was no audit of {visible(str(series))}:\n\n{visible(why)}\n"
    return _told(
        _subject("no audit", series),
        body,
        series,
        reasons=["failed"],
        run="",
        before="",
        started=None,
        verdicts={},
        changes=[],
        drift=[],
        notices=[],
        omitted=0,
        error=text(why),
    )


def _told(subject: str, body: str, series: Series, **more: object) -> News:
    document = NotificationDocument(
        schema="mailseal/notification/1",
        subject=subject,
        text=body,
        inventory=text(series.inventory),
        limit=text(series.limit),
        **more,  # type: ignore[arg-type]
    )
    return News(subject, body, pretty(document))


def _subject(what: str, series: Series) -> str:
    return f"mailseal: {what}: {visible(str(series), longest=_NAME)}"


def _head(run: Run, series: Series) -> str:
    return visible(f"Audit {run.run} of {series}")


def _cut(body: str) -> str:
    """Whole lines only, and the cut is said."""
    if len(body) <= _LONGEST:
        return body
    kept = body[: body.rindex("\n", 0, _LONGEST) + 1]
    left = body.count("\n") - kept.count("\n")
    return f"{kept}... {left} more lines: the reports have them\n"
