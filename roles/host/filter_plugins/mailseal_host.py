"""What a host has to know of other hosts and other rollouts, as Jinja filters."""

import os
import sys
from collections.abc import Callable, Sequence
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from ansible.utils.helpers import pct_to_int

# A checkout needs no installation: the auditor lies beside the roles.
sys.path.append(str(Path(__file__).resolve().parents[3]))

from audit.rollout.others import others
from audit.rollout.place import USUAL
from audit.staging.lock import staged


def mailseal_others(host: str, directory: str = "", addresses: Sequence[str] = ()) -> list[str]:
    """Who is at work on a host and came before this rollout.

    A filter of a task is evaluated by a child of the process that writes the record.
    """
    stagings = ["a staging"] if staged(host, addresses) else []
    rollouts = others(Path(directory or USUAL), host, {os.getpid(), os.getppid()})
    return [*stagings, *(f"another rollout (mailseal rollout {name})" for name in rollouts)]


def mailseal_batch(
    everyone: Sequence[str], host: str, sizes: Sequence[int | str] | int | str
) -> list[str]:
    """The hosts of the batch that a host is in, as it was cut.

    Ansible itself names only those of it that have not failed.

    Args:
        everyone: all hosts of the play, in order.
        host: one of them.
        sizes: the keyword serial, of which the last counts for all further batches.
    """
    each = [sizes] if isinstance(sizes, (int, str)) else [*sizes]
    place, begun = everyone.index(host), 0
    for size in chain(each, repeat(each[-1] if each else "100%")):
        width = pct_to_int(size, len(everyone))
        if width <= 0:
            break
        if place < begun + width:
            return list(everyone[begun : begun + width])
        begun += width
    return list(everyone[begun:])


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """All filters."""
        return {"mailseal_batch": mailseal_batch, "mailseal_others": mailseal_others}
