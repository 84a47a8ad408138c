"""What a staging found, in words and in groups: the same for terminal, page and comment."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TypeVar

from audit.findings import Verdict
from audit.prospect.deployment import Replaced
from audit.prospect.fates import Kind, Turn
from audit.prospect.places import Served
from audit.prospect.result import Outcome, Staged, State
from audit.report.summary import plural

T = TypeVar("T")

# What a change of a client's fate is called; what is not here is only counted.
KINDS: Mapping[Kind, tuple[str, Verdict]] = {
    "lost": ("Can no longer connect", "fail"),
    "clear": ("Go on in clear text", "fail"),
    "unknown": ("Could not be told", "inconclusive"),
    "won": ("Can connect now", "pass"),
    "other": ("Get another version, suite or group", "not-applicable"),
}
# Those that nobody has to be told about one by one.
SILENT: tuple[Kind, ...] = ("other",)
COUNTED: Mapping[Kind, str] = {
    "lost": "can no longer connect",
    "clear": "go on in clear text",
    "unknown": "could not be told",
    "won": "can connect now",
    "other": "get something else",
    "same": "get the same",
    "never": "could not connect before either",
}
VERDICTS: Mapping[Outcome, Verdict] = {
    "holds": "pass",
    "fails": "fail",
    "breaks": "fail",
    "undetermined": "inconclusive",
}
PARTS = ("versions", "suites", "groups")


def title(found: Staged) -> str:
    """univie-2015 → mailseal-2026."""
    return f"{found.now.policies} → {found.candidate.policies}"


def where(found: Staged) -> str:
    """inventory/staging, limited to imap."""
    return f"{found.inventory}{f', limited to {found.limit}' if found.limit else ''}"


def headline(found: Staged) -> str:
    """The word on the candidate, as one sentence; what could not be told never reads as fine."""
    if found.troubles and found.outcome == "undetermined":
        return "The candidate could not be tried"
    lost = len({turn.client for turn in found.lost})
    match found.outcome:
        case "fails":
            return "The candidate fails"
        case "breaks":
            return f"The candidate holds, and takes TLS from {plural(lost, 'client')}"
        case "undetermined":
            return "Nothing is known to be wrong, but something could not be determined"
    if lost:
        return f"The candidate holds; {plural(lost, 'client')} lose TLS, as announced"
    return "The candidate holds, and no client is lost"


def source(state: State) -> str:
    """Where what is known of a state comes from."""
    if state.source == "run":
        return f"run {state.run} of the history"
    return "deployed and audited" if state.run else "not audited"


def counts(turns: Iterable[Turn]) -> dict[Kind, int]:
    """How many clients fare how, each by the worst that befalls it."""
    worst: dict[str, Kind] = {}
    order = list(COUNTED)
    for turn in turns:
        before = worst.get(turn.client)
        if before is None or order.index(turn.kind) < order.index(before):
            worst[turn.client] = turn.kind
    found = list(worst.values())
    return {kind: found.count(kind) for kind in COUNTED if kind in found}


def by_kind(turns: Iterable[Turn]) -> dict[Kind, list[Turn]]:
    """Those that are told one by one, in the order of KINDS."""
    found = list(turns)
    sorted_ = {kind: [t for t in found if t.kind == kind] for kind in KINDS if kind not in SILENT}
    return {kind: mine for kind, mine in sorted_.items() if mine}


def name(turn: Turn) -> str:
    """What people call a client."""
    return f"{turn.models} (modelled with {turn.title})" if turn.models else turn.title


def places(found: Iterable[Served]) -> list[tuple[Served, str]]:
    """Places that have changed, or could not be told; those that did so alike share a row."""
    telling = [
        s for s in found if s.closed or s.opened or s.untold or any(getattr(s, p) for p in PARTS)
    ]
    return [
        (mine[0], ", ".join(f"{s.service} {s.port}" for s in mine))
        for mine in alike(telling, _aspects)
    ]


def _aspects(one: Served) -> Hashable:
    return one.closed, one.opened, one.untold, *(getattr(one, part) for part in PARTS)


def files(found: Iterable[Replaced]) -> list[tuple[Replaced, str]]:
    """Files that differ in the same lines share an entry, with the hosts."""
    return [
        (mine[0], ", ".join(dict.fromkeys(r.host for r in mine)))
        for mine in alike(found, lambda r: (r.path, r.lines, r.more))
    ]


def alike(found: Iterable[T], aspect: Callable[[T], Hashable]) -> list[list[T]]:
    """Those of one aspect together, in the order in which they came."""
    groups: dict[Hashable, list[T]] = {}
    for one in found:
        groups.setdefault(aspect(one), []).append(one)
    return list(groups.values())
