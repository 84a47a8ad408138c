"""`--server-order`: what the servers were while the logs were written; it reads the history."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from audit.errors import MailsealError
from audit.facts import Endpoint
from audit.findings import Run
from audit.history.entry import Entry
from audit.history.place import place
from audit.history.store import Store, named, opened
from audit.policy.load import built_in_ids, load
from audit.policy.model import Policy, Traffic
from audit.whatif.premises import Before

POLICY = "policy:"
_SUBMISSION = (465, 587)
_NOT_MAIL_OF_PEOPLE = ("lmtp",)

Order = Mapping[Traffic, tuple[Before, ...]]


def by_name(name: str, history: str | None) -> Order:
    """What a policy rolled out (policy:ID), or what one kept audit saw.

    Raises:
        MailsealError: there is no such policy or run.
    """
    if name.startswith(POLICY):
        return by_policy(load(name.removeprefix(POLICY)))
    if name in built_in_ids():  # no id of a run is like it
        raise MailsealError(f"--server-order {name}: a policy is given as {POLICY}{name}")
    return by_runs([named(history, name, "--server-order")])


def by_days(first: str, last: str, history: str | None) -> Order:
    """What the kept audits saw that cover these days: those within, and the last one before.

    Nothing where there is no history: then nothing is known, which the report says.

    Raises:
        MailsealError: there is one, and it cannot be read.
    """
    where = place(history)
    if where is None or (where.file and not where.file.exists()):
        return {}
    with opened(where) as store:
        return by_runs([store.load(entry) for entry in _covering(store, first, last)])


def by_policy(policy: Policy) -> Order:
    """Servers that do what a policy says."""
    source = f"rolled out: {policy.id}"
    return {use: (Before(profile, source),) for use, profile in policy.profiles.items()}


def by_runs(runs: Sequence[Run]) -> Order:
    """Servers that do what audits saw them do, by kind of traffic."""
    found: dict[Traffic, list[Before]] = {}
    for run in runs:
        for facts in run.endpoints:
            use = _use(facts.endpoint)
            if use is not None and facts.reach == "open" and facts.suites:
                source = f"audit {run.run}: {facts.endpoint}"
                found.setdefault(use, []).append(Before(facts, source))
    return {use: tuple(before) for use, before in found.items()}


def _use(endpoint: Endpoint) -> Traffic | None:
    if endpoint.service in _NOT_MAIL_OF_PEOPLE:
        return None
    if endpoint.service != "smtp":
        return "access"
    return "submission" if endpoint.port in _SUBMISSION else "mx"


def _covering(store: Store, first: str, last: str) -> Iterator[Entry]:
    """Runs of these days, and the last before the first of them."""
    complete = [entry for entry in store.entries() if entry.complete]
    if not (_is_day(first) and _is_day(last)):
        return
    before = [entry for entry in complete if entry.started[:10] < first]
    yield from before[-1:]
    yield from (entry for entry in complete if first <= entry.started[:10] <= last)


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
