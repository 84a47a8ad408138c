"""What holds forecasts against the truth finds each way in which one can be wrong."""

from typing import Any

import pytest

from tests.whatif.truth import Key, mistakes, sums

MX, ANNA, OTTO = ("mx", "192.0.2.7"), ("access", "192.0.2.8"), ("access", "192.0.2.9")
BEFORE: dict[Key, bool] = {MX: True, ANNA: True, OTTO: True, ("access", "192.0.2.10"): False}
AFTER: dict[Key, bool] = {MX: True, ANNA: False, OTTO: True, ("access", "192.0.2.10"): True}


def _row(key: Key, verdict: str, likely: str = "") -> dict[str, Any]:
    return {
        "traffic": key[0],
        "client": key[1],
        "verdict": verdict,
        "likely": likely or verdict,
    }


def _document(*rows: dict[str, Any]) -> dict[str, Any]:
    traffic = {}
    for use, seen in (("mx", 1), ("access", 2)):
        mine = [row["verdict"] for row in rows if row["traffic"] == use]
        broken, unknown = mine.count("break"), mine.count("unknown")
        clients = {"keep": seen - len(mine), "break": broken, "unknown": unknown}
        traffic[use] = {"lower": broken, "upper": broken + unknown, "clients": clients}
    return {"traffic": traffic, "clients": list(rows)}


@pytest.mark.parametrize("rows", [[_row(ANNA, "break")], [_row(ANNA, "unknown", "keep")]])
def test_what_came_true_is_no_mistake(rows: list[dict[str, Any]]) -> None:
    """What is unknown may end either way."""
    assert not list(mistakes(_document(*rows), BEFORE, AFTER))


def test_the_sums_say_what_was_likely_and_what_was_so() -> None:
    """A guess is counted, and no mistake."""
    guess = _document(_row(ANNA, "unknown", "keep"), _row(OTTO, "unknown", "keep"))
    access = sums(guess, BEFORE, AFTER)["access"]
    assert (access.seen, access.keep, access.broken, access.unknown) == (2, 0, 0, 2)
    assert (access.lower, access.truth, access.upper) == (0, 1, 2)
    assert (access.likely, access.right) == (2, 1)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "was to be kept, and broke"),
        ([], "1 broke, which is not within 0 and 0"),
        ([_row(ANNA, "break"), _row(OTTO, "break")], "was to break, and came through"),
        ([_row(ANNA, "break"), _row(MX, "break")], "mx: 0 broke, which is not within 1 and 1"),
        ([_row(("mx", "192.0.2.99"), "break")], "is judged, and did not come through before"),
    ],
)
def test_each_kind_of_mistake_is_found(rows: list[dict[str, Any]], words: str) -> None:
    """A keep that breaks, a break that does not, a sum out of bounds, a stranger."""
    assert any(words in one for one in mistakes(_document(*rows), BEFORE, AFTER))


def test_sums_that_are_not_those_of_the_clients_are_found() -> None:
    """Somebody who was not counted, and somebody who was counted for something else."""
    found = _document(_row(ANNA, "break"))
    found["traffic"]["access"]["clients"]["keep"] = 0
    words = "\n".join(mistakes(found, BEFORE, AFTER))
    assert "1 clients are counted, and 2 came through" in words
    assert "the sums are not those of the clients" in words
