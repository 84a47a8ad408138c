"""Forecasts for people: who breaks comes first, and what many share is told once."""

from collections.abc import Iterator

from audit.clients.model import Use
from audit.forecast.outcome import USES, Forecast, Forecasts, Outcome, Result

_WORDS: dict[Result, str] = {"tls": "", "plain": "in plain text", "fails": "cannot connect"}
_ORDER = ("fails", "plain", "tls")


def listing(found: Forecasts) -> str:
    """The clients there are."""
    return "\n".join(_listing(found)) + "\n"


def _listing(found: Forecasts) -> Iterator[str]:
    width = max(len(one.id) for one in found.clients)
    for one in found.clients:
        yield f"{one.id:{width}}  {one.title}: {', '.join(one.uses)}"
        like = f"modelled on {one.models}; " if one.models else "recorded; "
        yield f"{'':{width}}  {like}{one.made}"


def text(found: Forecasts) -> str:
    """What they get under the policies; kinds of traffic with the same outcomes are told once."""
    return "\n".join(_text(found)) + "\n"


def _text(found: Forecasts) -> Iterator[str]:
    keys = " and ".join(found.certificates)
    yield f"{', '.join(found.policies)} on {found.day}: {found.library}, certificates {keys}"
    alike: dict[tuple[tuple[Forecast, tuple[Outcome, ...]], ...], list[Use]] = {}
    for use in USES:
        having = tuple((one, _of(one, use)) for one in found.clients if _of(one, use))
        if having:
            alike.setdefault(tuple((one, _told(own)) for one, own in having), []).append(use)
    for clients, uses in alike.items():
        yield ""
        yield ", ".join(uses)
        yield from _block(found.policies, clients)


def _of(one: Forecast, use: Use) -> tuple[Outcome, ...]:
    return tuple(o for o in one.outcomes if o.use == use)


def _told(outcomes: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
    """The outcomes as one kind of traffic, for comparing."""
    return tuple(
        Outcome(USES[0], o.policy, o.result, o.version, o.suite, o.group, o.retried, o.why)
        for o in outcomes
    )


def _block(
    policies: tuple[str, ...], clients: tuple[tuple[Forecast, tuple[Outcome, ...]], ...]
) -> Iterator[str]:
    groups: dict[tuple[Outcome, ...], list[Forecast]] = {}
    for one, own in clients:
        groups.setdefault(own, []).append(one)
    width = max(map(len, policies))
    for own, together in sorted(groups.items(), key=lambda entry: _rank(entry[0])):
        yield f"  {', '.join(one.id for one in together)}"
        for each in own:
            yield f"    {each.policy:{width}}  {_line(each)}"
    yield ""
    for policy in policies:
        results = [o.result for _, own in clients for o in own if o.policy == policy]
        counts = [(results.count(r), w or "by TLS") for r, w in _WORDS.items()]
        said = ", ".join(f"{count} {word}" for count, word in counts if count)
        yield f"  {policy:{width}}  of {len(results)} clients: {said}"


def _rank(outcomes: tuple[Outcome, ...]) -> tuple[int, ...]:
    """The worst first, by the last policy, then by the one before it."""
    return tuple(_ORDER.index(o.result) for o in reversed(outcomes))


def _line(one: Outcome) -> str:
    if one.result != "tls":
        return f"{_WORDS[one.result]}: {one.why}"
    group = f"  {one.group}" if one.group else ""
    return f"{one.version}  {one.suite}{group}{' after a retry' if one.retried else ''}"
