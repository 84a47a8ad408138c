"""Behaviours that must be there, or must not."""

from audit.facts import Behaviour, Observation
from audit.judge.case import EndpointCase, Judgement, undecided

_NOT_TRIED = Observation("inconclusive", "not tried")


def absent(
    case: EndpointCase, *, behaviour: Behaviour, expected: str, otherwise: str, item: str = ""
) -> Judgement:
    """Passes if the server does not do it; *otherwise* says what it did."""
    return _judge(case, behaviour, expected, otherwise, item, wanted="refused")


def present(
    case: EndpointCase, *, behaviour: Behaviour, expected: str, otherwise: str, item: str = ""
) -> Judgement:
    """Passes if the server does it; *otherwise* says what it did instead."""
    return _judge(case, behaviour, expected, otherwise, item, wanted="accepted")


def _judge(  # noqa: PLR0913 - one shape for both
    case: EndpointCase,
    behaviour: Behaviour,
    expected: str,
    otherwise: str,
    item: str,
    *,
    wanted: str,
) -> Judgement:
    seen = case.facts.behaviours.get(behaviour, _NOT_TRIED)
    if seen.seen == "inconclusive":
        return undecided(seen, expected)
    if seen.seen == wanted:
        return Judgement("pass", expected, expected, seen.evidence, item)
    return Judgement("fail", otherwise, expected, seen.evidence, item)
