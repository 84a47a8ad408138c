"""What became of a mail by both sides' logs and a capture, and was it expected? Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from lab.world import Expected

Delivery = Literal["delivered", "deferred", "bounced", "unknown"]
Arrival = Literal["tls", "clear", "none"]
# The word behind a message's number, where something is said of a recipient (Exim's manual, 53).
_DELIVERY: Mapping[str, Delivery] = {
    "=>": "delivered",
    "->": "delivered",
    "**": "bounced",
    "==": "deferred",
}
_X = re.compile(r" X=\S+")


class Looked(Struct, frozen=True):
    """What `mailseal scan --domain` said: its exit code, and the checks that failed."""

    exit: int
    failed: tuple[str, ...]


class Got(Struct, frozen=True):
    """What became of a mail and of a look at its domain.

    Attributes:
        delivery: what the sender did in the end; unknown if it was still at it.
        arrival: what the receiver's log says of it.
        clear: the capture shows its envelope or text in clear.
        connected: the capture shows connections to the servers of the domain.
        log: what the sender's log has about it.
        looked: what was found by looking at the domain.
    """

    delivery: Delivery
    arrival: Arrival
    clear: bool
    connected: bool
    log: tuple[str, ...]
    looked: Looked


def about(log: str, number: str) -> tuple[str, ...]:
    """The lines of an Exim log about a message, without its number and the time."""
    found = (line.split(" ", 3) for line in log.splitlines())
    return tuple(words[3] for words in found if len(words) > 3 and words[2] == number)  # noqa: PLR2004


def delivery(lines: Sequence[str]) -> Delivery:
    """What the sender did last with the one recipient of a message."""
    for line in reversed(lines):
        if found := _DELIVERY.get(line[:2]):
            return found
    return "unknown"


def arrival(log: str, recipient: str) -> Arrival:
    """How a mail came in, by the receiver's log with its recipients (+received_recipients)."""
    lines = [line for line in log.splitlines() if line.endswith(f" for {recipient}")]
    if not lines:
        return "none"
    return "tls" if all(_X.search(line) for line in lines) else "clear"


def differences(expected: Expected, got: Got) -> tuple[str, ...]:
    """Where it is otherwise than expected, a sentence each; none if it is as expected."""
    return tuple(_differences(expected, got))


def _differences(expected: Expected, got: Got) -> Iterable[str]:
    if got.delivery != expected.delivery:
        yield f"{got.delivery} and not {expected.delivery}"
    said = "\n".join(got.log)
    yield from (f"no {word!r} in the sender's log" for word in expected.log if word not in said)
    if got.arrival != expected.arrival:
        yield f"arrival {got.arrival} and not {expected.arrival}"
    if got.clear != (expected.arrival == "clear"):
        yield "seen in clear on the wire" if got.clear else "not seen in clear on the wire"
    # Without that, not having seen it in clear would say nothing.
    if expected.arrival != "none" and not got.connected:
        yield "the capture has no connection to a server of the domain"
    if got.looked.exit != expected.exit:
        yield f"scan --domain ends with {got.looked.exit} and not {expected.exit}"
    more = sorted(set(got.looked.failed) - set(expected.failed))
    less = sorted(set(expected.failed) - set(got.looked.failed))
    yield from (f"scan --domain finds {check}" for check in more)
    yield from (f"scan --domain does not find {check}" for check in less)
