"""A forecast held against what happened: who was misjudged, and what the bounds hold. Pure.

Everybody who was seen under the old policy has tried the new one; nobody else counts.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# Kind of traffic and address: who it is, in a log and in a forecast.
Key = tuple[str, str]
# Whether it came through TLS.
Happened = Mapping[Key, bool]


@dataclass(frozen=True)
class Sum:
    """One kind of traffic.

    Attributes:
        seen: clients that came through before.
        keep, broken, unknown: as it was foreseen.
        lower, upper: between these is what breaks.
        truth: what broke.
        likely, right: unknown ones of which something is said to be likely, and that was so.
    """

    seen: int
    keep: int
    broken: int
    unknown: int
    lower: int
    upper: int
    truth: int
    likely: int
    right: int


def verdicts(document: Mapping[str, Any], before: Happened) -> dict[Key, str]:
    """What is foreseen of each who was seen; who is not named goes on."""
    named = {(row["traffic"], row["client"]): row["verdict"] for row in document["clients"]}
    return {key: named.get(key, "keep") for key, came in before.items() if came}


def mistakes(document: Mapping[str, Any], before: Happened, after: Happened) -> Iterator[str]:
    """What is wrong with a forecast, a sentence each; nothing, if all of it came true."""
    foreseen = verdicts(document, before)
    for row in document["clients"]:
        if (key := (row["traffic"], row["client"])) not in foreseen:
            yield f"{key} is judged, and did not come through before"
    for key, verdict in foreseen.items():
        if verdict == "keep" and not after[key]:
            yield f"{key} was to be kept, and broke"
        if verdict == "break" and after[key]:
            yield f"{key} was to break, and came through"
    for use, one in sums(document, before, after).items():
        counts = document["traffic"][use]
        clients = counts["clients"]
        if sum(clients.values()) != one.seen:
            yield f"{use}: {sum(clients.values())} clients are counted, and {one.seen} came through"
        if (clients["keep"], clients["break"], clients["unknown"]) != (
            one.keep, one.broken, one.unknown,
        ):  # fmt: skip
            yield f"{use}: the sums are not those of the clients: {clients}"
        if not one.lower <= one.truth <= one.upper:
            yield f"{use}: {one.truth} broke, which is not within {one.lower} and {one.upper}"


def sums(document: Mapping[str, Any], before: Happened, after: Happened) -> dict[str, Sum]:
    """The forecast and the truth by kind of traffic; each client came once, so they are mails too.

    Raises:
        KeyError: a client that came through before did not try again.
    """
    foreseen = verdicts(document, before)
    likely = {
        (row["traffic"], row["client"]): row["likely"]
        for row in document["clients"]
        if row["verdict"] == "unknown" and row["likely"] != "unknown"
    }
    found = {}
    for use in dict.fromkeys(use for use, _ in foreseen):
        mine = [key for key in foreseen if key[0] == use]
        counted = Counter(foreseen[key] for key in mine)
        guesses = [key for key in mine if key in likely]
        found[use] = Sum(
            seen=len(mine),
            keep=counted["keep"],
            broken=counted["break"],
            unknown=counted["unknown"],
            lower=document["traffic"][use]["lower"],
            upper=document["traffic"][use]["upper"],
            truth=sum(not after[key] for key in mine),
            likely=len(guesses),
            right=sum((likely[key] == "keep") == after[key] for key in guesses),
        )
    return found
