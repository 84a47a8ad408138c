"""What a record of a rollout says: JSON Lines, one event a line, each of them whole or not there.

Only ever added to, so a rollout that is killed leaves all that happened before. Everything in it
has been through `audit.rollout.discreet`.
"""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

SCHEMA = "mailseal/rollout-record/1"
# Times without a zone could not be compared with the others.
Time = Annotated[datetime, Meta(tz=True)]


class Event(Struct, frozen=True, kw_only=True, tag_field="event"):
    """Something that happened.

    Attributes:
        at: when, in UTC.
    """

    at: Time


class Opened(Event, frozen=True, kw_only=True, tag="opened"):
    """The first line: who rolls out what to where.

    Attributes:
        schema: of the record.
        id: the name of the rollout: its time, and a number where two began in one second.
        playbook: file name.
        user, control: who, on which machine.
        process: its number there; 0 in records of before that was kept.
        inventory: what was given with -i.
        limit, tags, skipped: the options of that name; empty if not given.
        variables: the names of those that were set with -e; never what they were set to.
        check: whether it only looks (--check).
        version, ansible: of mailseal and of ansible-core.
    """

    schema: Literal["mailseal/rollout-record/1"] = "mailseal/rollout-record/1"
    id: str
    playbook: str
    user: str
    control: str
    process: int = 0
    inventory: tuple[str, ...] = ()
    limit: str = ""
    tags: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    check: bool = False
    version: str = ""
    ansible: str = ""


class Batch(Event, frozen=True, kw_only=True, tag="batch"):
    """A play begins on some of its hosts.

    Attributes:
        play: its name.
        number: from 1, among the batches of this play.
        main: whether it is the one that changes mail daemons.
        hosts: those of this batch.
        everyone: those of all batches.
        policies: what the hosts of this batch are to be like.
    """

    play: str
    number: int
    main: bool
    hosts: tuple[str, ...]
    everyone: tuple[str, ...]
    policies: dict[str, str] = {}


class Phase(Event, frozen=True, kw_only=True, tag="phase"):
    """Another part of the work begins on a host; empty in a play that has no parts."""

    host: str
    phase: str


class Noted(Event, frozen=True, kw_only=True, tag="noted"):
    """A host has something to go back to; what the gate sees lies under this name."""

    host: str
    begun: str


class Told(Event, frozen=True, kw_only=True, tag="told"):
    """The roles say how it ended on a host."""

    host: str
    state: str


class Changed(Event, frozen=True, kw_only=True, tag="changed"):
    """A task changed something, or would (check)."""

    host: str
    task: str
    check: bool = False


class Diff(Event, frozen=True, kw_only=True, tag="diff"):
    """What is otherwise in a file.

    Attributes:
        path: the file.
        lines: a unified difference without its two headings.
        more: how many lines were left out.
        check: whether it is wanted only, and not in place (yet).
    """

    host: str
    path: str
    lines: tuple[str, ...]
    more: int = 0
    check: bool = False


class Package(Event, frozen=True, kw_only=True, tag="package"):
    """A package has another version; empty for none."""

    host: str
    name: str
    before: str
    after: str
    check: bool = False


class Failed(Event, frozen=True, kw_only=True, tag="failed"):
    """A task failed; what came after it says whether that was the end for the host."""

    host: str
    task: str
    why: str


class Unreachable(Event, frozen=True, kw_only=True, tag="unreachable"):
    """A host could not be reached any more."""

    host: str
    why: str


class Seen(Event, frozen=True, kw_only=True, tag="seen"):
    """A batch is over: when each of its hosts had done its last task."""

    hosts: dict[str, Time]


class Closed(Event, frozen=True, kw_only=True, tag="closed"):
    """The last line: it came to its end, however that was, and failed on these hosts."""

    failed: tuple[str, ...] = ()


AnyEvent = (
    Opened
    | Batch
    | Phase
    | Noted
    | Told
    | Changed
    | Diff
    | Package
    | Failed
    | Unreachable
    | Seen
    | Closed
)
DECODER = msgspec.json.Decoder(AnyEvent)
# After these nothing may be lost to a power cut either.
LASTING = (Opened, Batch, Told, Failed, Unreachable, Closed)
