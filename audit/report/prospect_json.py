"""A staging for programs."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from audit.prospect.deployment import Replaced, Trouble
from audit.prospect.fates import Turn
from audit.prospect.places import Served
from audit.prospect.result import Outcome, Staged, State
from audit.report.diff import ChangeDocument, change_document
from audit.report.encode import Time, pretty, text


class ProductionDocument(Struct, frozen=True):
    """What `ansible-playbook --check --diff` said of production."""

    inventory: str
    hosts: Annotated[list[str], Meta(description="that answered or should have")]
    troubles: Annotated[list[Trouble], Meta(description="hosts of which nothing is known, or no")]
    files: list[Replaced]


class StagingDocument(Struct, frozen=True):
    """What `mailseal staging --json` says."""

    schema: Literal["mailseal/staging/1"]
    outcome: Annotated[
        Outcome,
        Meta(
            description="holds; fails: not deployed, or against its own policy; breaks: clients are"
            " lost that were not announced; undetermined"
        ),
    ]
    exit_code: Annotated[int, Meta(ge=0, le=3)]
    reasons: Annotated[list[str], Meta(description="why it is not holds, a sentence each")]
    notices: list[str]
    started: Time
    finished: Time
    inventory: str
    limit: Annotated[str, Meta(description="empty for all hosts")]
    now: State
    candidate: State
    troubles: Annotated[list[Trouble], Meta(description="hosts where a deployment failed")]
    lost: Annotated[list[str], Meta(description="clients that lose TLS, announced or not")]
    clients: Annotated[list[Turn], Meta(description="the worst first")]
    services: list[Served]
    changes: Annotated[list[ChangeDocument], Meta(description="both judged by the candidate")]
    files: Annotated[list[Replaced], Meta(description="replaced on the staging cluster")]
    production: Annotated[ProductionDocument | None, Meta(description="null if nobody asked")]


def staging_document(found: Staged) -> bytes:
    """The result as "mailseal/staging/1"."""
    asked = found.production
    document = StagingDocument(
        schema="mailseal/staging/1",
        outcome=found.outcome,
        exit_code=found.exit_code,
        reasons=list(found.reasons),
        notices=list(found.notices),
        started=found.started,
        finished=found.finished,
        inventory=found.inventory,
        limit=found.limit,
        now=found.now,
        candidate=found.candidate,
        troubles=list(found.troubles),
        lost=sorted({turn.client for turn in found.lost}),
        clients=list(found.turns),
        services=list(found.served),
        changes=[change_document(change) for change in found.changes],
        files=list(found.files),
        production=ProductionDocument(
            inventory=asked.inventory,
            hosts=list(asked.deployment.hosts),
            troubles=list(asked.deployment.troubles),
            files=list(asked.deployment.files),
        )
        if asked
        else None,
    )
    return pretty(_texts(msgspec.to_builtins(document)))


def _texts(value: Any) -> Any:  # noqa: ANN401 - whatever JSON can hold
    """Every text as one that UTF-8 can carry."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Mapping):
        return {text(name): _texts(one) for name, one in value.items()}
    return [_texts(one) for one in value] if isinstance(value, list | tuple) else value
