"""How a rollout ended on a host, as far as its record says; what it does not say is never good."""

from collections.abc import Sequence

from msgspec import Struct

from audit.rollout import events as ev
from audit.rollout.words import BACK, BEFORE, HELD, MEANING, STATES, State

# What the roles may say that depends on what else happened.
_LOOKED = "looked"


class Known(Struct, frozen=True, kw_only=True):
    """What is known of the rollout as a whole.

    Attributes:
        closed: the last line of the record; None if it did not come to its end.
        running: whether somebody writes into it still.
        check: whether it only looked.
    """

    closed: ev.Closed | None
    running: bool
    check: bool


def state(host: str, mine: Sequence[ev.Event], known: Known, *, mail: bool) -> State:
    """The state of one host.

    Args:
        host: its name.
        mine: the events about it.
        known: of the rollout.
        mail: whether it has a mail daemon.
    """
    closed = known.closed
    told = next((e for e in reversed(mine) if isinstance(e, ev.Told)), None)
    after = mine[mine.index(told) + 1 :] if told else mine
    if any(isinstance(e, ev.Unreachable) for e in after):
        return "unreachable"
    phases = [e.phase for e in mine if isinstance(e, ev.Phase)]
    over = closed is not None or (bool(mine) and isinstance(mine[-1], ev.Seen))
    lost = any(isinstance(e, ev.Failed) for e in after) and (not closed or host in closed.failed)
    ended = _told(told.state, mine, check=known.check) if told else None
    if ended and not (lost and over and MEANING[ended][2] == "pass"):
        return ended
    if over and lost:
        return _failed(phases, mail=mail)
    if mail and (not any(phases) or phases[-1] == HELD):
        return "not-begun"
    if over and not mail:
        return "done" if phases else "not-begun"
    return "running" if known.running else "cut-off"


def why(mine: Sequence[ev.Event], ended: State) -> str:
    """The last that was said of a failure; nothing where all ended well."""
    said = [e.why for e in mine if isinstance(e, (ev.Failed, ev.Unreachable))]
    fine = MEANING[ended][2] == "pass" or ended in ("would-change", "not-begun")
    return said[-1] if said and not fine else ""


def _told(told: str, mine: Sequence[ev.Event], *, check: bool) -> State:
    changed = any(isinstance(e, ev.Changed) and (check or not e.check) for e in mine)
    if told == _LOOKED:
        return "would-change" if changed else "unchanged"
    if told == "unchanged" and changed:
        return "aside"
    # A word of a newer role that nobody here knows is no good news.
    return next((s for s in STATES if s == told), "cut-off")


def _failed(phases: Sequence[str], *, mail: bool) -> State:
    """Nobody said how it ended, so where it failed has to tell."""
    phase = phases[-1] if phases else ""
    if phase in BACK:
        return "not-back"
    return "untouched" if mail and phase in BEFORE else "failed"
