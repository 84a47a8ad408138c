"""Two runs of the history beside each other, for people and for programs."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, TextIO

from msgspec import Meta, Struct

from audit.changes import Change, Kind
from audit.drift import Drift, What
from audit.findings import Run
from audit.report.changed import changed, drifted
from audit.report.documents import FindingDocument, PolicyDocument
from audit.report.encode import Time, pretty, text
from audit.report.json import finding_document, policy_document
from audit.report.paint import Line, put
from audit.report.summary import plural
from audit.report.visible import visible


class SideDocument(Struct, frozen=True):
    """One of the two runs."""

    run: str
    started: Time
    policies: list[PolicyDocument]
    executed: Annotated[int, Meta(ge=0, description="checks that were made")]


class ChangeDocument(Struct, frozen=True):
    """One check that came out otherwise."""

    kind: Annotated[
        Kind,
        Meta(
            description="new: a failure or doubt that was not there; lost: no longer checked;"
            " fixed; waived: a failure that is accepted now; changed: no worse, but something"
            " else; added: checked for the first time, and fine"
        ),
    ]
    before: Annotated[FindingDocument | None, Meta(description="null where it was not checked")]
    after: Annotated[FindingDocument | None, Meta(description="null where it is not checked")]


class DriftDocument(Struct, frozen=True):
    """One fact that is another one now; address and service are empty for a host or mail domain."""

    host: str
    address: str
    port: Annotated[int, Meta(ge=0, le=65535)]
    service: str
    what: What
    name: Annotated[str, Meta(description="of which there may be several: a version, a setting")]
    before: str
    after: str


class DiffDocument(Struct, frozen=True):
    """What `mailseal diff --json` says."""

    schema: Literal["mailseal/diff/1"]
    before: SideDocument
    after: SideDocument
    changes: list[ChangeDocument]
    drift: Annotated[list[DriftDocument], Meta(description="facts, whatever the policy says")]


def diff_document(
    before: Run, after: Run, changes: Sequence[Change], drift: Sequence[Drift]
) -> bytes:
    """The difference as "mailseal/diff/1"."""
    return pretty(
        DiffDocument(
            schema="mailseal/diff/1",
            before=_side(before),
            after=_side(after),
            changes=[change_document(change) for change in changes],
            drift=[drift_document(one) for one in drift],
        )
    )


def show(
    before: Run, after: Run, changes: Sequence[Change], drift: Sequence[Drift], file: TextIO
) -> None:
    """Print the difference, the worst first."""
    put(_lines(before, after, changes, drift), file)


def _lines(
    before: Run, after: Run, changes: Sequence[Change], drift: Sequence[Drift]
) -> Iterator[Line]:
    yield ((f"{_named(before)} → {_named(after)}", "bold reverse"),)
    yield ()
    yield from changed(changes)
    yield from drifted(drift)
    kinds = Counter(change.kind for change in changes)
    counts = ", ".join(f"{number} {kind}" for kind, number in kinds.items()) or "no changes"
    facts = plural(len(drift), "other fact")
    yield ((f"{counts}; {facts}", "bold"),)


def _named(run: Run) -> str:
    return visible(f"{run.run} by {run.policy.id} of {run.policy.version}")


def _side(run: Run) -> SideDocument:
    return SideDocument(
        run=run.run,
        started=run.started,
        policies=[policy_document(one) for one in run.policies or (run.policy,)],
        executed=run.executed,
    )


def change_document(change: Change) -> ChangeDocument:
    """One check that came out otherwise."""
    return ChangeDocument(
        kind=change.kind,
        before=finding_document(change.before) if change.before else None,
        after=finding_document(change.after) if change.after else None,
    )


def drift_document(one: Drift) -> DriftDocument:
    """One fact that is another one now."""
    return DriftDocument(
        host=text(one.host),
        address=text(one.address),
        port=one.port,
        service=text(one.service),
        what=one.what,
        name=text(one.name),
        before=text(one.before),
        after=text(one.after),
    )
