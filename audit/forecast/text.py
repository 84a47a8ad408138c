"""Forecasts for people: who breaks comes first, and what many share is told once."""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from audit.clients.model import Use
from audit.forecast.outcome import Forecast, Forecasts, Outcome, Result

_WORDS: dict[Result, str] = {
    "fails": "cannot connect",
    "unknown": "cannot be told",
    "plain": "in plain text",
    "tls": "by TLS",
}
_WORST = tuple(_WORDS)

Told = tuple[Outcome, ...]


def listing(found: Forecasts) -> str:
    """The clients there are."""
    return "\n".join(_listing(found)) + "\n"


def _listing(found: Forecasts) -> Iterator[str]:
    width = max(len(one.id) for one in found.clients)
    for one in found.clients:
        yield f"{one.id:{width}}  {one.title}: {', '.join(one.uses)}"
        if one.models:
            yield f"{'':{width}}  stands for {one.models}"
        yield f"{'':{width}}  {one.made}"


def text(found: Forecasts) -> str:
    """What they get under the policies."""
    return "\n".join(_text(found)) + "\n"


def _text(found: Forecasts) -> Iterator[str]:
    keys = " and ".join(found.certificates)
    yield f"{', '.join(found.policies)} on {found.day}: {found.library}, certificates {keys}"
    for uses in _together(found.clients):
        having = {one.id: _told(one, uses) for one in found.clients if _told(one, uses)}
        if having:
            yield ""
            yield ", ".join(uses)
            yield from _block(found, having)


def _together(clients: Sequence[Forecast]) -> tuple[tuple[Use, ...], ...]:
    """Reading and handing in are one, if nobody who does both gets something else for each."""
    both = [one for one in clients if {"access", "submission"} <= {*one.uses}]
    if all(_told(one, ("access",)) == _told(one, ("submission",)) for one in both):
        return (("access", "submission"), ("mx",))
    return (("access",), ("submission",), ("mx",))


def _told(one: Forecast, uses: Sequence[Use]) -> Told:
    """One outcome for each policy, and the same whichever of these uses it is for."""
    found = {o.policy: replace(o, use="access") for o in one.outcomes if o.use in uses}
    return tuple(found.values())


def _block(found: Forecasts, having: dict[str, Told]) -> Iterator[str]:
    groups: dict[Told, list[Forecast]] = {}
    for one in found.clients:
        if one.id in having:
            groups.setdefault(having[one.id], []).append(one)
    width = max(map(len, found.policies))
    for told, clients in sorted(groups.items(), key=lambda entry: _rank(entry[0])):
        if all(o.result == "tls" for o in told):
            yield f"  {', '.join(one.id for one in clients)}"
        else:
            yield from (f"  {one.id}: {one.models or one.title}" for one in clients)
        yield from (f"    {each.policy:{width}}  {_line(each)}" for each in told)
    yield ""
    for policy in found.policies:
        results = [o.result for told in having.values() for o in told if o.policy == policy]
        counts = ((results.count(result), word) for result, word in _WORDS.items())
        said = ", ".join(f"{count} {word}" for count, word in reversed([*counts]) if count)
        yield f"  {policy:{width}}  of {len(results)} clients: {said or 'no word about this'}"


def _rank(told: Told) -> tuple[int, ...]:
    """The worst first, by the last policy, then by the one before it."""
    return tuple(_WORST.index(o.result) for o in reversed(told))


def _line(one: Outcome) -> str:
    if one.result != "tls":
        return f"{_WORDS[one.result]}: {one.why}"
    group = f"  {one.group}" if one.group else ""
    return f"{one.version}  {one.suite}{group}{' after a retry' if one.retried else ''}"
