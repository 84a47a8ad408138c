"""The record of a rollout, found and read while it is written."""

from collections.abc import Iterator
from pathlib import Path

from audit.rollout import events as ev
from audit.rollout.model import Rollout
from audit.rollout.place import RECORD, known_names, load
from audit.rollout.words import PHASES


class Follower:
    """Follows the rollout that is begun next among those of a directory."""

    def __init__(self, directory: Path) -> None:
        """Look what is there already.

        Raises:
            MailsealError: the directory cannot be read.
        """
        self._directory = directory
        self._old = set(known_names(directory))
        self._at = 0

    def _name(self) -> str:
        """Empty as long as there is none."""
        return next((n for n in known_names(self._directory) if n not in self._old), "")

    def steps(self) -> Iterator[str]:
        """What has happened since the last look, in words; half a line waits for its other half.

        Raises:
            OSError: it cannot be read.
        """
        if not (name := self._name()):
            return
        with (self._directory / f"{name}{RECORD}").open("rb") as file:
            file.seek(self._at)
            lines = file.read().split(b"\n")[:-1]
        self._at += sum(len(line) + 1 for line in lines)
        for line in lines:
            if said := _said(ev.DECODER.decode(line)):
                yield said

    def rollout(self) -> Rollout | None:
        """All of it; None if none was begun.

        Raises:
            MailsealError: its record cannot be read.
        """
        name = self._name()
        return load(self._directory, name, looks=False) if name else None


def _said(event: ev.Event) -> str:
    match event:
        case ev.Batch(play=play):
            return play
        case ev.Phase(host=host, phase=phase) if phase:
            return f"{host}: {PHASES.get(phase, phase)}"
        case ev.Changed(host=host, task=task):
            return f"{host}: {task}"
    return ""
